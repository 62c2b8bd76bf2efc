// SPDX-License-Identifier: Apache-2.0
#include "contract/mock_polkit.hpp"

#include "contract/eventually.hpp"

#include <utility>

namespace egb::test {

namespace {

constexpr const char* interface = "org.freedesktop.PolicyKit1.Authority";

} // namespace

MockPolkit::MockPolkit(const PrivateBus& bus, Mood mood)
    : mood_{mood},
      connection_{sdbus::createBusConnection(bus.connect(0))},
      object_{sdbus::createObject(*connection_, sdbus::ObjectPath{"/org/freedesktop/PolicyKit1/Authority"})} {
    object_
        ->addVTable(
            sdbus::registerMethod("CheckAuthorization")
                .implementedAs([this](Reply&& reply, const Subject& subject, const std::string& action,
                                      const Details& details, const std::uint32_t& flags,
                                      const std::string& cancellation_id) {
                    ask(std::move(reply), subject, action, details, flags, cancellation_id);
                }),
            sdbus::registerMethod("CancelCheckAuthorization").implementedAs([this](const std::string& id) {
                cancel(id);
            }))
        .forInterface(interface);
    connection_->requestName(sdbus::ServiceName{"org.freedesktop.PolicyKit1"});
    connection_->enterEventLoopAsync();
}

MockPolkit::~MockPolkit() {
    connection_->leaveEventLoop();
}

void MockPolkit::be(Mood mood) {
    const std::lock_guard lock{mutex_};
    mood_ = mood;
}

void MockPolkit::answer_open(bool authorized) {
    const std::lock_guard lock{mutex_};
    for (const auto& [id, reply] : open_) {
        reply.returnResults(Answer{authorized, false, {}});
    }
    open_.clear();
}

std::vector<MockPolkit::Question> MockPolkit::questions() const {
    const std::lock_guard lock{mutex_};
    return questions_;
}

std::vector<std::string> MockPolkit::cancelled() const {
    const std::lock_guard lock{mutex_};
    return cancelled_;
}

bool MockPolkit::wait_for_questions(std::size_t count) const {
    return eventually([this, count] {
        return questions().size() >= count;
    });
}

bool MockPolkit::wait_for_cancelled(std::size_t count) const {
    return eventually([this, count] {
        return cancelled().size() >= count;
    });
}

void MockPolkit::ask(Reply&& reply, const Subject& subject, const std::string& action, const Details& details,
                     std::uint32_t flags, const std::string& cancellation_id) {
    const std::lock_guard lock{mutex_};
    const auto name =
        subject.get<0>() == "system-bus-name" ? subject.get<1>().at("name").get<std::string>() : "";
    questions_.push_back({name, action, details, flags, cancellation_id});
    switch (mood_) {
    case Mood::allow:
        reply.returnResults(Answer{true, false, {}});
        return;
    case Mood::deny:
        reply.returnResults(Answer{false, false, {}});
        return;
    case Mood::challenge:
        reply.returnResults(Answer{false, true, {}});
        return;
    case Mood::dismissed:
        reply.returnResults(Answer{false, true, {{"polkit.dismissed", "true"}}});
        return;
    case Mood::fail:
        reply.returnError(sdbus::Error{sdbus::Error::Name{"org.freedesktop.PolicyKit1.Error.Failed"},
                                       "Action is not registered"});
        return;
    case Mood::silent:
        open_.emplace(cancellation_id, std::move(reply));
        return;
    }
}

void MockPolkit::cancel(const std::string& id) {
    const std::lock_guard lock{mutex_};
    cancelled_.push_back(id);
    if (const auto question = open_.extract(id); !question.empty()) {
        question.mapped().returnError(
            sdbus::Error{sdbus::Error::Name{"org.freedesktop.PolicyKit1.Error.Cancelled"}, "Cancelled"});
    }
}

} // namespace egb::test
