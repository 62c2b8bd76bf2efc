// SPDX-License-Identifier: Apache-2.0
// A memory that several "runs" of a kind, and several "boots", may share.
#pragma once

#include "core/kind_memory.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace egb::test {

class FakeKindMemory final : public KindMemory {
public:
    /// What is remembered from now on is of that boot.
    void reboot(std::string boot) { boot_ = std::move(boot); }

    /// Nobody knows, from now on.
    void lose(Error why) { lost_ = std::move(why); }

    void remember(std::string_view kind, std::string_view key, std::string_view text) override {
        rows_.insert_or_assign(Name{kind, key},
                               Memory{.key = std::string{key}, .boot = boot_, .text = std::string{text}});
    }

    void forget(std::string_view kind, std::string_view key) override { rows_.erase(Name{kind, key}); }

    [[nodiscard]] Result<std::vector<Memory>> recall(std::string_view kind) const override {
        if (lost_) {
            return std::unexpected(*lost_);
        }
        std::vector<Memory> found;
        for (const auto& [name, memory] : rows_) {
            if (name.first == kind) {
                found.push_back(memory);
            }
        }
        return found;
    }

private:
    using Name = std::pair<std::string, std::string>;

    std::string boot_{"6e0c5b1c-4d5f-4d2e-9a63-0123456789ab"}; ///< that of FakeProcFs
    std::optional<Error> lost_;
    std::map<Name, Memory> rows_;
};

} // namespace egb::test
