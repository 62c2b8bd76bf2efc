// SPDX-License-Identifier: Apache-2.0
// Makes a file again that is in quarantine. Its name appears last, when everything about it is as it was, and
// never in place of another's.
#pragma once

#include "core/quarantine.hpp"
#include "core/result.hpp"
#include "host/file_place.hpp"

namespace egb::host {

[[nodiscard]] Result<> make_again(const FilePlace& place, const QuarantinedFile& file);

} // namespace egb::host
