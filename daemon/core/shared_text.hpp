// SPDX-License-Identifier: Apache-2.0
// A text that many have in common, and that is in memory once.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace egb {

class SharedText {
public:
    SharedText() = default;
    // NOLINTNEXTLINE(*-explicit-*): it is a text
    SharedText(std::string_view text)
        : text_{text.empty() ? nullptr : std::make_shared<const std::string>(text)} {}
    // NOLINTNEXTLINE(*-explicit-*): it is a text
    SharedText(const std::string& text) : SharedText{std::string_view{text}} {}
    // NOLINTNEXTLINE(*-explicit-*): it is a text
    SharedText(const char* text) : SharedText{std::string_view{text}} {}

    // NOLINTNEXTLINE(*-explicit-*): it is a text
    operator std::string_view() const { return text_ ? std::string_view{*text_} : std::string_view{}; }
    [[nodiscard]] bool empty() const { return text_ == nullptr; }

    friend bool operator==(const SharedText& one, std::string_view other) {
        return std::string_view{one} == other;
    }

private:
    std::shared_ptr<const std::string> text_; ///< nullptr for the empty one
};

} // namespace egb
