// SPDX-License-Identifier: Apache-2.0
// What the kinds remember: all of it here, and what has changed on its way into whatever file is open. For
// StateDb alone.
#pragma once

#include "core/kind_memory.hpp"
#include "state/sqlite.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace egb::state {

class MemoryBook {
public:
    void remember(std::string_view kind, Memory memory);
    void forget(std::string_view kind, std::string_view key);
    [[nodiscard]] std::vector<Memory> of(std::string_view kind) const;

    /// Whether a file has told what it knows.
    [[nodiscard]] bool was_read() const { return was_read_; }
    /// What was remembered or forgotten meanwhile counts more than the file.
    [[nodiscard]] Result<> read(const Database& db);

    [[nodiscard]] bool has_news() const { return !news_.empty(); }
    [[nodiscard]] Result<> write(const Database& db);
    /// The file is another one, which knows nothing.
    void begin_anew();

private:
    using Name = std::pair<std::string, std::string>; ///< kind and key

    std::map<Name, Memory> rows_;
    std::set<Name> news_; ///< those not among the rows are forgotten
    bool was_read_{};
};

} // namespace egb::state
