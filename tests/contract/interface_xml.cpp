// SPDX-License-Identifier: Apache-2.0
#include "contract/interface_xml.hpp"

#include "core/format.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <stdexcept>

namespace egb::test {

namespace {

constexpr const char* emits_changed = "org.freedesktop.DBus.Property.EmitsChangedSignal";

std::map<std::string, std::string> attributes_in(const std::string& text) {
    static const std::regex attribute{R"re(([\w:.-]+)="([^"]*)")re"};
    std::map<std::string, std::string> attributes;
    for (std::sregex_iterator match{text.begin(), text.end(), attribute}, end; match != end; ++match) {
        attributes.emplace((*match)[1], (*match)[2]);
    }
    return attributes;
}

std::string without_comments(std::string text) {
    for (auto begin = text.find("<!--"); begin != std::string::npos; begin = text.find("<!--", begin)) {
        const auto end = text.find("-->", begin);
        if (end == std::string::npos) {
            throw std::runtime_error{"a comment does not end"};
        }
        text.erase(begin, end + 3 - begin);
    }
    return text;
}

std::string argument(const Element& arg) {
    const auto direction = arg.attributes.contains("direction") ? arg.attribute("direction") : "";
    return formatted(" {} {}:{}", direction, arg.attribute("name"), arg.attribute("type"));
}

/// Of the element itself, or else of its interface, or else what D-Bus says.
std::string change_of(const Element& property, const Element& interface) {
    for (const auto* where : {&property, &interface}) {
        for (const auto* annotation : where->all("annotation")) {
            if (annotation->attribute("name") == emits_changed) {
                return annotation->attribute("value");
            }
        }
    }
    return "true";
}

} // namespace

const std::string& Element::attribute(const std::string& wanted) const {
    const auto found = attributes.find(wanted);
    if (found == attributes.end()) {
        throw std::runtime_error{formatted("<{}> has no {}=", name, wanted)};
    }
    return found->second;
}

std::vector<const Element*> Element::all(std::string_view child) const {
    std::vector<const Element*> found;
    for (const auto& element : children) {
        if (element.name == child) {
            found.push_back(&element);
        }
    }
    return found;
}

const Element& Element::the(std::string_view child) const {
    const auto found = all(child);
    if (found.size() != 1) {
        throw std::runtime_error{formatted("<{}> has {} <{}>", name, found.size(), child)};
    }
    return *found.front();
}

Element parse_xml(const std::string& text) {
    static const std::regex tag{R"re(<(/?)([\w:-]+)([^<>]*?)(/?)>)re"};
    const auto body = without_comments(text);
    Element document;
    std::vector<Element*> open{&document};
    auto last = body.begin();
    for (std::sregex_iterator match{body.begin(), body.end(), tag}, end; match != end; ++match) {
        const auto& found = *match;
        open.back()->text.append(last, found[0].first);
        last = found[0].second;
        if (found[1].length() > 0) {
            if (open.size() < 2 || open.back()->name != found[2]) {
                throw std::runtime_error{formatted("</{}> ends nothing", found[2].str())};
            }
            open.pop_back();
            continue;
        }
        auto& element = open.back()->children.emplace_back();
        element.name = found[2];
        element.attributes = attributes_in(found[3]);
        if (found[4].length() == 0) {
            open.push_back(&element);
        }
    }
    if (open.size() != 1 || document.children.size() != 1) {
        throw std::runtime_error{"not one element that begins and ends"};
    }
    return document.children.front();
}

std::string read_file(const std::string& path) {
    const std::ifstream file{path};
    if (!file) {
        throw std::runtime_error{"cannot read " + path};
    }
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

const Element& interface_in(const Element& node, std::string_view interface) {
    const auto interfaces = node.all("interface");
    const auto found = std::ranges::find_if(interfaces, [interface](const Element* element) {
        return element->attribute("name") == interface;
    });
    if (found == interfaces.end()) {
        throw std::runtime_error{formatted("there is no interface {}", interface)};
    }
    return **found;
}

std::set<std::string> promises_of(const Element& interface) {
    std::set<std::string> promises;
    for (const auto* member : {"method", "signal"}) {
        for (const auto* element : interface.all(member)) {
            auto line = formatted("{} {}", member, element->attribute("name"));
            for (const auto* arg : element->all("arg")) {
                line += argument(*arg);
            }
            promises.insert(std::move(line));
        }
    }
    for (const auto* property : interface.all("property")) {
        promises.insert(formatted("property {}:{} {}, changes: {}", property->attribute("name"),
                                  property->attribute("type"), property->attribute("access"),
                                  change_of(*property, interface)));
    }
    return promises;
}

} // namespace egb::test
