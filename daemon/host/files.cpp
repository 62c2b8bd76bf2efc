// SPDX-License-Identifier: Apache-2.0
#include "host/files.hpp"

#include <utility>

namespace egb::host {

Result<FileSight> Files::find(FileName& name, const FileIdentity& id) {
    auto sight = look(name);
    if (sight && sight->id == id) {
        return sight;
    }
    FileName own{.mount_namespace = machines_own(), .path = name.path};
    if (name.mount_namespace == 0 || name.mount_namespace == own.mount_namespace) {
        return sight;
    }
    auto among_own = look(own);
    if (!among_own || among_own->id != id) {
        return sight;
    }
    name = std::move(own);
    return among_own;
}

} // namespace egb::host
