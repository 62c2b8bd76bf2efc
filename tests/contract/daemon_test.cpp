// SPDX-License-Identifier: Apache-2.0
// The real daemon on a private bus: what its callers are promised, through all of its layers.
#include "contract/client.hpp"
#include "contract/contained.hpp"
#include "contract/interface_xml.hpp"
#include "contract/mock_polkit.hpp"
#include "contract/nonsense.hpp"
#include "contract/running_daemon.hpp"
#include "core/format.hpp"
#include "harness/temp_folder.hpp"
#include "sinks/signal_budget.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

namespace egb::test {
namespace {

namespace fs = std::filesystem;

using Mood = MockPolkit::Mood;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* access_denied = "org.freedesktop.DBus.Error.AccessDenied";
constexpr const char* bad_option = "org.eghostbuster1.Error.BadOption";
constexpr const char* kind_path = "/org/eghostbuster1/kind/fake";
/// Ghosts at once, and nothing done about them unless somebody asks for it.
constexpr const char* hands_off = "[fake]\nGrace=0\nClean=never\n";

using GhostRows = std::tuple_element_t<1, decltype(std::declval<ManagerClient&>().ListGhosts({}, 0, 0))>;

class DaemonTest : public testing::Test {
protected:
    GhostRows rows() { return std::get<1>(root_.manager().ListGhosts({}, 0, 0)); }

    /// The id of the ghost that this file is.
    std::uint64_t ghost_of(const std::string& name) {
        std::uint64_t id{};
        EXPECT_TRUE(root_.wait_until([&] {
            for (const auto& row : rows()) {
                id = row.get<3>().ends_with(name) ? row.get<0>() : id;
            }
            return id != 0;
        })) << daemon_.log();
        return id;
    }

    bool saw(const std::string& signal, std::uint64_t id) {
        return root_.wait_until([&] {
            return std::ranges::any_of(root_.manager().signals(), [&](const SeenSignal& seen) {
                return seen.name == signal && seen.id == id;
            });
        });
    }

    template <typename T>
    T kind_property(const std::string& name) {
        return root_.property(kind_path, kind_interface, name).get<T>();
    }

    PrivateBus bus_;
    RunningDaemon daemon_{bus_, hands_off};
    Client root_{bus_};
    Client user_{bus_, nobody};
};

TEST_F(DaemonTest, ExportsWhatItsFilesPromise) {
    const std::vector<std::pair<std::string, std::string>> objects{{manager_path, manager_interface},
                                                                   {kind_path, kind_interface},
                                                                   {log_control_path, log_control_interface}};
    for (const auto& [path, interface] : objects) {
        const auto file =
            parse_xml(read_file(std::string{EGB_DBUS_FOLDER} + "/" + interface + ".xml")).the("interface");
        const auto live = parse_xml(user_.introspect(path));
        EXPECT_EQ(promises_of(interface_in(live, interface)), promises_of(file));
    }
}

TEST_F(DaemonTest, TellsOfAGhostFromItsBeginningToItsEnd) {
    const auto file = daemon_.plant("some", "proven\n");
    const auto id = ghost_of("some");
    EXPECT_TRUE(saw("GhostAppeared", id));
    EXPECT_THAT(user_.manager().Describe(id),
                AllOf(HasSubstr(formatted("\"id\":{}", id)), HasSubstr("planted")));
    EXPECT_THAT(user_.manager().Explain(id), HasSubstr("some"));
    EXPECT_EQ(rows().at(0).get<2>(), "proven");
    EXPECT_EQ(rows().at(0).get<10>(), "report");

    fs::remove(file);
    EXPECT_TRUE(saw("GhostVanished", id));
    EXPECT_THAT(rows(), IsEmpty());
    EXPECT_EQ(error_name_of([&] {
                  (void)user_.manager().Describe(id);
              }),
              "org.eghostbuster1.Error.NoSuchGhost");
}

TEST_F(DaemonTest, PublishesWhatChanges) {
    ChangedProperties of_manager{root_.connection(), manager_path, manager_interface};
    ChangedProperties of_kind{root_.connection(), kind_path, kind_interface};
    daemon_.plant("some", "proven\n");
    EXPECT_TRUE(root_.wait_until([&] {
        return of_manager.size() > 0 && of_kind.size() > 0;
    }));
    EXPECT_EQ(of_manager.take().at("Ghosts").get<std::uint64_t>(), 1U);
    EXPECT_EQ(of_kind.take().at("Proven").get<std::uint64_t>(), 1U);
}

TEST_F(DaemonTest, ChangesNothingForACallerWithoutTheRight) {
    const MockPolkit polkit{bus_, Mood::deny};
    const auto file = daemon_.plant("some", "proven\n");
    const auto id = ghost_of("some");
    auto& manager = user_.manager();
    const auto policy = kind_property<std::string>("Clean");
    const std::vector<std::function<void()>> calls{
        [&] {
            (void)manager.Clean({id}, {{"suspected", sdbus::Variant{true}}});
        },
        [&] {
            manager.Hold({id}, UINT64_MAX);
        },
        [&] {
            manager.Ignore({id}, UINT64_MAX);
        },
        [&] {
            (void)manager.Restore(id);
        },
        [&] {
            (void)manager.Scan({});
        },
        [&] {
            manager.SetPolicy("fake", {{"Clean", sdbus::Variant{"suspected"}}}, true);
        },
        [&] {
            manager.Pause(true);
        },
        [&] {
            manager.Reload();
        },
        [&] {
            (void)manager.WhoOwnsPath(file);
        },
        [&] {
            (void)manager.OwnersOfPath(file);
        },
        [&] {
            (void)manager.Watch("process", {});
        },
    };
    for (const auto& call : calls) {
        EXPECT_EQ(error_name_of(call), access_denied);
    }
    EXPECT_THAT(polkit.questions(), SizeIs(calls.size()));
    EXPECT_TRUE(fs::exists(file));
    EXPECT_THAT(rows(), SizeIs(1));
    EXPECT_FALSE(manager.Paused());
    EXPECT_EQ(kind_property<std::string>("Clean"), policy);
}

TEST_F(DaemonTest, ObeysACallerWithTheRight) {
    const MockPolkit polkit{bus_, Mood::allow};
    const auto file = daemon_.plant("some", "proven\n");
    const auto id = ghost_of("some");
    auto& manager = user_.manager();

    const auto outcomes = manager.Clean({id}, {});
    EXPECT_EQ(outcomes.at(0).get<1>(), "cleaned") << outcomes.at(0).get<2>();
    EXPECT_FALSE(fs::exists(file));
    EXPECT_TRUE(saw("GhostCleaned", id));
    const auto history =
        manager.History({{"ghost", sdbus::Variant{id}}, {"verdict", sdbus::Variant{"cleaned"}}}, 0);
    ASSERT_THAT(history, SizeIs(1));
    EXPECT_EQ(history[0].get<9>(), "uid 65534");

    EXPECT_EQ(manager.Restore(id), file);
    EXPECT_TRUE(fs::exists(file));

    manager.SetPolicy("fake", {{"Veto", sdbus::Variant{std::uint64_t{90'000'000}}}}, false);
    EXPECT_EQ(kind_property<std::uint64_t>("VetoUSec"), 90'000'000U);
    manager.Pause(true);
    EXPECT_TRUE(manager.Paused());
    EXPECT_EQ(manager.Scan({}), 1U);
}

/// All that a stream has so far.
std::string read_stream(const sdbus::UnixFd& stream) {
    std::string text;
    std::array<char, 4'096> block{};
    for (ssize_t got = 0; (got = ::read(stream.get(), block.data(), block.size())) > 0;) {
        text.append(block.data(), static_cast<std::size_t>(got));
    }
    return text;
}

TEST_F(DaemonTest, StreamsProcessesOverADescriptor) {
    const MockPolkit polkit{bus_, Mood::allow};
    const auto stream = user_.manager().Watch("process", {{"failed", sdbus::Variant{true}}});
    ASSERT_TRUE(stream.isValid());
    EXPECT_NE(::fcntl(stream.get(), F_GETFL) & O_NONBLOCK, 0);
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::_exit(42);
    }
    ::waitpid(pid, nullptr, 0);
    std::string text;
    EXPECT_TRUE(eventually([&] {
        text += read_stream(stream);
        return text.contains(formatted("\"pid\":{},", pid));
    }));
    EXPECT_TRUE(text.starts_with("{\"event\":\"watching\",")) << text;
    EXPECT_THAT(text, HasSubstr("\"status\":42"));
}

TEST_F(DaemonTest, HasAFewStreamsForAUserAndMoreForRoot) {
    const MockPolkit polkit{bus_, Mood::allow};
    std::vector<sdbus::UnixFd> streams;
    const auto open_by = [&streams](Client& client) {
        return error_name_of([&] {
            streams.push_back(client.manager().Watch("process", {{"comm", sdbus::Variant{"nobody"}}}));
        });
    };
    while (streams.size() < 8) {
        ASSERT_EQ(open_by(user_), "");
    }
    EXPECT_EQ(open_by(user_), "org.freedesktop.DBus.Error.LimitsExceeded");
    EXPECT_EQ(open_by(root_), "");
    streams.erase(streams.begin());
    EXPECT_TRUE(eventually([&] {
        return open_by(user_).empty();
    })) << "who closes his end makes room";
}

TEST_F(DaemonTest, NamesWhatIsWrongWithAStream) {
    auto& manager = root_.manager();
    EXPECT_EQ(error_name_of([&] {
                  (void)manager.Watch("weather", {});
              }),
              bad_option);
    for (const auto& [key, value] : {std::pair{"comn", sdbus::Variant{"sshd"}},
                                     {"uid", sdbus::Variant{"root"}},
                                     {"events", sdbus::Variant{std::vector<std::string>{"birth"}}},
                                     {"pid", sdbus::Variant{std::int32_t{1 << 30}}}}) {
        EXPECT_EQ(error_name_of([&] {
                      (void)manager.Watch("process", {{key, value}});
                  }),
                  "org.eghostbuster1.Error.BadFilter")
            << key;
    }
}

TEST_F(DaemonTest, LeavesAloneWhatAUnitHoldsThatHasOptedOut) {
    const auto wish =
        daemon_.write_system_file("etc/systemd/system/app.service.d/egb.conf", "[X-Ghostbuster]\nClean=no\n");
    daemon_.configure("[fake]\nGrace=0\nClean=proven\nVeto=0\n");
    auto& manager = root_.manager();
    manager.Reload();
    const auto file = daemon_.plant("some", "proven\n");
    const auto id = ghost_of("some");
    const auto why = formatted("its unit app.service says \"Clean=no\" in {}", wish.string());

    EXPECT_THAT(manager.Explain(id), HasSubstr(why));
    const auto outcomes = manager.Clean({id}, {});
    EXPECT_EQ(outcomes.at(0).get<1>(), "refused");
    EXPECT_EQ(outcomes.at(0).get<2>(), why);
    EXPECT_TRUE(fs::exists(file));

    fs::remove(wish);
    manager.Reload();
    EXPECT_TRUE(saw("GhostCleaned", id)) << "it is only the wish that kept it";
    EXPECT_FALSE(fs::exists(file));
}

TEST_F(DaemonTest, HidesWhatIsIgnored) {
    daemon_.plant("some");
    const auto id = ghost_of("some");
    root_.manager().Ignore({id}, UINT64_MAX);
    EXPECT_THAT(rows(), IsEmpty());
    root_.manager().Ignore({id}, 0);
    EXPECT_THAT(rows(), SizeIs(1));
}

TEST_F(DaemonTest, SaysWhichLineOfTheConfigurationIsWrong) {
    daemon_.configure("[fake]\nGrace=0\nClean=alwys\n");
    const auto error = error_of([this] {
        root_.manager().Reload();
    });
    EXPECT_EQ(error.getName(), bad_option);
    EXPECT_THAT(error.getMessage(), AllOf(HasSubstr("eghostbuster.conf:3"), HasSubstr("alwys")));
    EXPECT_EQ(kind_property<std::string>("Clean"), "never");
}

TEST_F(DaemonTest, SaysWhichLineOfAListDoesNotCount) {
    daemon_.write_system_file("etc/eghostbuster/fake/names.list", "added\nof no use\n");
    root_.manager().Reload();
    const auto troubles =
        root_.property(manager_path, manager_interface, "Troubles").get<std::vector<std::string>>();
    ASSERT_THAT(troubles, SizeIs(1));
    EXPECT_THAT(troubles.front(), HasSubstr("/etc/eghostbuster/fake/names.list:2: of no use: "));
    EXPECT_THAT(daemon_.log(), HasSubstr(troubles.front().substr(troubles.front().find('/'))));
}

TEST_F(DaemonTest, SaysWhoOwnsAFileAndDoesNotNameItself) {
    const auto file = daemon_.plant("some");
    const sdbus::UnixFd fd{::open(file.c_str(), O_RDONLY | O_CLOEXEC), sdbus::adopt_fd};
    const auto owners = user_.manager().WhoOwns(fd);
    ASSERT_FALSE(owners.empty());
    for (const auto& owner : owners) {
        EXPECT_EQ(owner.get<0>(), ::getpid()) << owner.get<2>();
    }
    // By now the call is over, and with it the copies of the descriptor that it took.
    const auto owners_by_path = root_.manager().WhoOwnsPath(file);
    ASSERT_THAT(owners_by_path, SizeIs(1));
    EXPECT_EQ(owners_by_path[0].get<0>(), ::getpid());
    EXPECT_EQ(owners_by_path[0].get<6>(), fd.get());
}

TEST_F(DaemonTest, SaysWhoHasLockedAFileAndDoesNotNameItself) {
    const auto file = daemon_.plant("some");
    const sdbus::UnixFd fd{::open(file.c_str(), O_RDONLY | O_CLOEXEC), sdbus::adopt_fd};
    ASSERT_EQ(::flock(fd.get(), LOCK_EX), 0);
    const auto owners = nlohmann::json::parse(user_.manager().Owners(fd));
    ASSERT_FALSE(owners["holders"].empty());
    for (const auto& holder : owners["holders"]) {
        EXPECT_EQ(holder["pid"], ::getpid()) << holder;
    }
    ASSERT_FALSE(owners["locks"].empty());
    EXPECT_EQ(owners["locks"][0]["type"], "FLOCK");
    EXPECT_EQ(owners["locks"][0]["holder"]["pid"], ::getpid());
    EXPECT_TRUE(owners["claims"].empty());
}

TEST_F(DaemonTest, AnswersAProgramInAContainerAboutItsOwnFile) {
    const TempFolder place;
    const auto asked = in_container(place.path(), [&] {
        Client user{bus_, nobody};
        const auto file = place.path() / "x.lock";
        const sdbus::UnixFd fd{::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600),
                               sdbus::adopt_fd};
        return ::flock(fd.get(), LOCK_EX) == 0 ? user.manager().Owners(fd) : std::string{};
    });
    EXPECT_FALSE(std::filesystem::exists(place.path() / "x.lock")) << "nobody else has a name of it";
    const auto owners = nlohmann::json::parse(asked.answer, nullptr, false);
    ASSERT_FALSE(owners.is_discarded()) << asked.answer;
    ASSERT_FALSE(owners["holders"].empty());
    EXPECT_EQ(owners["holders"][0]["pid"], asked.pid) << "as the machine has it, not 1";
    ASSERT_FALSE(owners["locks"].empty());
    EXPECT_EQ(owners["locks"][0]["holder"]["pid"], asked.pid);
}

TEST_F(DaemonTest, MakesATrickleOfSignalsOfAFloodOfGhosts) {
    constexpr std::uint64_t flood = 20'000;
    for (std::uint64_t number = 0; number < flood; ++number) {
        daemon_.plant(std::to_string(number));
    }
    const auto told = [this] {
        const auto& seen = root_.manager().signals();
        return std::accumulate(seen.begin(), seen.end(), std::uint64_t{},
                               [](std::uint64_t sum, const SeenSignal& signal) {
                                   return sum + 1 + signal.more;
                               });
    };
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_TRUE(root_.wait_until([&] {
        return told() >= flood;
    })) << told()
        << " of " << flood << " told; " << root_.manager().Ghosts() << " there";
    const auto seconds =
        std::chrono::ceil<std::chrono::seconds>(std::chrono::steady_clock::now() - begin).count();
    EXPECT_EQ(told(), flood);
    const auto most = static_cast<std::size_t>(seconds + 20) * (sinks::SignalBudget::most_singles + 1);
    EXPECT_LE(root_.manager().signals().size(), most);

    std::uint32_t listed{};
    for (std::uint32_t offset = 0; offset < flood; offset += 1'000) {
        const auto [total, page] = user_.manager().ListGhosts({}, offset, 0);
        EXPECT_EQ(total, flood);
        listed += static_cast<std::uint32_t>(page.size());
    }
    EXPECT_EQ(listed, flood);
}

TEST_F(DaemonTest, SurvivesNonsense) {
    const MockPolkit polkit{bus_, Mood::deny};
    for (int number = 0; number < 20; ++number) {
        daemon_.plant(std::to_string(number));
    }
    const auto all = targets(user_);
    Nonsense nonsense{20'241'101};
    for (int round = 0; round < 1'500; ++round) {
        ASSERT_TRUE(nonsense.is_answered(user_, all)) << "round " << round << ": " << nonsense.last();
    }
    Client root{bus_}; // a user has to wait after so much
    EXPECT_NE(root.manager().Version(), "");
    EXPECT_EQ(daemon_.stop(), 0) << daemon_.log();
}

TEST_F(DaemonTest, LetsRootSetTheLogLevel) {
    const auto debug = sdbus::Variant{"debug"};
    root_.set_property(log_control_path, log_control_interface, "LogLevel", debug);
    EXPECT_EQ(root_.property(log_control_path, log_control_interface, "LogLevel").get<std::string>(),
              "debug");
    EXPECT_EQ(error_name_of([&] {
                  user_.set_property(log_control_path, log_control_interface, "LogLevel", debug);
              }),
              access_denied);
}

TEST_F(DaemonTest, EndsWellWhenItIsAskedToAndBadlyWithoutABus) {
    EXPECT_EQ(daemon_.stop(), 0) << daemon_.log();
    RunningDaemon second{bus_, hands_off};
    bus_.kill();
    EXPECT_EQ(second.wait(), 1) << second.log();
}

TEST_F(DaemonTest, IsTheOnlyOneOnItsBus) {
    // RunningDaemon cannot tell whose name it sees, so the second one is waited for.
    RunningDaemon second{bus_, hands_off};
    EXPECT_EQ(second.wait(), 1);
    EXPECT_THAT(second.log(), HasSubstr("another eghostbusterd"));
    EXPECT_EQ(daemon_.stop(), 0);
}

} // namespace
} // namespace egb::test
