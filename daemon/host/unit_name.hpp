// SPDX-License-Identifier: Apache-2.0
// The names of systemd's units, as far as their files are found by them. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace egb::host {

/// PREFIX.TYPE, or PREFIX@INSTANCE.TYPE, of a type that processes can be in.
struct UnitName {
    std::string prefix;
    std::optional<std::string> instance; ///< empty for a template
    std::string type;

    /// Nothing for what systemd would not take for such a name either.
    [[nodiscard]] static std::optional<UnitName> parse(std::string_view text);

    [[nodiscard]] std::string text() const;
    [[nodiscard]] bool is_template() const { return instance && instance->empty(); }
    [[nodiscard]] bool is_instance() const { return instance && !instance->empty(); }

    /// The same with another instance, or with that of the template, or with none.
    [[nodiscard]] UnitName with_instance(std::optional<std::string> other) const;

    bool operator==(const UnitName&) const = default;
};

/// Each NAME of which a folder NAME.d holds drop-ins for the unit, from its own name to the most general one
/// short of the type: a-b@c.service, a-b@.service, a-.service, a-@c.service, a-@.service.
[[nodiscard]] std::vector<std::string> drop_in_names(const UnitName& unit);

} // namespace egb::host
