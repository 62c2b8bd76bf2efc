// SPDX-License-Identifier: Apache-2.0
// What the daemon exports is what dbus/*.xml promises, neither less nor more.
#include "contract/client.hpp"
#include "contract/interface_xml.hpp"
#include "contract/served_bus.hpp"

#include <gmock/gmock.h>

#include <string>

namespace egb::test {
namespace {

using testing::UnorderedElementsAre;

class Introspection : public testing::Test {
protected:
    Element live(const std::string& path) { return parse_xml(client_.introspect(path)); }

    void expect_the_same(const std::string& path, const std::string& interface) {
        const auto file =
            parse_xml(read_file(std::string{EGB_DBUS_FOLDER} + "/" + interface + ".xml")).the("interface");
        const auto promised = promises_of(file);
        ASSERT_FALSE(promised.empty());
        EXPECT_EQ(promises_of(interface_in(live(path), interface)), promised);
    }

    static std::vector<std::string> names(const Element& node, std::string_view element) {
        std::vector<std::string> names;
        for (const auto* child : node.all(element)) {
            names.push_back(child->attribute("name"));
        }
        return names;
    }

    PrivateBus bus_;
    ServedBus served_{bus_};
    Client client_{bus_, nobody};
};

TEST_F(Introspection, OfTheManagerIsItsFile) {
    expect_the_same(manager_path, manager_interface);
}

TEST_F(Introspection, OfAKindIsItsFile) {
    expect_the_same("/org/eghostbuster1/kind/fake", kind_interface);
}

TEST_F(Introspection, OfTheLogIsItsFile) {
    expect_the_same(log_control_path, log_control_interface);
}

TEST_F(Introspection, ShowsNoInterfaceBeyondOursAndTheStandardOnes) {
    EXPECT_THAT(names(live(manager_path), "interface"),
                UnorderedElementsAre("org.freedesktop.DBus.Peer", "org.freedesktop.DBus.Introspectable",
                                     "org.freedesktop.DBus.Properties", "org.freedesktop.DBus.ObjectManager",
                                     manager_interface));
}

TEST_F(Introspection, ShowsAnObjectForEachKind) {
    EXPECT_THAT(names(live("/org/eghostbuster1/kind"), "node"),
                UnorderedElementsAre("fake", "fake_2dreport"));
}

TEST_F(Introspection, ObjectManagerListsTheKinds) {
    using Properties = std::map<std::string, sdbus::Variant>;
    std::map<sdbus::ObjectPath, std::map<std::string, Properties>> objects;
    sdbus::createProxy(client_.connection(), sdbus::ServiceName{"org.eghostbuster1"},
                       sdbus::ObjectPath{manager_path})
        ->callMethod("GetManagedObjects")
        .onInterface("org.freedesktop.DBus.ObjectManager")
        .storeResultsTo(objects);
    const auto& kind = objects.at(sdbus::ObjectPath{"/org/eghostbuster1/kind/fake"}).at(kind_interface);
    EXPECT_EQ(kind.at("Name").get<std::string>(), "fake");
}

} // namespace
} // namespace egb::test
