// SPDX-License-Identifier: Apache-2.0
#include "bus/access.hpp"

#include "bus/errors.hpp"
#include "bus/gate.hpp"
#include "bus/wire.hpp"
#include "core/format.hpp"
#include "core/utf8.hpp"

#include <algorithm>
#include <array>
#include <ranges>
#include <utility>

namespace egb::bus {

namespace {

constexpr std::string_view open;

constexpr std::array<Rule, 19> table{{
    {"ListGhosts", open},
    {"ListMembers", open},
    {"Describe", open, 2},
    {"Explain", open, 2},
    {"History", open, 10},
    {"ListQuarantine", open, 2},
    {"WhoOwns", open, 20},
    {"WhoOwnsPath", "org.eghostbuster1.inspect", 20},
    {"Owners", open, 30},
    {"OwnersOfPath", "org.eghostbuster1.inspect", 30},
    {"Clean", "org.eghostbuster1.clean"},
    {"Hold", "org.eghostbuster1.hold"},
    {"Ignore", "org.eghostbuster1.hold"},
    {"Restore", "org.eghostbuster1.restore"},
    {"Scan", "org.eghostbuster1.scan"},
    {"Watch", "org.eghostbuster1.trace", 5},
    {"SetPolicy", "org.eghostbuster1.set-policy"},
    {"Pause", "org.eghostbuster1.pause"},
    {"Reload", "org.eghostbuster1.reload"},
}};

constexpr const char* polkit_name = "org.freedesktop.PolicyKit1";
constexpr const char* polkit_path = "/org/freedesktop/PolicyKit1/Authority";
constexpr const char* polkit_interface = "org.freedesktop.PolicyKit1.Authority";
constexpr std::uint32_t allow_user_interaction = 1;

/// Questions that polkit may have open for us. The bus lets us have 128 calls open; one user must not be able
/// to take all of them.
constexpr std::size_t most_questions = 64;
constexpr std::size_t most_questions_of_a_user = 8;

/// A prompt is a line, not a page.
constexpr std::size_t longest_detail = 200;

struct MessageUnref {
    void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using MessagePtr = std::unique_ptr<sd_bus_message, MessageUnref>;

/// Connections whose user we remember. A name is never given twice, so what is forgotten is asked again.
constexpr std::size_t most_senders = 1'024;

double cost_of(std::string_view method) {
    const auto* const rule = std::ranges::find(table, method, &Rule::method);
    return rule == table.end() ? 1 : rule->cost;
}

/// Lets nothing out into C.
template <typename Work>
int shielded(Work work) noexcept {
    try {
        return work();
    } catch (const std::exception&) {
        // The call that could not be answered times out at its sender; nothing was done for it.
        return 0;
    }
}

std::string short_line(std::string_view text) {
    return shortened(printable(text), longest_detail);
}

std::string_view text_or_empty(const char* text) {
    return text == nullptr ? "" : text;
}

/// The first failure of several steps in a row.
class Steps {
public:
    void operator()(int result) { first_ = first_ < 0 ? first_ : std::min(result, 0); }
    [[nodiscard]] int result() const { return first_; }

private:
    int first_{};
};

/// CheckAuthorization's answer.
struct Answer {
    bool authorized{};
    bool challenge{};
    bool dismissed{};
};

Result<Answer> read_answer(sd_bus_message* reply) {
    Steps step;
    int authorized{};
    int challenge{};
    bool dismissed{};
    step(sd_bus_message_enter_container(reply, SD_BUS_TYPE_STRUCT, "bba{ss}"));
    step(sd_bus_message_read(reply, "bb", &authorized, &challenge));
    step(sd_bus_message_enter_container(reply, SD_BUS_TYPE_ARRAY, "{ss}"));
    while (step.result() == 0 && sd_bus_message_at_end(reply, 0) == 0) {
        const char* name{};
        const char* value{};
        step(sd_bus_message_read(reply, "{ss}", &name, &value));
        dismissed = dismissed || text_or_empty(name) == "polkit.dismissed";
    }
    if (step.result() < 0) {
        return fail_errno("polkit's answer cannot be read", -step.result());
    }
    return Answer{.authorized = authorized != 0, .challenge = challenge != 0, .dismissed = dismissed};
}

/// Why an answer other than yes is a no, in words that say what to do about it.
sdbus::Error refusal(const Answer& answer, const Rule& rule, std::uint32_t uid) {
    if (answer.dismissed) {
        return access_denied(formatted("authentication for {} was dismissed", rule.action));
    }
    if (answer.challenge) {
        return sdbus::Error{
            sdbus::Error::Name{SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED},
            formatted("{} needs authentication: allow interactive authorisation and have a polkit agent "
                      "running (in a terminal: pkttyagent), or call as root",
                      rule.action)};
    }
    return access_denied(formatted("polkit does not allow {} to uid {}", rule.action, uid));
}

/// Why polkit gave no answer at all.
sdbus::Error no_answer(const sd_bus_error& error, const Rule& rule, Span patience) {
    const auto name = text_or_empty(error.name);
    if (name == SD_BUS_ERROR_SERVICE_UNKNOWN || name == SD_BUS_ERROR_NAME_HAS_NO_OWNER ||
        name.starts_with("org.freedesktop.DBus.Error.Spawn") ||
        name == "org.freedesktop.systemd1.NoSuchUnit") {
        return access_denied(
            formatted("{} needs polkit, which is not there: call as root, or start polkit", rule.action));
    }
    if (name == SD_BUS_ERROR_NO_REPLY) {
        return access_denied(formatted("nobody answered for {} within {} s", rule.action,
                                       std::chrono::ceil<std::chrono::seconds>(patience).count()));
    }
    return access_denied(
        formatted("polkit cannot decide about {}: {}", rule.action, text_or_empty(error.message)));
}

} // namespace

std::span<const Rule> rules() {
    return table;
}

std::string Caller::actor() const {
    return formatted("uid {}", uid);
}

/// One caller at the door.
struct Bouncer::Check {
    Bouncer* bouncer{};
    std::uint64_t number{};
    const Rule* rule{};
    std::string sender;
    std::uint32_t flags{};
    Details details;
    Then then;
    Caller caller;
    bool asked{}; ///< polkit knows of it
    SlotPtr call{};
    SlotPtr departure{};

    [[nodiscard]] std::string cancellation_id() const { return formatted("eghostbuster-{}", number); }
};

/// Somebody on the bus, and whose connection that is once the bus has said so.
struct Bouncer::Sender {
    Bouncer* bouncer{};
    std::string name;
    std::optional<std::uint32_t> uid;
    SlotPtr question{};
};

Bouncer::Bouncer(sd_bus* bus, const Allowance& allowance, Span patience)
    : bus_{bus}, patience_{patience}, budget_{allowance} {
    sd_bus_slot* slot{};
    if (const int added = sd_bus_add_filter(bus_, &slot, on_message, this); added < 0) {
        throw sdbus::createError(-added, "Failed to guard the bus connection");
    }
    gate_.reset(slot);
}

Bouncer::~Bouncer() = default;

int Bouncer::on_message(sd_bus_message* message, void* bouncer, sd_bus_error* /*error*/) {
    if (sd_bus_message_is_method_call(message, nullptr, nullptr) <= 0) {
        return 0;
    }
    return shielded([message, &self = *static_cast<Bouncer*>(bouncer)] {
        const auto error = self.why_not(message);
        if (!error) {
            return 0;
        }
        sd_bus_reply_method_errorf(message, error->getName().c_str(), "%s", error->getMessage().c_str());
        return 1;
    });
}

std::optional<sdbus::Error> Bouncer::why_not(sd_bus_message* call) {
    const Sender& sender = sender_of(call);
    const auto method = text_or_empty(sd_bus_message_get_member(call));
    const auto payer = sender.uid ? Caller{.uid = *sender.uid}.actor() : sender.name;
    if (sender.uid != 0U && !budget_.take(payer, cost_of(method), clock_.now())) {
        return limits_exceeded(formatted("too many calls from {}: wait a second", payer));
    }
    return turn_away(call, sender.uid);
}

const Bouncer::Sender& Bouncer::sender_of(sd_bus_message* call) {
    const auto name = text_or_empty(sd_bus_message_get_sender(call));
    if (const auto known = senders_.find(name); known != senders_.end()) {
        return *known->second;
    }
    if (senders_.size() >= most_senders) {
        senders_.clear();
    }
    auto& sender = *senders_.emplace(name, std::make_unique<Sender>()).first->second;
    sender.bouncer = this;
    sender.name = name;
    sd_bus_slot* slot{};
    // Who cannot be asked about pays for his connection alone, and is not taken for root.
    if (sd_bus_call_method_async(bus_, &slot, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                 "org.freedesktop.DBus", "GetConnectionUnixUser", on_sender_uid, &sender, "s",
                                 sender.name.c_str()) >= 0) {
        sender.question.reset(slot);
    }
    return sender;
}

int Bouncer::on_sender_uid(sd_bus_message* reply, void* sender, sd_bus_error* /*error*/) {
    return shielded([reply, &known = *static_cast<Sender*>(sender)] {
        std::uint32_t uid{};
        if (sd_bus_message_get_error(reply) == nullptr && sd_bus_message_read(reply, "u", &uid) >= 0) {
            Bouncer& bouncer = *known.bouncer;
            known.uid = uid;
            bouncer.budget_.hand_over(known.name, Caller{.uid = uid}.actor(), bouncer.clock_.now());
        }
        return 0;
    });
}

void Bouncer::check(Details details, Then then) {
    sd_bus_message* const call = sd_bus_get_current_message(bus_);
    const auto method = call == nullptr ? "" : text_or_empty(sd_bus_message_get_member(call));
    const auto* const rule = std::ranges::find(table, method, &Rule::method);
    if (rule == table.end() || rule->action.empty()) {
        then(std::unexpected(access_denied(formatted("nobody has said who may call {}", method))));
        return;
    }
    const auto number = ++last_number_;
    auto& check = *checks_.emplace(number, std::make_unique<Check>()).first->second;
    check.bouncer = this;
    check.number = number;
    check.rule = rule;
    check.sender = text_or_empty(sd_bus_message_get_sender(call));
    check.flags = sd_bus_message_get_allow_interactive_authorization(call) > 0 ? allow_user_interaction : 0;
    check.details = std::move(details);
    check.then = std::move(then);
    if (const auto asked = ask_uid(check); !asked) {
        settle(check, std::unexpected(access_denied(asked.error().message)));
    }
}

Result<> Bouncer::ask_uid(Check& check) {
    sd_bus_slot* slot{};
    const int called = sd_bus_call_method_async(bus_, &slot, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                                "org.freedesktop.DBus", "GetConnectionUnixUser", on_uid,
                                                &check, "s", check.sender.c_str());
    if (called < 0) {
        return fail_errno("the bus cannot be asked who is calling", -called);
    }
    check.call.reset(slot);
    return {};
}

int Bouncer::on_uid(sd_bus_message* reply, void* check, sd_bus_error* /*error*/) {
    return shielded([reply, &check = *static_cast<Check*>(check)] {
        std::uint32_t uid{};
        const auto* const error = sd_bus_message_get_error(reply);
        if (error != nullptr || sd_bus_message_read(reply, "u", &uid) < 0) {
            check.bouncer->settle(check,
                                  std::unexpected(access_denied("the bus does not say who is calling")));
        } else {
            check.bouncer->identified(check, uid);
        }
        return 0;
    });
}

bool Bouncer::too_many(std::uint32_t uid) const {
    auto questions = checks_ | std::views::values | std::views::filter([](const auto& check) {
                         return check->asked;
                     });
    const auto of_user = [uid](const auto& check) {
        return check->caller.uid == uid;
    };
    return std::ranges::distance(questions) >= std::ptrdiff_t{most_questions} ||
           std::ranges::count_if(questions, of_user) >= std::ptrdiff_t{most_questions_of_a_user};
}

void Bouncer::identified(Check& check, std::uint32_t uid) {
    check.caller.uid = uid;
    if (uid == 0) {
        settle(check, check.caller);
        return;
    }
    if (too_many(uid)) {
        settle(check, std::unexpected(limits_exceeded(
                          formatted("too many questions for authorisation are open, {} at most for a user: "
                                    "answer or cancel them first",
                                    most_questions_of_a_user))));
        return;
    }
    // In this order: polkit refuses a sender that left before it was asked, and from then on we are watching.
    auto asked = watch(check).and_then([this, &check] {
        return ask_polkit(check);
    });
    if (!asked) {
        settle(check, std::unexpected(access_denied(asked.error().message)));
    }
}

Result<> Bouncer::watch(Check& check) {
    const auto match = formatted("type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                                 "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='{}'",
                                 check.sender);
    sd_bus_slot* slot{};
    const int added = sd_bus_add_match_async(bus_, &slot, match.c_str(), on_gone, on_watching, &check);
    if (added < 0) {
        return fail_errno("the bus does not tell when a caller leaves", -added);
    }
    check.departure.reset(slot);
    return {};
}

int Bouncer::on_watching(sd_bus_message* reply, void* check, sd_bus_error* /*error*/) {
    return shielded([reply, &check = *static_cast<Check*>(check)] {
        if (sd_bus_message_get_error(reply) != nullptr) {
            check.bouncer->cancel(check);
            check.bouncer->settle(
                check, std::unexpected(limits_exceeded("the bus does not tell when a caller leaves")));
        }
        return 0;
    });
}

int Bouncer::on_gone(sd_bus_message* /*signal*/, void* check, sd_bus_error* /*error*/) {
    return shielded([&check = *static_cast<Check*>(check)] {
        Bouncer& bouncer = *check.bouncer;
        bouncer.cancel(check);
        bouncer.checks_.erase(check.number);
        return 0;
    });
}

Result<> Bouncer::ask_polkit(Check& check) {
    Steps step;
    sd_bus_message* fresh{};
    step(sd_bus_message_new_method_call(bus_, &fresh, polkit_name, polkit_path, polkit_interface,
                                        "CheckAuthorization"));
    const MessagePtr question{fresh};
    if (question) {
        step(sd_bus_message_append(fresh, "(sa{sv})s", "system-bus-name", 1, "name", "s",
                                   check.sender.c_str(), std::string{check.rule->action}.c_str()));
        step(sd_bus_message_open_container(fresh, SD_BUS_TYPE_ARRAY, "{ss}"));
        for (const auto& [name, value] : check.details) {
            step(sd_bus_message_append(fresh, "{ss}", name.c_str(), short_line(value).c_str()));
        }
        step(sd_bus_message_close_container(fresh));
        step(sd_bus_message_append(fresh, "us", check.flags, check.cancellation_id().c_str()));
    }
    sd_bus_slot* slot{};
    if (step.result() == 0) {
        const auto usec = std::chrono::ceil<std::chrono::microseconds>(patience_).count();
        step(sd_bus_call_async(bus_, &slot, fresh, on_answer, &check, static_cast<std::uint64_t>(usec)));
    }
    if (step.result() < 0) {
        return fail_errno("polkit cannot be asked", -step.result());
    }
    check.call.reset(slot);
    check.asked = true;
    return {};
}

int Bouncer::on_answer(sd_bus_message* reply, void* check, sd_bus_error* /*error*/) {
    return shielded([reply, &check = *static_cast<Check*>(check)] {
        Bouncer& bouncer = *check.bouncer;
        if (const auto* const error = sd_bus_message_get_error(reply); error != nullptr) {
            if (text_or_empty(error->name) == SD_BUS_ERROR_NO_REPLY) {
                bouncer.cancel(check);
            }
            bouncer.settle(check, std::unexpected(no_answer(*error, *check.rule, bouncer.patience_)));
            return 0;
        }
        const auto answer = read_answer(reply);
        if (!answer) {
            bouncer.settle(check, std::unexpected(access_denied(answer.error().message)));
        } else if (!answer->authorized) {
            bouncer.settle(check, std::unexpected(refusal(*answer, *check.rule, check.caller.uid)));
        } else {
            bouncer.settle(check, check.caller);
        }
        return 0;
    });
}

/// Takes a dialogue that nobody waits for off the screen. polkit ignores what it no longer knows.
void Bouncer::cancel(const Check& check) {
    if (check.asked) {
        sd_bus_call_method_async(bus_, nullptr, polkit_name, polkit_path, polkit_interface,
                                 "CancelCheckAuthorization", nullptr, nullptr, "s",
                                 check.cancellation_id().c_str());
    }
}

void Bouncer::settle(Check& check, const Verdict& verdict) {
    // `verdict` may be part of the check, and `then` may begin another.
    const auto node = checks_.extract(check.number);
    const auto last = verdict;
    node.mapped()->then(last);
}

} // namespace egb::bus
