// SPDX-License-Identifier: Apache-2.0
// The hands of host/sys.hpp for files: into quarantine, and back.
#pragma once

#include "core/quarantine.hpp"
#include "core/result.hpp"
#include "host/files.hpp"
#include "host/unit_acts.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace egb::host {

/// The very file that was judged, as it was then.
struct FileTarget {
    FileName name;
    FileIdentity id;
    std::int64_t changed_ns{};
    std::uint64_t most_bytes{}; ///< a larger one is left alone
};

/// Puts a file where it can be fetched from again; an error means that it must stay.
using KeepFile = std::function<Result<>(const QuarantinedFile&)>;
/// Whether, now that nobody finds it by its name any more, it may go; an error means that it must be put back.
using LastLook = std::function<Result<>(int fd)>;

} // namespace egb::host
