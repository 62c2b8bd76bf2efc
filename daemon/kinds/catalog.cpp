// SPDX-License-Identifier: Apache-2.0
#include "kinds/catalog.hpp"

#include "kinds/lockfile/lockfile.hpp"
#include "kinds/process/process.hpp"
#include "kinds/tcp/tcp.hpp"

#include <array>

namespace egb::kinds {

std::span<const CatalogEntry> catalog() {
    static const std::array entries{
        CatalogEntry{tcp::info(), tcp::make},
        CatalogEntry{process::info(), process::make},
        CatalogEntry{lockfile::info(), lockfile::make},
    };
    return entries;
}

} // namespace egb::kinds
