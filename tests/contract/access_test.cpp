// SPDX-License-Identifier: Apache-2.0
// Who may do what, seen from outside: every protected method without the right, with it, and with everything
// in between that a polkit can be.
#include "bus/access.hpp"
#include "contract/client.hpp"
#include "contract/interface_xml.hpp"
#include "contract/mock_polkit.hpp"
#include "contract/served_bus.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace egb::test {
namespace {

using Mood = MockPolkit::Mood;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr const char* access_denied = "org.freedesktop.DBus.Error.AccessDenied";
constexpr const char* interaction_required = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired";
constexpr const char* limits_exceeded = "org.freedesktop.DBus.Error.LimitsExceeded";
constexpr const char* unknown_method = "org.freedesktop.DBus.Error.UnknownMethod";

/// A protected method, and a call of it that would change something.
struct Protected {
    std::string method;
    void (*call)(ManagerClient& manager);
    std::string trace; ///< what the control writes down when it is reached by uid 65534
};

const std::vector<Protected>& protected_methods() {
    static const std::vector<Protected> methods{
        {"WhoOwnsPath",
         [](ManagerClient& manager) {
             (void)manager.WhoOwnsPath("/");
         },
         "who-owns"},
        {"OwnersOfPath",
         [](ManagerClient& manager) {
             (void)manager.OwnersOfPath("/");
         },
         "who-owns"},
        {"Clean",
         [](ManagerClient& manager) {
             (void)manager.Clean({1}, {});
         },
         "clean 1 proven uid 65534"},
        {"Hold",
         [](ManagerClient& manager) {
             manager.Hold({1}, 5'000'000);
         },
         "hold 1 5000000000ns"},
        {"Ignore",
         [](ManagerClient& manager) {
             manager.Ignore({1}, 5'000'000);
         },
         "ignore 1 5000000000ns"},
        {"Restore",
         [](ManagerClient& manager) {
             (void)manager.Restore(1);
         },
         "restore 1"},
        {"Scan",
         [](ManagerClient& manager) {
             (void)manager.Scan({"fake"});
         },
         "scan 1"},
        {"Watch",
         [](ManagerClient& manager) {
             (void)manager.Watch("process", {{"comm", sdbus::Variant{"sshd"}}});
         },
         "watch sshd uid 65534"},
        {"SetPolicy",
         [](ManagerClient& manager) {
             manager.SetPolicy("fake", {{"Clean", sdbus::Variant{"never"}}}, true);
         },
         "set-policy fake for ever Clean=never"},
        {"Pause",
         [](ManagerClient& manager) {
             manager.Pause(true);
         },
         "pause true"},
        {"Reload",
         [](ManagerClient& manager) {
             manager.Reload();
         },
         "reload"},
    };
    return methods;
}

TEST(ProtectedMethods, AreAllTestedHere) {
    std::set<std::string> tested;
    for (const auto& method : protected_methods()) {
        tested.insert(method.method);
    }
    std::set<std::string> listed;
    for (const auto& rule : bus::rules()) {
        if (!rule.action.empty()) {
            listed.emplace(rule.method);
        }
    }
    EXPECT_EQ(tested, listed);
}

class Access : public testing::Test {
protected:
    Access() {
        served_.on_loop([this] {
            served_.control().add_ghosts(3);
        });
    }

    MockPolkit& polkit(Mood mood) { return polkit_.emplace(bus_, mood); }

    PrivateBus bus_;
    ServedBus served_{bus_};
    std::optional<MockPolkit> polkit_;
    Client user_{bus_, nobody};
};

class AccessToEach : public Access, public testing::WithParamInterface<Protected> {
protected:
    std::string call(Client& client) {
        return error_name_of([&] {
            GetParam().call(client.manager());
        });
    }
};

INSTANTIATE_TEST_SUITE_P(Methods, AccessToEach, testing::ValuesIn(protected_methods()),
                         [](const auto& method) {
                             return method.param.method;
                         });

TEST_P(AccessToEach, IsDeniedWithoutTheRightAndChangesNothing) {
    polkit(Mood::deny);
    EXPECT_EQ(call(user_), access_denied);
    EXPECT_THAT(served_.acts(), IsEmpty());
}

TEST_P(AccessToEach, IsDeniedWithoutPolkitAndSaysSo) {
    const auto error = error_of([this] {
        GetParam().call(user_.manager());
    });
    EXPECT_EQ(error.getName(), access_denied);
    EXPECT_THAT(error.getMessage(), HasSubstr("needs polkit"));
    EXPECT_THAT(served_.acts(), IsEmpty());
}

TEST_P(AccessToEach, IsGivenWithTheRight) {
    polkit(Mood::allow);
    EXPECT_EQ(call(user_), "");
    EXPECT_THAT(served_.acts(), ElementsAre(GetParam().trace));
}

TEST_P(AccessToEach, IsGivenToRootWithoutAQuestion) {
    const auto& polkit_of_root = polkit(Mood::deny);
    Client root{bus_};
    EXPECT_EQ(call(root), "");
    EXPECT_THAT(served_.acts(), Not(IsEmpty()));
    EXPECT_THAT(polkit_of_root.questions(), IsEmpty());
}

TEST_P(AccessToEach, AsksForTheActionOfTheTableOnBehalfOfTheCaller) {
    const auto& asked = polkit(Mood::allow);
    ASSERT_EQ(call(user_), "");
    ASSERT_THAT(asked.questions(), SizeIs(1));
    const auto question = asked.questions().front();
    const auto rule = std::ranges::find(bus::rules(), GetParam().method, &bus::Rule::method);
    EXPECT_EQ(question.action, rule->action);
    EXPECT_EQ(question.subject, user_.connection().getUniqueName());
    EXPECT_EQ(question.flags, 0U);
}

TEST_P(AccessToEach, TellsPolkitAllThatItsPromptMentions) {
    const auto& asked = polkit(Mood::allow);
    ASSERT_EQ(call(user_), "");
    const auto question = asked.questions().at(0);
    const auto policy = parse_xml(read_file(EGB_DBUS_FOLDER "/org.eghostbuster1.policy"));
    const auto actions = policy.all("action");
    const auto action = std::ranges::find_if(actions, [&](const Element* element) {
        return element->attribute("id") == question.action;
    });
    ASSERT_NE(action, actions.end());
    const auto message = (*action)->the("message").text;
    const std::regex mention{R"(\$\((\w+)\))"};
    for (std::sregex_iterator match{message.begin(), message.end(), mention}, end; match != end; ++match) {
        EXPECT_THAT(question.details, Contains(testing::Key((*match)[1].str()))) << message;
    }
}

TEST_F(Access, LetsPolkitAskSomebodyOnlyWhenTheCallerAllowsIt) {
    const auto& asked = polkit(Mood::allow);
    user_.allow_interaction();
    user_.manager().Reload();
    EXPECT_EQ(asked.questions().at(0).flags, 1U);
}

TEST_F(Access, SaysThatAPasswordWouldHelp) {
    polkit(Mood::challenge);
    const auto error = error_of([this] {
        user_.manager().Reload();
    });
    EXPECT_EQ(error.getName(), interaction_required);
    EXPECT_THAT(error.getMessage(), HasSubstr("org.eghostbuster1.reload"));
    EXPECT_THAT(served_.acts(), IsEmpty());
}

TEST_F(Access, IsDeniedWhenTheDialogueIsClosed) {
    polkit(Mood::dismissed);
    const auto error = error_of([this] {
        user_.manager().Reload();
    });
    EXPECT_EQ(error.getName(), access_denied);
    EXPECT_THAT(error.getMessage(), HasSubstr("dismissed"));
    EXPECT_THAT(served_.acts(), IsEmpty());
}

TEST_F(Access, IsDeniedWhenPolkitDoesNotKnowTheAction) {
    polkit(Mood::fail);
    const auto error = error_of([this] {
        user_.manager().Reload();
    });
    EXPECT_EQ(error.getName(), access_denied);
    EXPECT_THAT(error.getMessage(), HasSubstr("not registered"));
}

TEST_F(Access, AsksNobodyAboutACallThatMakesNoSense) {
    const auto& asked = polkit(Mood::allow);
    auto& manager = user_.manager();
    EXPECT_NE(error_name_of([&] {
                  (void)manager.Clean({}, {});
              }),
              "");
    EXPECT_NE(error_name_of([&] {
                  (void)manager.Clean({1}, {{"force", sdbus::Variant{true}}});
              }),
              "");
    EXPECT_NE(error_name_of([&] {
                  manager.Hold({}, 1);
              }),
              "");
    EXPECT_NE(error_name_of([&] {
                  (void)manager.Scan({"unheard-of"});
              }),
              "");
    EXPECT_NE(error_name_of([&] {
                  (void)manager.WhoOwnsPath("relative");
              }),
              "");
    EXPECT_NE(error_name_of([&] {
                  (void)manager.OwnersOfPath("relative");
              }),
              "");
    EXPECT_NE(error_name_of([&] {
                  (void)manager.Watch("weather", {});
              }),
              "");
    EXPECT_NE(error_name_of([&] {
                  (void)manager.Watch("process", {{"comn", sdbus::Variant{"sshd"}}});
              }),
              "");
    EXPECT_NE(error_name_of([&] {
                  manager.SetPolicy("unheard-of", {}, false);
              }),
              "");
    EXPECT_NE(error_name_of([&] {
                  manager.SetPolicy("fake", {{"Cleen", sdbus::Variant{"never"}}}, false);
              }),
              "");
    EXPECT_THAT(asked.questions(), IsEmpty());
    EXPECT_THAT(served_.acts(), IsEmpty());
}

TEST_F(Access, PromptsAreShortAndClean) {
    const auto& asked = polkit(Mood::deny);
    EXPECT_EQ(error_name_of([this] {
                  (void)user_.manager().WhoOwnsPath("/\x1b[2J" + std::string(3'000, 'x'));
              }),
              access_denied);
    const auto path = asked.questions().at(0).details.at("path");
    EXPECT_LT(path.size(), 300U);
    EXPECT_THAT(path, testing::StartsWith("/\\x1b[2Jxxx"));
    EXPECT_THAT(path, testing::EndsWith("..."));
}

TEST_F(Access, OfOthersDoesNotWaitForAPasswordOfOne) {
    const auto& asked = polkit(Mood::silent);
    auto waiting = sdbus::createProxy(user_.connection(), sdbus::ServiceName{"org.eghostbuster1"},
                                      sdbus::ObjectPath{manager_path});
    std::optional<std::string> answer;
    waiting->callMethodAsync("Reload")
        .onInterface(manager_interface)
        .uponReplyInvoke([&answer](std::optional<sdbus::Error> error) {
            answer = error ? std::string{error->getName()} : "";
        });
    ASSERT_TRUE(asked.wait_for_questions(1));

    Client other{bus_, nobody};
    Client root{bus_};
    const auto begin = std::chrono::steady_clock::now();
    for (int round = 0; round < 50; ++round) {
        EXPECT_EQ(std::get<0>(other.manager().ListGhosts({}, 0, 0)), 3U);
    }
    root.manager().Pause(true);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{5});
    EXPECT_FALSE(answer);

    polkit_->answer_open(true);
    EXPECT_TRUE(user_.wait_until([&answer] {
        return answer.has_value();
    }));
    EXPECT_EQ(answer, "");
    EXPECT_THAT(served_.acts(), ElementsAre("pause true", "reload"));
}

/// Sends calls of Reload and does not wait for their answers.
void send_reloads(Client& client, int count) {
    for (int sent = 0; sent < count; ++sent) {
        ASSERT_GE(sd_bus_call_method_async(
                      client.raw(), nullptr, "org.eghostbuster1", manager_path, manager_interface, "Reload",
                      [](sd_bus_message*, void*, sd_bus_error*) {
                          return 0;
                      },
                      nullptr, ""),
                  0);
    }
    ASSERT_GE(sd_bus_flush(client.raw()), 0);
}

TEST_F(Access, OfACallerWhoLeftIsTakenBack) {
    const auto& asked = polkit(Mood::silent);
    {
        Client leaving{bus_, nobody};
        send_reloads(leaving, 1);
        ASSERT_TRUE(asked.wait_for_questions(1));
    }
    ASSERT_TRUE(asked.wait_for_cancelled(1));
    EXPECT_THAT(asked.cancelled(), ElementsAre(asked.questions().at(0).cancellation_id));
    polkit_->answer_open(true);
    user_.catch_up();
    EXPECT_THAT(served_.acts(), IsEmpty());
}

TEST_F(Access, OneUserCannotTakeAllQuestions) {
    const auto& asked = polkit(Mood::silent);
    send_reloads(user_, 8);
    ASSERT_TRUE(asked.wait_for_questions(8));

    Client same_user{bus_, nobody};
    EXPECT_EQ(error_name_of([&] {
                  same_user.manager().Reload();
              }),
              limits_exceeded);
    EXPECT_THAT(asked.questions(), SizeIs(8));

    Client other_user{bus_, user_daemon};
    send_reloads(other_user, 1);
    EXPECT_TRUE(asked.wait_for_questions(9));
    Client root{bus_};
    root.manager().Reload();
    EXPECT_THAT(served_.acts(), ElementsAre("reload"));
}

TEST_F(Access, OpenMethodsAskNobody) {
    const auto& asked = polkit(Mood::deny);
    auto& manager = user_.manager();
    (void)manager.ListGhosts({}, 0, 0);
    (void)manager.Describe(1);
    (void)manager.Explain(1);
    (void)manager.History({}, 0);
    (void)manager.ListQuarantine(0, 0);
    EXPECT_THAT(asked.questions(), IsEmpty());
}

// ---- the bouncer by itself
// ------------------------------------------------------------------------------------

/// A bouncer at the door of an object that has a method too many, and little patience.
class AtTheDoor : public testing::Test {
protected:
    static constexpr Span little = std::chrono::milliseconds{100};

    AtTheDoor() {
        connection_ = sdbus::createBusConnection(raw_);
        sd_bus_attach_event(raw_, loop_.get(), 0);
        bouncer_.emplace(raw_, bus::Allowance{}, little);
        object_ = sdbus::createObject(*connection_, sdbus::ObjectPath{manager_path});
        object_->addVTable(method("Reload"), method("Describe"), method("Destroy"))
            .forInterface(manager_interface);
        sd_bus_request_name(raw_, "org.eghostbuster1", 0);
        thread_ = std::jthread{[this] {
            loop_.run();
        }};
    }

    void TearDown() override {
        workers_.submit([this]() -> std::function<void()> {
            return [this] {
                loop_.stop(0);
            };
        });
        thread_.join();
    }

    /// Answers once the bouncer has let the caller in, and counts.
    sdbus::MethodVTableItem method(const std::string& name) {
        return sdbus::registerMethod(name).implementedAs([this](sdbus::Result<>&& result) {
            bouncer_->check({},
                            [this, result = std::move(result)](const bus::Bouncer::Verdict& verdict) mutable {
                                if (!verdict) {
                                    result.returnError(verdict.error());
                                    return;
                                }
                                ++let_in_;
                                result.returnResults();
                            });
        });
    }

    sdbus::Error call(const std::string& name) {
        return error_of([&] {
            sdbus::createProxy(client_.connection(), sdbus::ServiceName{"org.eghostbuster1"},
                               sdbus::ObjectPath{manager_path})
                ->callMethod(name)
                .onInterface(manager_interface);
        });
    }

    PrivateBus bus_;
    loop::EventLoop loop_;
    loop::WorkerPool workers_{loop_, 1};
    sd_bus* raw_{bus_.connect(0)};
    std::unique_ptr<sdbus::IConnection> connection_;
    std::optional<bus::Bouncer> bouncer_;
    std::unique_ptr<sdbus::IObject> object_;
    std::atomic<int> let_in_{};
    std::jthread thread_;
    Client client_{bus_, nobody};
};

TEST_F(AtTheDoor, PatienceEnds) {
    const MockPolkit polkit{bus_, Mood::silent};
    const auto error = call("Reload");
    EXPECT_EQ(error.getName(), access_denied);
    EXPECT_THAT(error.getMessage(), HasSubstr("nobody answered"));
    EXPECT_TRUE(polkit.wait_for_cancelled(1));
    EXPECT_EQ(let_in_, 0);
}

TEST_F(AtTheDoor, AMethodThatIsNotListedDoesNotExist) {
    const MockPolkit polkit{bus_, Mood::allow};
    EXPECT_EQ(call("Destroy").getName(), unknown_method);
    EXPECT_EQ(call("Reload").getName(), "");
    EXPECT_EQ(let_in_, 1);
}

TEST_F(AtTheDoor, AMethodThatIsListedAsOpenIsNoQuestionForThisDoor) {
    const MockPolkit polkit{bus_, Mood::allow};
    EXPECT_EQ(call("Describe").getName(), access_denied);
    EXPECT_EQ(let_in_, 0);
}

TEST_F(AtTheDoor, RootIsNotExemptFromTheTable) {
    Client root{bus_};
    const auto error = error_name_of([&] {
        sdbus::createProxy(root.connection(), sdbus::ServiceName{"org.eghostbuster1"},
                           sdbus::ObjectPath{manager_path})
            ->callMethod("Destroy")
            .onInterface(manager_interface);
    });
    EXPECT_EQ(error, unknown_method);
    EXPECT_EQ(let_in_, 0);
}

} // namespace
} // namespace egb::test
