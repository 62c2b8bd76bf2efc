// SPDX-License-Identifier: Apache-2.0
#include "client.hpp"

#include "client_impl.hpp"
#include "core/format.hpp"
#include "properties.hpp"

#include <nlohmann/json.hpp>
#include <systemd/sd-event.h>

#include <csignal>
#include <memory>
#include <string_view>
#include <system_error>

namespace egb::cli {

namespace {

constexpr const char* kind_interface = "org.eghostbuster1.Kind";

struct UnrefEvent {
    void operator()(sd_event* event) const { sd_event_unref(event); }
};

using OnEvent = std::function<void(const Event&)>;

Event event_of(EventType type) {
    Event event;
    event.type = type;
    return event;
}

Event ghost_event(EventType type, GhostId id, const std::string& kind, std::uint32_t more) {
    auto event = event_of(type);
    event.id = id;
    event.kind = kind;
    event.more = more;
    return event;
}

/// The four signals.
class WatchedManager final : public ManagerProxy {
public:
    WatchedManager(sdbus::IConnection& connection, OnEvent on_event)
        : ManagerProxy{connection}, on_event_{std::move(on_event)} {
        registerProxy();
    }
    ~WatchedManager() override { unregisterProxy(); }
    WatchedManager(const WatchedManager&) = delete;
    WatchedManager& operator=(const WatchedManager&) = delete;

private:
    void onGhostAppeared(const std::uint64_t& id, const std::string& kind, const std::string& grade,
                         const std::string& summary, const std::uint32_t& more) override {
        auto event = ghost_event(EventType::appeared, id, kind, more);
        event.grade = grade;
        event.summary = summary;
        on_event_(event);
    }
    void onActionPending(const std::uint64_t& id, const std::string& kind, const std::string& summary,
                         const std::uint64_t& usec, const std::uint32_t& more) override {
        auto event = ghost_event(EventType::pending, id, kind, more);
        event.summary = summary;
        event.until_act = span_of(usec);
        on_event_(event);
    }
    void onGhostCleaned(const std::uint64_t& id, const std::string& kind, const std::string& verdict,
                        const std::string& reason, const std::uint32_t& more) override {
        auto event = ghost_event(EventType::cleaned, id, kind, more);
        event.verdict = verdict;
        event.reason = reason;
        on_event_(event);
    }
    void onGhostVanished(const std::uint64_t& id, const std::string& kind, const std::string& reason,
                         const std::uint32_t& more) override {
        auto event = ghost_event(EventType::vanished, id, kind, more);
        event.reason = reason;
        on_event_(event);
    }

    OnEvent on_event_;
};

/// One match for the manager and every kind, those of a daemon that starts later too.
Event changed_event(sdbus::Message& message) {
    std::string interface;
    Properties changed;
    std::vector<std::string> invalidated;
    message >> interface >> changed >> invalidated;

    auto event = event_of(EventType::changed);
    auto properties = Json::object();
    const std::string_view path = message.getPath();
    if (interface == kind_interface && path.starts_with(kind_path)) {
        event.kind = path.substr(std::string_view{kind_path}.size());
    }
    for (const auto& [name, value] : changed) {
        properties[name] = json_of(value);
    }
    for (const auto& name : invalidated) {
        properties[name] = nullptr;
    }
    event.properties = std::make_shared<const Json>(std::move(properties));
    return event;
}

Event owner_event(sdbus::Message& message) {
    std::string name;
    std::string before;
    std::string after;
    message >> name >> before >> after;
    return event_of(after.empty() ? EventType::stopped : EventType::started);
}

Failure no_loop(int negative_errno) {
    return {ExitCode::partly,
            formatted("No event loop: {}.", std::generic_category().message(-negative_errno)),
            {}};
}

} // namespace

Answer<> Client::watch(const std::function<Flow(const Event&)>& on_event) {
    sd_event* raw{};
    if (const int error = sd_event_new(&raw); error < 0) {
        return std::unexpected(no_loop(error));
    }
    const std::unique_ptr<sd_event, UnrefEvent> loop{raw};
    if (const int error = sd_event_set_signal_exit(raw, 1); error < 0) {
        return std::unexpected(no_loop(error));
    }
    const OnEvent tell = [&on_event, raw](const Event& event) {
        if (on_event(event) == Flow::stop) {
            sd_event_exit(raw, 0);
        }
    };

    auto& connection = impl_->connection();
    const auto outcome = impl_->ask([&]() -> int {
        const WatchedManager manager{connection, tell};
        const auto properties = connection.addMatch(
            formatted("type='signal',sender='{}',interface='org.freedesktop.DBus.Properties',"
                      "member='PropertiesChanged',path_namespace='{}'",
                      service_name, manager_path),
            [&tell](sdbus::Message message) {
                tell(changed_event(message));
            },
            sdbus::return_slot);
        const auto owners = connection.addMatch(
            formatted("type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
                      "member='NameOwnerChanged',arg0='{}'",
                      service_name),
            [&tell](sdbus::Message message) {
                tell(owner_event(message));
            },
            sdbus::return_slot);
        sd_bus_set_exit_on_disconnect(impl_->bus(), 1);
        connection.attachSdEventLoop(raw);
        tell(event_of(EventType::watching));
        const int ended = sd_event_loop(raw);
        connection.detachSdEventLoop();
        return ended;
    });
    if (!outcome) {
        return std::unexpected(outcome.error());
    }
    if (*outcome != 0) {
        return std::unexpected(no_bus(address(), "it closed the connection"));
    }
    return {};
}

} // namespace egb::cli
