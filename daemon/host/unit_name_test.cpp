// SPDX-License-Identifier: Apache-2.0
#include "host/unit_name.hpp"

#include <gmock/gmock.h>

namespace egb::host {

namespace {

using testing::ElementsAre;

std::vector<std::string> names(std::string_view unit) {
    const auto name = UnitName::parse(unit);
    return name ? drop_in_names(*name) : std::vector<std::string>{};
}

TEST(UnitName, HasPrefixInstanceAndType) {
    const auto plain = UnitName::parse("nginx.service");
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->prefix, "nginx");
    EXPECT_FALSE(plain->is_instance() || plain->is_template());
    const auto instance = UnitName::parse(R"(foo@a@b\x2dc.service)");
    ASSERT_TRUE(instance);
    EXPECT_EQ(instance->prefix, "foo");
    EXPECT_EQ(instance->instance, R"(a@b\x2dc)");
    EXPECT_TRUE(instance->is_instance());
    EXPECT_EQ(instance->with_instance("").text(), "foo@.service");
    EXPECT_EQ(instance->with_instance(std::nullopt).text(), "foo.service");
    const auto pattern = UnitName::parse("foo@.service");
    ASSERT_TRUE(pattern);
    EXPECT_TRUE(pattern->is_template());
}

TEST(UnitName, IsWrittenAsItWasRead) {
    for (const auto* const text : {"nginx.service", "getty@tty1.service", "foo@.socket", "-.slice", "-.mount",
                                   R"(app-org.x\x2dy-7.scope)", "a.b.service", "dev-sda2.swap"}) {
        const auto name = UnitName::parse(text);
        ASSERT_TRUE(name) << text;
        EXPECT_EQ(name->text(), text);
    }
}

TEST(UnitName, IsNothingElse) {
    for (const auto* const text :
         {"", "nginx", ".service", "@x.service", "nginx.", "nginx.conf", "a b.service", "../passwd.service",
          "a/b.service", "n\xC3\xA4.service", "a\n.service"}) {
        EXPECT_FALSE(UnitName::parse(text)) << text;
    }
    EXPECT_TRUE(UnitName::parse(std::string(247, 'a') + ".service"));
    EXPECT_FALSE(UnitName::parse(std::string(248, 'a') + ".service"));
}

TEST(DropInNames, GoFromTheUnitToWhatIsMoreGeneral) {
    EXPECT_THAT(names("nginx.service"), ElementsAre("nginx.service"));
    EXPECT_THAT(names("a-b-c.service"), ElementsAre("a-b-c.service", "a-b-.service", "a-.service"));
    EXPECT_THAT(names("a--.scope"), ElementsAre("a--.scope", "a-.scope"));
    EXPECT_THAT(names("-a-b.mount"), ElementsAre("-a-b.mount", "-a-.mount"));
    EXPECT_THAT(names("-.slice"), ElementsAre("-.slice"));
}

TEST(DropInNames, AreThoseOfTheTemplateToo) {
    EXPECT_THAT(names("getty@tty1.service"), ElementsAre("getty@tty1.service", "getty@.service"));
    EXPECT_THAT(names("a-b@c.service"),
                ElementsAre("a-b@c.service", "a-b@.service", "a-.service", "a-@c.service", "a-@.service"));
}

TEST(DropInNames, AreNotTooManyForANameOfDashes) {
    EXPECT_LE(names(std::string(120, 'a') + std::string(120, '-') + "b@c.service").size(), 500);
}

} // namespace

} // namespace egb::host
