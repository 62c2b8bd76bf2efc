// SPDX-License-Identifier: Apache-2.0
// The hands of host/sys.hpp for files: into quarantine, and back.
#pragma once

#include "core/quarantine.hpp"
#include "core/result.hpp"
#include "host/files.hpp"
#include "host/procfs.hpp"
#include "host/socket_target.hpp"

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

/// Whether, now that nobody finds it by its name any more, it may go; an error means that it must be put
/// back.
using LastLook = std::function<Result<>(int fd)>;

/// Where a file goes, and as whose.
struct Keeper {
    Quarantine& quarantine;
    const Ghost& ghost;
};

/// What has become of a file that was left half way.
enum class Whereabouts : std::uint8_t { in_place, gone };

class FileActs {
public:
    explicit FileActs(const ProcFs& procfs) : procfs_{procfs} {}

    [[nodiscard]] Result<> quarantine(const FileTarget& target, const LastLook& last_look,
                                      const Keeper& keeper, Earnest earnest);
    [[nodiscard]] Result<std::string> restore(const QuarantinedFile& file, Earnest earnest);
    [[nodiscard]] Result<Whereabouts> recover(const QuarantinedFile& file, Earnest earnest);

private:
    const ProcFs& procfs_;
};

} // namespace egb::host
