// SPDX-License-Identifier: Apache-2.0
#include "bus/gate.hpp"

#include "host/fd.hpp"

#include <sys/socket.h>

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>

namespace egb::bus {
namespace {

constexpr const char* manager = "org.eghostbuster1.Manager";
constexpr const char* properties = "org.freedesktop.DBus.Properties";
constexpr const char* access_denied = "org.freedesktop.DBus.Error.AccessDenied";
constexpr const char* limits_exceeded = "org.freedesktop.DBus.Error.LimitsExceeded";

struct BusUnref {
    void operator()(sd_bus* bus) const { sd_bus_close_unref(bus); }
};
struct MessageUnref {
    void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using MessagePtr = std::unique_ptr<sd_bus_message, MessageUnref>;

/// Messages need a connection to be made on; nobody is at its other end.
class GateTest : public testing::Test {
protected:
    GateTest() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()), 0);
        other_end_.reset(ends[1]);
        sd_bus* bus{};
        EXPECT_GE(sd_bus_new(&bus), 0);
        bus_.reset(bus);
        EXPECT_GE(sd_bus_set_fd(bus, ends[0], ends[0]), 0);
        EXPECT_GE(sd_bus_start(bus), 0);
    }

    [[nodiscard]] MessagePtr call(const char* interface, const char* method,
                                  const char* path = "/org/eghostbuster1") const {
        sd_bus_message* fresh{};
        EXPECT_GE(
            sd_bus_message_new_method_call(bus_.get(), &fresh, "org.eghostbuster1", path, interface, method),
            0);
        return MessagePtr{fresh};
    }

    [[nodiscard]] MessagePtr call_with(const std::string& text) const {
        auto message = call(manager, "WhoOwnsPath");
        EXPECT_GE(sd_bus_message_append(message.get(), "s", text.c_str()), 0);
        return message;
    }

    /// The name of the error that the call is turned away with; empty when it is let through.
    static std::string turned_away(const MessagePtr& call, std::optional<std::uint32_t> uid = 1000) {
        EXPECT_GE(sd_bus_message_seal(call.get(), 1, 0), 0);
        const auto error = turn_away(call.get(), uid);
        return error ? std::string{error->getName()} : std::string{};
    }

private:
    host::Fd other_end_;
    std::unique_ptr<sd_bus, BusUnref> bus_;
};

TEST_F(GateTest, TurnsAwayArgumentsThatAreTooLong) {
    EXPECT_EQ(turned_away(call_with(std::string(65'000, 'x'))), "");
    EXPECT_EQ(turned_away(call_with(std::string(66'000, 'x'))), limits_exceeded);
}

TEST_F(GateTest, MeasuresWhatIsInsideOfContainers) {
    const auto message = call(manager, "ListGhosts");
    const std::string half(40'000, 'x');
    ASSERT_GE(sd_bus_message_append(message.get(), "a{sv}uu", 2, half.c_str(), "i", 1, "kind", "s",
                                    half.c_str(), 0U, 0U),
              0);
    EXPECT_EQ(turned_away(message), limits_exceeded);
}

TEST_F(GateTest, LeavesTheReadPositionWhereItWas) {
    const auto message = call_with("/tmp/a");
    EXPECT_EQ(turned_away(message), "");
    const char* path{};
    ASSERT_GT(sd_bus_message_read(message.get(), "s", &path), 0);
    EXPECT_STREQ(path, "/tmp/a");
}

TEST_F(GateTest, TurnsAwayAPathThatIsTooLong) {
    const std::string path = "/" + std::string(2'000, 'x');
    EXPECT_EQ(turned_away(call(properties, "GetAll", path.c_str())), limits_exceeded);
}

TEST_F(GateTest, LetsOnlyRootSetProperties) {
    EXPECT_EQ(turned_away(call(properties, "Set"), 1000), access_denied);
    EXPECT_EQ(turned_away(call(properties, "Set"), 0), "");
    EXPECT_EQ(turned_away(call(properties, "Set"), std::nullopt), "") << "the bus policy has the word then";
    EXPECT_EQ(turned_away(call(properties, "Get"), 1000), "");
}

} // namespace
} // namespace egb::bus
