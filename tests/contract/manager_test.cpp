// SPDX-License-Identifier: Apache-2.0
// What the methods and properties of the Manager, the kinds and the log say to a caller.
#include "contract/client.hpp"
#include "contract/served_bus.hpp"
#include "harness/builders.hpp"
#include "host/fd.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <memory>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace egb::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

constexpr const char* bad_filter = "org.eghostbuster1.Error.BadFilter";
constexpr const char* bad_option = "org.eghostbuster1.Error.BadOption";
constexpr const char* busy = "org.eghostbuster1.Error.Busy";
constexpr const char* failed = "org.eghostbuster1.Error.Failed";
constexpr const char* no_such_file = "org.eghostbuster1.Error.NoSuchFile";
constexpr const char* no_such_ghost = "org.eghostbuster1.Error.NoSuchGhost";
constexpr const char* no_such_kind = "org.eghostbuster1.Error.NoSuchKind";
constexpr const char* refused = "org.eghostbuster1.Error.Refused";
constexpr const char* unsupported = "org.eghostbuster1.Error.Unsupported";
constexpr const char* access_denied = "org.freedesktop.DBus.Error.AccessDenied";
constexpr const char* invalid_args = "org.freedesktop.DBus.Error.InvalidArgs";
constexpr const char* limits_exceeded = "org.freedesktop.DBus.Error.LimitsExceeded";
constexpr const char* kind_path = "/org/eghostbuster1/kind/fake";

template <typename T>
sdbus::Variant variant(const T& value) {
    return sdbus::Variant{value};
}

class ManagerTest : public testing::Test {
protected:
    void with_control(const std::function<void(FakeControl&)>& work) {
        served_.on_loop([this, &work] {
            work(served_.control());
        });
    }

    void add_ghosts(std::size_t count) {
        with_control([count](FakeControl& control) {
            control.add_ghosts(count);
        });
    }

    void fail_with(ErrorCode code) {
        with_control([code](FakeControl& control) {
            control.failure = Error{.code = code, .message = "because"};
        });
    }

    ManagerClient& manager() { return root_.manager(); }

    PrivateBus bus_;
    ServedBus served_{bus_};
    Client root_{bus_};
};

TEST_F(ManagerTest, ListsGhostsPageByPage) {
    add_ghosts(2'500);
    const auto [total, page] = manager().ListGhosts({}, 2'000, 700);
    EXPECT_EQ(total, 2'500U);
    ASSERT_THAT(page, SizeIs(500));
    EXPECT_EQ(page.front().get<0>(), 2'001U);
    EXPECT_EQ(page.back().get<0>(), 2'500U);
}

TEST_F(ManagerTest, HasNoPageLongerThanAThousandRows) {
    add_ghosts(2'500);
    EXPECT_THAT(std::get<1>(manager().ListGhosts({}, 0, 0)), SizeIs(1'000));
    EXPECT_THAT(std::get<1>(manager().ListGhosts({}, 0, UINT32_MAX)), SizeIs(1'000));
    EXPECT_THAT(std::get<1>(manager().ListGhosts({}, 0, 1)), SizeIs(1));
    EXPECT_THAT(std::get<1>(manager().ListGhosts({}, UINT32_MAX, 0)), IsEmpty());
}

TEST_F(ManagerTest, ShowsAllOfARow) {
    add_ghosts(3);
    const auto rows = std::get<1>(manager().ListGhosts({{"grade", variant(std::string{"proven"})}}, 0, 0));
    ASSERT_THAT(rows, SizeIs(1));
    const auto& [id, kind, grade, summary, since, at_least, pid, comm, unit, holders, decision] = rows[0];
    EXPECT_EQ(id, 3U);
    EXPECT_EQ(kind, "fake");
    EXPECT_EQ(grade, "proven");
    EXPECT_EQ(summary, "something called 3");
    EXPECT_EQ(since, 1'700'000'000'000'000U);
    EXPECT_FALSE(at_least);
    EXPECT_EQ(pid, 3);
    EXPECT_EQ(comm, "app");
    EXPECT_EQ(unit, "app.service");
    EXPECT_EQ(holders, 1U);
    EXPECT_EQ(decision, "clean");
}

TEST_F(ManagerTest, ListsGhostsOfProcessesWithUnspeakableNames) {
    add_ghosts(1);
    with_control([](FakeControl& control) {
        control.ghost(1).summary = "\xFF\x1b[2J";
        control.ghost(1).holders = held_by({.comm = "b\xC0\xAFz", .unit = std::string{"a\0b", 3}});
    });
    const auto rows = std::get<1>(manager().ListGhosts({}, 0, 0));
    ASSERT_THAT(rows, SizeIs(1));
    EXPECT_EQ(rows[0].get<3>(), "\\xff\\x1b[2J");
    EXPECT_EQ(rows[0].get<7>(), "b\\xc0\\xafz");
    EXPECT_EQ(rows[0].get<8>(), "a\\x00b");
    EXPECT_EQ(manager().Explain(1), "Ghost 1\\x0ais \\xff one.");
}

TEST_F(ManagerTest, ListsAGhostThatNobodyHolds) {
    add_ghosts(1);
    with_control([](FakeControl& control) {
        control.ghost(1).holders.clear();
        control.ghost(1).since_kind = SinceKind::at_least;
    });
    const auto rows = std::get<1>(manager().ListGhosts({}, 0, 0));
    EXPECT_TRUE(rows.at(0).get<5>());
    EXPECT_EQ(rows.at(0).get<6>(), 0);
    EXPECT_EQ(rows.at(0).get<9>(), 0U);
}

TEST_F(ManagerTest, ListsMembersApartFromTheOthers) {
    add_ghosts(3);
    with_control([](FakeControl& control) {
        control.ghost(2).group = "summary";
        control.ghost(2).holders = held_by({.pid = 7}, 12);
        control.ghost(3).group = "summary";
        control.ghost(3).holders.clear();
    });
    EXPECT_EQ(std::get<0>(manager().ListGhosts({}, 0, 0)), 1U);
    EXPECT_EQ(std::get<0>(manager().ListGhosts({{"members", variant(true)}}, 0, 0)), 3U);
    EXPECT_EQ(std::get<0>(manager().ListGhosts({{"group", variant(std::uint64_t{1})}}, 0, 0)), 2U);

    const auto [total, members] = manager().ListMembers(1, 0, 0);
    EXPECT_EQ(total, 2U);
    ASSERT_THAT(members, SizeIs(2));
    const auto& [id, fd, since, at_least, summary] = members[0];
    EXPECT_EQ(id, 2U);
    EXPECT_EQ(fd, 12);
    EXPECT_EQ(since, 1'700'000'000'000'000U);
    EXPECT_FALSE(at_least);
    EXPECT_EQ(summary, "something called 2");
    EXPECT_EQ(members[1].get<1>(), -1);
    EXPECT_THAT(std::get<1>(manager().ListMembers(1, 1, 1)), SizeIs(1));
    EXPECT_THAT(std::get<1>(manager().ListMembers(0, 0, 0)), IsEmpty());
}

TEST_F(ManagerTest, RefusesAFilterItDoesNotUnderstand) {
    const auto unknown = error_of([this] {
        (void)manager().ListGhosts({{"knd", variant(std::string{"fake"})}}, 0, 0);
    });
    EXPECT_EQ(unknown.getName(), bad_filter);
    EXPECT_THAT(unknown.getMessage(), AllOf(HasSubstr("\"knd\""), HasSubstr("kind, grade, pid")));

    const auto mistyped = error_of([this] {
        (void)manager().History({{"ghost", variant(std::string{"7"})}}, 0);
    });
    EXPECT_EQ(mistyped.getName(), bad_filter);
    EXPECT_THAT(mistyped.getMessage(), AllOf(HasSubstr("\"ghost\""), HasSubstr("type t")));
}

TEST_F(ManagerTest, NamesTheKindsWhenOneIsMisspelt) {
    const auto error = error_of([this] {
        (void)manager().ListGhosts({{"kind", variant(std::string{"fak"})}}, 0, 0);
    });
    EXPECT_EQ(error.getName(), no_such_kind);
    EXPECT_THAT(error.getMessage(), AllOf(HasSubstr("\"fak\""), HasSubstr("fake, fake-report")));
    EXPECT_EQ(error_name_of([this] {
                  (void)manager().Scan({"fak"});
              }),
              no_such_kind);
    EXPECT_EQ(error_name_of([this] {
                  manager().SetPolicy("fak", {}, false);
              }),
              no_such_kind);
}

TEST_F(ManagerTest, SaysWhichGhostThereIsNot) {
    add_ghosts(1);
    EXPECT_EQ(manager().Describe(1), R"({"id":1})");
    EXPECT_EQ(error_name_of([this] {
                  (void)manager().Describe(2);
              }),
              no_such_ghost);
    EXPECT_EQ(error_name_of([this] {
                  (void)manager().Explain(2);
              }),
              no_such_ghost);
}

TEST_F(ManagerTest, NamesEveryFailure) {
    add_ghosts(1);
    const auto restore = [this] {
        (void)manager().Restore(1);
    };
    fail_with(ErrorCode::unsupported);
    EXPECT_EQ(error_name_of(restore), unsupported);
    fail_with(ErrorCode::busy);
    EXPECT_EQ(error_name_of(restore), busy);
    fail_with(ErrorCode::changed);
    EXPECT_EQ(error_name_of(restore), refused);
    fail_with(ErrorCode::io);
    EXPECT_EQ(error_name_of(restore), failed);
    fail_with(ErrorCode::invalid);
    const auto error = error_of([this] {
        manager().Reload();
    });
    EXPECT_EQ(error.getName(), bad_option);
    EXPECT_EQ(error.getMessage(), "because");
}

TEST_F(ManagerTest, TellsTheOutcomeOfEachCleaning) {
    add_ghosts(2);
    const auto outcomes = manager().Clean({1, 2, 9}, {{"suspected", variant(true)}});
    ASSERT_THAT(outcomes, SizeIs(3));
    EXPECT_EQ(outcomes[0].get<0>(), 1U);
    EXPECT_EQ(outcomes[0].get<1>(), "cleaned");
    EXPECT_EQ(outcomes[2].get<1>(), "gone");
    EXPECT_THAT(outcomes[2].get<2>(), HasSubstr("there is no ghost 9"));
    EXPECT_THAT(served_.acts(),
                ElementsAre("clean 1 suspected uid 0", "clean 2 suspected uid 0", "clean 9 suspected uid 0"));
}

TEST_F(ManagerTest, ToCleanNothingButWhatIsNotThereIsAnError) {
    const auto error = error_of([this] {
        manager().Clean({8, 9}, {});
    });
    EXPECT_EQ(error.getName(), no_such_ghost);
    EXPECT_THAT(error.getMessage(), HasSubstr("8"));
}

TEST_F(ManagerTest, HoldsTheOthersWhenOneHasGone) {
    add_ghosts(2);
    const auto error = error_of([this] {
        manager().Hold({1, 9, 2}, UINT64_MAX);
    });
    EXPECT_EQ(error.getName(), no_such_ghost);
    EXPECT_THAT(error.getMessage(), HasSubstr("9"));
    EXPECT_THAT(served_.acts(), SizeIs(2));
}

TEST_F(ManagerTest, TakesNoMoreThanItCanDoInOneGo) {
    add_ghosts(1'000);
    std::vector<std::uint64_t> ids(1'000, 1);
    manager().Ignore(ids, 0);
    ids.push_back(1);
    EXPECT_EQ(error_name_of([&] {
                  manager().Ignore(ids, 0);
              }),
              limits_exceeded);
    EXPECT_EQ(error_name_of([this] {
                  (void)manager().Scan(std::vector<std::string>(65, "fake"));
              }),
              limits_exceeded);
    std::map<std::string, sdbus::Variant> filter;
    for (int key = 0; key < 65; ++key) {
        filter.emplace(std::to_string(key), variant(true));
    }
    EXPECT_EQ(error_name_of([&] {
                  (void)manager().ListGhosts(filter, 0, 0);
              }),
              limits_exceeded);
    EXPECT_THAT(served_.acts(), SizeIs(1'000));
}

TEST_F(ManagerTest, OutlivesACallThatIsAlmostTooLongForTheBus) {
    const std::string huge(std::size_t{20} << 20, 'x');
    EXPECT_EQ(error_name_of([&] {
                  (void)manager().ListGhosts({{huge, variant(true)}}, 0, 0);
              }),
              limits_exceeded);
    const auto error = error_of([this] {
        (void)manager().ListGhosts({{std::string(60'000, 'x'), variant(true)}}, 0, 0);
    });
    EXPECT_EQ(error.getName(), bad_filter);
    EXPECT_THAT(error.getMessage(), SizeIs(testing::Lt(400U)));
    EXPECT_FALSE(served_.lost());
    EXPECT_EQ(manager().Version(), "1.2.3");
}

TEST_F(ManagerTest, LetsAUserCallOftenAndNotWithoutEnd) {
    add_ghosts(1);
    const auto calls_of = [this](uid_t uid) {
        Client client{bus_, uid};
        constexpr int enough = 2'000;
        int answered = 0;
        while (answered < enough && error_name_of([&client] {
                                        (void)client.manager().History({}, 0);
                                    }).empty()) {
            ++answered;
        }
        return answered;
    };
    EXPECT_EQ(calls_of(0), 2'000);
    EXPECT_GE(calls_of(nobody), 10);
    Client another{bus_, nobody};
    Client root{bus_};
    (void)error_name_of([&another] {
        (void)another.manager().History({}, 0);
    });
    EXPECT_EQ(error_name_of([&another] {
                  (void)another.manager().History({}, 0);
              }),
              limits_exceeded);
    EXPECT_EQ(root.manager().Version(), "1.2.3");
}

TEST_F(ManagerTest, DoesNotAnswerAFloodThatWantsNoReplyByDoingIt) {
    add_ghosts(1);
    Client user{bus_, nobody};
    for (int sent = 0; sent < 1'000; ++sent) {
        sd_bus_message* fresh{};
        ASSERT_GE(sd_bus_message_new_method_call(user.raw(), &fresh, "org.eghostbuster1", manager_path,
                                                 manager_interface, "Explain"),
                  0);
        const std::unique_ptr<sd_bus_message, decltype(&sd_bus_message_unref)> call{fresh,
                                                                                    sd_bus_message_unref};
        ASSERT_GE(sd_bus_message_append(fresh, "t", std::uint64_t{1}), 0);
        ASSERT_GE(sd_bus_message_set_expect_reply(fresh, 0), 0);
        ASSERT_GE(sd_bus_send(user.raw(), fresh, nullptr), 0);
    }
    EXPECT_EQ(error_name_of([&user] {
                  (void)user.manager().Explain(1);
              }),
              limits_exceeded);
}

TEST_F(ManagerTest, SetsPolicyAsTheFileWouldHaveIt) {
    manager().SetPolicy("fake",
                        {{"Enabled", variant(false)},
                         {"Veto", variant(std::uint64_t{90'000'000})},
                         {"Grace", variant(std::string{"2h"})}},
                        false);
    EXPECT_THAT(served_.acts(), ElementsAre("set-policy fake Enabled=no Grace=2h Veto=1min 30s"));

    const auto error = error_of([this] {
        manager().SetPolicy("fake", {{"Clean", variant(std::string{"always"})}}, false);
    });
    EXPECT_EQ(error.getName(), bad_option);
    EXPECT_THAT(error.getMessage(), HasSubstr("Clean"));
}

TEST_F(ManagerTest, ShowsHistory) {
    with_control([](FakeControl& control) {
        control.rows = {{.sequence = 7,
                         .at = WallTime{5us},
                         .type = "acted",
                         .ghost = 3,
                         .kind = "fake",
                         .grade = "proven",
                         .summary = "it",
                         .verdict = "cleaned",
                         .reason = "done",
                         .actor = "uid 0",
                         .json = "{}"}};
    });
    const auto rows = manager().History({{"kind", variant(std::string{"fake"})}}, 0);
    ASSERT_THAT(rows, SizeIs(1));
    const auto& [sequence, at, type, ghost, kind, grade, summary, verdict, reason, actor] = rows[0];
    EXPECT_EQ(sequence, 7);
    EXPECT_EQ(at, 5U);
    EXPECT_EQ(type + kind + grade + summary, "actedfakeprovenit");
    EXPECT_EQ(ghost, 3U);
    EXPECT_EQ(verdict + reason + actor, "cleaneddoneuid 0");
    EXPECT_THAT(manager().History({{"kind", variant(std::string{"tcp"})}}, 0), IsEmpty());
}

TEST_F(ManagerTest, ListsTheQuarantine) {
    with_control([](FakeControl& control) {
        control.quarantined = {
            {.ghost = 3, .kind = "fake", .since = WallTime{5us}, .path = "/run/a\xFF", .size = 7},
            {.ghost = 4, .kind = "fake", .since = WallTime{6us}, .path = "/run/b", .type = FileType::link}};
    });
    const auto [total, files] = manager().ListQuarantine(0, 0);
    EXPECT_EQ(total, 2U);
    ASSERT_THAT(files, SizeIs(2));
    const auto& [ghost, kind, since, path, type, size] = files[0];
    EXPECT_EQ(ghost, 3U);
    EXPECT_EQ(kind + path + type, "fake/run/a\\xfffile");
    EXPECT_EQ(since, 5U);
    EXPECT_EQ(size, 7U);
    EXPECT_THAT(std::get<1>(manager().ListQuarantine(1, 1)), SizeIs(1));
    with_control([](FakeControl& control) {
        control.failure = Error{ErrorCode::io, "no file"};
    });
    EXPECT_EQ(error_of([this] {
                  (void)manager().ListQuarantine(0, 0);
              }).getName(),
              "org.eghostbuster1.Error.Failed");
}

// ---- who owns a file
// -------------------------------------------------------------------------------------------

class WhoOwnsTest : public ManagerTest {
protected:
    WhoOwnsTest() { own(file_); }

    void own(const std::filesystem::path& path) {
        struct stat status{};
        ASSERT_EQ(::lstat(path.c_str(), &status), 0);
        with_control([&status](FakeControl& control) {
            control.owned = FileNumbers{.device = status.st_dev, .inode = status.st_ino};
            control.holders = held_by({.pid = 7, .uid = 8, .comm = "vi", .exe = "/usr/bin/vi"}, 4);
        });
    }

    static std::vector<std::string> names(const auto& owners) {
        std::vector<std::string> names;
        names.reserve(owners.size());
        for (const auto& owner : owners) {
            names.push_back(owner.template get<2>());
        }
        return names;
    }

    TempFolder folder_;
    std::filesystem::path file_{folder_.write("it.lock", "")};
};

TEST_F(WhoOwnsTest, AnswersForADescriptorAndLeavesOutTheDaemon) {
    Client user{bus_, nobody};
    const sdbus::UnixFd fd{::open(file_.c_str(), O_RDONLY | O_CLOEXEC), sdbus::adopt_fd};
    const auto owners = user.manager().WhoOwns(fd);
    ASSERT_THAT(owners, SizeIs(1));
    const auto& [pid, uid, comm, exe, unit, container, descriptor] = owners[0];
    EXPECT_EQ(pid, 7);
    EXPECT_EQ(uid, 8U);
    EXPECT_EQ(comm + exe + unit + container, "vi/usr/bin/viapp.service");
    EXPECT_EQ(descriptor, 4);
}

TEST_F(WhoOwnsTest, TakesNoDescriptorThatProvesNothing) {
    const sdbus::UnixFd fd{::open(file_.c_str(), O_PATH | O_CLOEXEC), sdbus::adopt_fd};
    const auto error = error_of([&] {
        (void)manager().WhoOwns(fd);
    });
    EXPECT_EQ(error.getName(), refused);
    EXPECT_THAT(error.getMessage(), HasSubstr("O_PATH"));
    EXPECT_THAT(served_.acts(), IsEmpty());
}

TEST_F(WhoOwnsTest, AnswersForNoDevice) {
    EXPECT_EQ(error_name_of([this] {
                  (void)manager().WhoOwnsPath("/dev/null");
              }),
              refused);
    const sdbus::UnixFd fd{::open("/dev/null", O_RDONLY | O_CLOEXEC), sdbus::adopt_fd};
    EXPECT_EQ(error_name_of([&] {
                  (void)manager().WhoOwns(fd);
              }),
              refused);
    EXPECT_THAT(served_.acts(), IsEmpty());
}

TEST_F(WhoOwnsTest, AnswersForAPath) {
    EXPECT_THAT(names(manager().WhoOwnsPath(file_)), ElementsAre("vi"));
}

TEST_F(WhoOwnsTest, SaysWhoseAFileIsUnderTheSameRules) {
    Client user{bus_, nobody};
    const sdbus::UnixFd readable{::open(file_.c_str(), O_RDONLY | O_CLOEXEC), sdbus::adopt_fd};
    EXPECT_EQ(user.manager().Owners(readable), R"({"holders":1,"comm":"\xff"})");
    EXPECT_EQ(manager().OwnersOfPath(file_), R"({"holders":1,"comm":"\xff"})");
    const auto seen = served_.acts();
    const sdbus::UnixFd name{::open(file_.c_str(), O_PATH | O_CLOEXEC), sdbus::adopt_fd};
    const auto error = error_of([&] {
        (void)manager().Owners(name);
    });
    EXPECT_EQ(error.getName(), refused);
    EXPECT_THAT(error.getMessage(), HasSubstr("O_PATH"));
    const sdbus::UnixFd device{::open("/dev/null", O_RDONLY | O_CLOEXEC), sdbus::adopt_fd};
    EXPECT_EQ(error_name_of([&] {
                  (void)manager().Owners(device);
              }),
              refused);
    EXPECT_EQ(error_name_of([this] {
                  (void)manager().OwnersOfPath("/dev/null");
              }),
              refused);
    EXPECT_EQ(error_name_of([this] {
                  (void)manager().OwnersOfPath(folder_.path() / "none");
              }),
              no_such_file);
    EXPECT_EQ(error_name_of([this] {
                  (void)manager().OwnersOfPath("it.lock");
              }),
              bad_option);
    EXPECT_EQ(served_.acts(), seen);
}

TEST_F(WhoOwnsTest, AnswersForALinkAndNotForWhatItLeadsTo) {
    const auto link = folder_.path() / "link.lock";
    std::filesystem::create_symlink("nowhere-12345", link);
    EXPECT_THAT(manager().WhoOwnsPath(link), IsEmpty());
    own(link);
    EXPECT_THAT(names(manager().WhoOwnsPath(link)), ElementsAre("vi"));
}

TEST_F(WhoOwnsTest, SaysWhatIsWrongWithAPath) {
    EXPECT_EQ(error_name_of([this] {
                  (void)manager().WhoOwnsPath(folder_.path() / "none");
              }),
              no_such_file);
    EXPECT_EQ(error_name_of([this] {
                  (void)manager().WhoOwnsPath("it.lock");
              }),
              bad_option);
    EXPECT_EQ(error_name_of([this] {
                  (void)manager().WhoOwnsPath("/" + std::string(5'000, 'x'));
              }),
              bad_option);
    EXPECT_THAT(served_.acts(), IsEmpty());
}

TEST_F(WhoOwnsTest, KeepsAnsweringWhileALookupIsUnderWay) {
    for (int round = 0; round < 20; ++round) {
        EXPECT_THAT(manager().WhoOwnsPath(file_), SizeIs(1));
        EXPECT_EQ(manager().Version(), "1.2.3");
    }
}

// ---- properties
// ------------------------------------------------------------------------------------------------

TEST_F(ManagerTest, ShowsItsProperties) {
    Client user{bus_, nobody};
    EXPECT_EQ(user.manager().Version(), "1.2.3");
    EXPECT_EQ(user.manager().Started(), 1'700'000'000'000'000U);
    EXPECT_THAT(user.manager().Kinds(), ElementsAre("fake", "fake-report"));
    EXPECT_THAT(user.manager().Capabilities(), SizeIs(2));
    EXPECT_EQ(user.property(kind_path, kind_interface, "Reach").get<std::string>(), "cleans");
    EXPECT_EQ(
        user.property("/org/eghostbuster1/kind/fake_2dreport", kind_interface, "Reach").get<std::string>(),
        "reports");
}

TEST_F(ManagerTest, ShowsTheTablesOfAKind) {
    using Row = sdbus::Struct<std::string, std::string, std::string, std::string>;
    const auto options = root_.property(kind_path, kind_interface, "OptionTable").get<std::vector<Row>>();
    std::map<std::string, std::string> types;
    for (const auto& [name, type, preset, help] : options) {
        types.emplace(name, type);
    }
    EXPECT_EQ(types.at("Enabled"), "flag");
    EXPECT_EQ(types.at("Grace"), "span");
    EXPECT_EQ(types.at("Clean"), "choice:never,proven,suspected");
    EXPECT_THAT(root_.property(kind_path, kind_interface, "EvidenceTable").get<std::vector<Row>>(),
                SizeIs(3));
}

TEST_F(ManagerTest, TellsTroublesOfItselfAndOfItsKinds) {
    with_control([](FakeControl& control) {
        control.manager.state_trouble = "the disk is full";
        control.kinds.at("fake").trouble = "events were lost";
    });
    EXPECT_THAT(manager().Troubles(), ElementsAre("the disk is full", "fake: events were lost"));
}

TEST_F(ManagerTest, TellsWhatHasChangedAndNothingElse) {
    ChangedProperties of_manager{root_.connection(), manager_path, manager_interface};
    ChangedProperties of_kind{root_.connection(), kind_path, kind_interface};
    const ChangedProperties of_other{root_.connection(), "/org/eghostbuster1/kind/fake_2dreport",
                                     kind_interface};
    const auto publish = [this](const std::function<void(FakeControl&)>& change) {
        served_.on_loop([&] {
            change(served_.control());
            served_.bus().publish();
        });
        root_.catch_up();
    };

    publish([](FakeControl&) {});
    EXPECT_EQ(of_manager.size() + of_kind.size() + of_other.size(), 0U);

    publish([](FakeControl& control) {
        control.manager.ghosts = 5;
        control.kinds.at("fake").proven = 5;
        control.kinds.at("fake").tracked = 77;
    });
    const auto changed = of_manager.take();
    ASSERT_THAT(changed, SizeIs(1));
    EXPECT_EQ(changed.at("Ghosts").get<std::uint64_t>(), 5U);
    const auto changed_in_kind = of_kind.take();
    ASSERT_THAT(changed_in_kind, SizeIs(1));
    EXPECT_EQ(changed_in_kind.at("Proven").get<std::uint64_t>(), 5U);
    EXPECT_EQ(of_other.size(), 0U);

    publish([](FakeControl& control) {
        control.manager.paused = true;
        control.kinds.at("fake").trouble = "events were lost";
        control.kinds.at("fake").policy.veto = 7s;
    });
    EXPECT_THAT(of_manager.take(), UnorderedElementsAre(testing::Key("Paused"), testing::Key("Troubles")));
    EXPECT_THAT(of_kind.take(), UnorderedElementsAre(testing::Key("Trouble"), testing::Key("VetoUSec")));

    publish([](FakeControl&) {});
    EXPECT_EQ(of_manager.size() + of_kind.size(), 0U);
}

// ---- the log, and the rules of the bus
// -------------------------------------------------------------------------

TEST_F(ManagerTest, LetsRootSetTheLogLevelAndNobodyElse) {
    Client user{bus_, nobody};
    const auto set_by = [](Client& client, const char* level) {
        return error_name_of([&] {
            client.set_property(log_control_path, log_control_interface, "LogLevel",
                                variant(std::string{level}));
        });
    };
    EXPECT_EQ(set_by(user, "debug"), access_denied);
    EXPECT_EQ(set_by(root_, "debug"), "");
    EXPECT_EQ(set_by(root_, "loud"), invalid_args);
    const auto level = user.property(log_control_path, log_control_interface, "LogLevel");
    EXPECT_EQ(level.get<std::string>(), "debug");
}

TEST_F(ManagerTest, LetsNobodyTakeItsName) {
    Client user{bus_, nobody};
    EXPECT_LT(sd_bus_request_name(user.raw(), "org.eghostbuster1", SD_BUS_NAME_REPLACE_EXISTING), 0);
}

TEST_F(ManagerTest, IsOneOnABus) {
    try {
        const ServedBus second{bus_};
        ADD_FAILURE() << "two of them have the name";
    } catch (const std::runtime_error& error) {
        EXPECT_THAT(error.what(), HasSubstr("another eghostbusterd"));
    }
}

TEST_F(ManagerTest, KnowsWhenTheBusIsGone) {
    EXPECT_FALSE(served_.lost());
    bus_.kill();
    EXPECT_TRUE(eventually([this] {
        return served_.lost();
    }));
    // What is still told has no listener, and does no harm.
    served_.on_loop([this] {
        served_.control().manager.ghosts = 99;
        served_.bus().publish();
    });
}

TEST(BusWithoutABus, SaysWhereItLooked) {
    loop::EventLoop loop;
    loop::WorkerPool workers{loop, 1};
    try {
        const bus::Bus bus{loop, workers, "unix:path=/nonexistent/bus", [] {}};
        ADD_FAILURE() << "connected to nothing";
    } catch (const std::runtime_error& error) {
        EXPECT_THAT(error.what(), HasSubstr("/nonexistent/bus"));
    }
}

} // namespace
} // namespace egb::test
