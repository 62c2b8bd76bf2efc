// SPDX-License-Identifier: Apache-2.0
#include "host/mount_files.hpp"

namespace egb::host {

Result<FileSight> MountFiles::look(const FileName& name) {
    return fail(ErrorCode::unsupported, "{}: not yet", name.path);
}

Result<Fd> MountFiles::open(const FileName& name, const FileIdentity& /*id*/) {
    return fail(ErrorCode::unsupported, "{}: not yet", name.path);
}

} // namespace egb::host
