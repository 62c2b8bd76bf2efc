// SPDX-License-Identifier: Apache-2.0
// The bouncer's table against the two files that it must agree with: the interface and the polkit actions.
#include "bus/access.hpp"
#include "contract/interface_xml.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <string>

namespace egb::test {
namespace {

using testing::HasSubstr;

Element manager_interface_file() {
    return parse_xml(read_file(EGB_DBUS_FOLDER "/org.eghostbuster1.Manager.xml")).the("interface");
}

Element policy_file() {
    return parse_xml(read_file(EGB_DBUS_FOLDER "/org.eghostbuster1.policy"));
}

bool answers_later(const Element& method) {
    return std::ranges::any_of(method.all("annotation"), [](const Element* annotation) {
        return annotation->attribute("name") == "org.freedesktop.DBus.Method.Async" &&
               annotation->attribute("value") == "server";
    });
}

TEST(AccessTable, ListsEveryMethodOfTheInterfaceAndNoOther) {
    std::set<std::string> listed;
    for (const auto& rule : bus::rules()) {
        EXPECT_TRUE(listed.emplace(rule.method).second) << rule.method << " is listed twice";
    }
    const auto interface = manager_interface_file();
    std::set<std::string> declared;
    for (const auto* method : interface.all("method")) {
        declared.insert(method->attribute("name"));
    }
    EXPECT_EQ(listed, declared);
}

TEST(AccessTable, ProtectsTheMethodsThatCanWaitForAnAnswerAndNoOther) {
    const auto interface = manager_interface_file();
    for (const auto* method : interface.all("method")) {
        const auto rule = std::ranges::find(bus::rules(), method->attribute("name"), &bus::Rule::method);
        ASSERT_NE(rule, bus::rules().end());
        EXPECT_EQ(answers_later(*method), !rule->action.empty()) << rule->method;
    }
}

TEST(AccessTable, AsksForTheActionsOfThePolicyFileAndForAllOfThem) {
    std::set<std::string> asked;
    for (const auto& rule : bus::rules()) {
        if (!rule.action.empty()) {
            asked.emplace(rule.action);
        }
    }
    const auto policy = policy_file();
    std::set<std::string> declared;
    for (const auto* action : policy.all("action")) {
        declared.insert(action->attribute("id"));
    }
    EXPECT_EQ(asked, declared);
}

TEST(PolicyFile, LetsEverySessionAuthenticateAndNobodyPassWithout) {
    const auto policy = policy_file();
    for (const auto* action : policy.all("action")) {
        const auto& defaults = action->the("defaults");
        EXPECT_EQ(defaults.the("allow_any").text, "auth_admin") << action->attribute("id");
        EXPECT_EQ(defaults.the("allow_inactive").text, "auth_admin_keep") << action->attribute("id");
        EXPECT_EQ(defaults.the("allow_active").text, "auth_admin_keep") << action->attribute("id");
    }
}

TEST(PolicyFile, LetsTheDaemonAskAboutOthers) {
    const auto policy = policy_file();
    for (const auto* action : policy.all("action")) {
        const auto& owner = action->the("annotate");
        EXPECT_EQ(owner.attribute("key"), "org.freedesktop.policykit.owner");
        EXPECT_EQ(owner.text, "unix-user:eghostbuster");
    }
}

TEST(ActivationFile, LeavesTheStartToSystemdAndStartsNothingThatIsDisabled) {
    const auto file = read_file(EGB_DBUS_FOLDER "/org.eghostbuster1.service");
    EXPECT_THAT(file, HasSubstr("\nName=org.eghostbuster1\n"));
    EXPECT_THAT(file, HasSubstr("\nSystemdService=dbus-org.eghostbuster1.service\n"));
    EXPECT_THAT(file, HasSubstr("\nExec=/bin/false\n"));
    const auto unit = read_file(EGB_DBUS_FOLDER "/../units/eghostbuster.service.in");
    const auto install = unit.substr(std::min(unit.find("[Install]"), unit.size()));
    EXPECT_THAT(install, HasSubstr("\nAlias=dbus-org.eghostbuster1.service\n"));
}

} // namespace
} // namespace egb::test
