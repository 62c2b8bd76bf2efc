// SPDX-License-Identifier: Apache-2.0
#include "host/file_acts.hpp"

namespace egb::host {

Result<> FileActs::quarantine(const FileTarget& target, const LastLook& /*last_look*/,
                              const Keeper& /*keeper*/, Earnest /*earnest*/) {
    return fail(ErrorCode::unsupported, "{}: not yet", target.name.path);
}

Result<std::string> FileActs::restore(const QuarantinedFile& file, Earnest /*earnest*/) {
    return fail(ErrorCode::unsupported, "{}: not yet", file.path);
}

Result<Whereabouts> FileActs::recover(const QuarantinedFile& file, Earnest /*earnest*/) {
    return fail(ErrorCode::unsupported, "{}: not yet", file.path);
}

} // namespace egb::host
