// SPDX-License-Identifier: Apache-2.0
#include "json_reading.hpp"

#include "core/utf8.hpp"

#include <nlohmann/json.hpp>

namespace egb::cli {

std::string text_of(const Json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end() || found->is_null()) {
        return "";
    }
    return printable(found->is_string() ? found->get<std::string>() : found->dump());
}

Json list_of(const Json& object, const char* name) {
    return object.contains(name) && object[name].is_array() ? object[name] : Json::array();
}

Json object_of(const Json& object, const char* name) {
    return object.contains(name) && object[name].is_object() ? object[name] : Json::object();
}

bool flag_of(const Json& object, const char* name) {
    return object.contains(name) && object[name].is_boolean() && object[name].get<bool>();
}

} // namespace egb::cli
