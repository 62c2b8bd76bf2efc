// SPDX-License-Identifier: Apache-2.0
#include "host/map_rows.hpp"

#include <sys/mman.h>

namespace egb::host {

Result<MapRows> MapRows::of(int map, std::size_t bytes) {
    void* const address = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
    if (address == MAP_FAILED) {
        return fail_errno("mapping a BPF map");
    }
    return MapRows{Memory{address, Unmap{bytes}}};
}

void MapRows::Unmap::operator()(void* address) const {
    ::munmap(address, bytes);
}

} // namespace egb::host
