// SPDX-License-Identifier: Apache-2.0
// Calls that make no sense, always the same: a seeded generator calls all that the introspection data offer
// with everything that fits, and with what does not.
#pragma once

#include "contract/client.hpp"

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace egb::test {

/// A method that the daemon says it has.
struct Target {
    std::string path;
    std::string interface;
    std::string method;
    std::string signature;
};

/// Everything on the Manager, a kind and the log, with what sd-bus adds.
[[nodiscard]] std::vector<Target> targets(Client& client);

class Nonsense {
public:
    explicit Nonsense(std::uint32_t seed) : random_{seed} {}

    /// Calls one of them with something. True when it was answered, whatever the answer was.
    [[nodiscard]] bool is_answered(Client& client, const std::vector<Target>& all);

    /// The last call, to find it again.
    [[nodiscard]] const std::string& last() const { return last_; }

private:
    [[nodiscard]] std::size_t below(std::size_t count);
    [[nodiscard]] std::uint64_t number();
    [[nodiscard]] std::size_t entries(int depth);
    void fill(sd_bus_message* message, std::string_view signature, int depth);
    void append(sd_bus_message* message, std::string_view type, int depth);
    void append_variant(sd_bus_message* message, int depth);
    void append_basic(sd_bus_message* message, char type);

    template <typename Range>
    [[nodiscard]] const auto& one_of(const Range& range) {
        return range[below(std::size(range))];
    }

    std::mt19937_64 random_;
    std::string last_;
};

} // namespace egb::test
