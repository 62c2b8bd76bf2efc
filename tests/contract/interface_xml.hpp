// SPDX-License-Identifier: Apache-2.0
// As much of XML as D-Bus interfaces and polkit actions are written in: elements, attributes, text.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace egb::test {

struct Element {
    std::string name;
    std::map<std::string, std::string> attributes;
    std::string text; ///< directly in it, between its children
    std::vector<Element> children;

    [[nodiscard]] const std::string& attribute(const std::string& name) const;
    [[nodiscard]] std::vector<const Element*> all(std::string_view child) const;
    /// The only child of that name; throws when there is none.
    [[nodiscard]] const Element& the(std::string_view child) const;
};

/// The root element. Throws std::runtime_error when the text is not well-formed.
[[nodiscard]] Element parse_xml(const std::string& text);

[[nodiscard]] std::string read_file(const std::string& path);

/// The interface of that name in introspection data.
[[nodiscard]] const Element& interface_in(const Element& node, std::string_view interface);

/// Every method, signal and property of an interface, one line each with all that a caller relies on: names
/// and types of the arguments, access, how changes are told.
[[nodiscard]] std::set<std::string> promises_of(const Element& interface);

} // namespace egb::test
