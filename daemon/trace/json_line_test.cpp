// SPDX-License-Identifier: Apache-2.0
#include "trace/json_line.hpp"

#include "core/utf8.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <limits>
#include <string>

namespace egb::trace {
namespace {

using nlohmann::json;

TEST(JsonLine, IsOneObjectOnOneLine) {
    JsonLine line;
    line.text("text", "plain");
    line.number("most", std::numeric_limits<std::uint64_t>::max());
    line.number("least", std::numeric_limits<std::int64_t>::min());
    line.number("small", std::int32_t{-7});
    line.flag("flag", true);
    line.null("none");
    line.text_or_null("empty", "");
    line.open_list("list");
    line.entry("a");
    line.entry("");
    line.close_list();
    line.open("object");
    line.number("inner", 1);
    line.close();
    const auto text = std::move(line).finish();
    EXPECT_EQ(text, R"({"text":"plain","most":18446744073709551615,"least":-9223372036854775808,"small":-7,)"
                    R"("flag":true,"none":null,"empty":null,"list":["a",""],"object":{"inner":1}})"
                    "\n");
    EXPECT_TRUE(json::accept(text));
}

/// Whatever a process calls itself.
TEST(JsonLine, IsSoundWhateverTheTextIs) {
    for (int first = 0; first < 256; ++first) {
        for (const char second : {'\0', '"', '\\', '\n', '\x80', '\xFF', 'a'}) {
            const std::string nasty{static_cast<char>(first), second, 'z'};
            JsonLine line;
            line.text("text", nasty);
            const auto text = std::move(line).finish();
            ASSERT_TRUE(is_utf8(text)) << first;
            ASSERT_EQ(text.find('\n'), text.size() - 1) << first;
            const auto read = json::parse(text, nullptr, false);
            ASSERT_TRUE(read.is_object()) << text;
            ASSERT_EQ(read["text"], printable(nasty));
        }
    }
}

} // namespace
} // namespace egb::trace
