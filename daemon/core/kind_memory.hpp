// SPDX-License-Identifier: Apache-2.0
// What a kind remembers of its resources over restarts, and over reboots: rows that mean something to it
// alone.
#pragma once

#include "core/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace egb {

struct Memory {
    std::string key;  ///< unique within the kind
    std::string boot; ///< in which boot it was written
    std::string text;

    bool operator==(const Memory&) const = default;
};

class KindMemory {
public:
    virtual ~KindMemory() = default;

    /// In place of what was there under that key; on the disk soon after, and while the disk refuses when it
    /// does no longer.
    virtual void remember(std::string_view kind, std::string_view key, std::string_view text) = 0;
    virtual void forget(std::string_view kind, std::string_view key) = 0;

    /// All of a kind, of whatever boot. A failure says that nobody knows.
    [[nodiscard]] virtual Result<std::vector<Memory>> recall(std::string_view kind) const = 0;
};

} // namespace egb
