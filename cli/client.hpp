// SPDX-License-Identifier: Apache-2.0
// The daemon, seen from here: one connection, one method per question. Owned by the Context of a run, one
// thread. Every call blocks until the answer is there or the time is up.
#pragma once

#include "failure.hpp"
#include "model.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace egb::cli {

/// Whether the daemon may have a password asked for.
enum class Asking : std::uint8_t { never, on_terminal };

struct ConnectOptions {
    std::string address;           ///< empty: the system bus
    Span timeout{default_timeout}; ///< of each call
    Asking asking{Asking::never};

    static constexpr Span default_timeout = std::chrono::seconds{25};
    /// A person needs longer than a daemon.
    static constexpr Span password_timeout = std::chrono::minutes{2};
};

enum class EventType : std::uint8_t {
    watching, ///< from here on nothing is missed
    appeared,
    pending,
    cleaned,
    vanished,
    changed, ///< properties of the daemon or of a kind
    started, ///< the daemon
    stopped,
};

/// What `watch` shows.
struct Event {
    EventType type{};
    GhostId id{};
    std::string kind; ///< empty in `changed` for the daemon itself
    std::string grade;
    std::string summary;
    std::string verdict;
    std::string reason;
    Span until_act{};
    std::uint32_t more{};
    std::shared_ptr<const Json> properties; ///< of `changed`: name -> value
};

enum class Flow : std::uint8_t { on, stop };

class Client {
public:
    [[nodiscard]] static Answer<Client> connect(const ConnectOptions& options);
    ~Client();
    Client(Client&& other) noexcept;
    Client& operator=(Client&& other) noexcept;

    [[nodiscard]] const std::string& address() const;

    /// Whether somebody has this name now. Starts nobody.
    [[nodiscard]] Answer<bool> has_owner(const std::string& name);
    /// Whether somebody has this name or would be started for it.
    [[nodiscard]] Answer<bool> can_be_had(const std::string& name);
    /// Fails when the daemon does not run. Every verb begins with this, because a question must not start a
    /// daemon that somebody has stopped.
    [[nodiscard]] Answer<> find_daemon();

    [[nodiscard]] Answer<ManagerView> manager();
    [[nodiscard]] Answer<KindView> kind(const std::string& name);
    /// Fails when systemd is not on this bus; starts it no more than anybody else.
    [[nodiscard]] Answer<UnitView> unit(const std::string& name);

    /// All pages.
    [[nodiscard]] Answer<std::vector<GhostRow>> ghosts(const Filter& filter);
    /// How many there are, without fetching them.
    [[nodiscard]] Answer<std::uint32_t> count(const Filter& filter);
    /// Those that a summary ghost stands for, the first `most`.
    [[nodiscard]] Answer<std::vector<MemberRow>> members(GhostId id, std::size_t most);
    [[nodiscard]] Answer<Json> describe(GhostId id);
    [[nodiscard]] Answer<std::string> explain(GhostId id);
    [[nodiscard]] Answer<std::vector<IncidentRow>> history(const HistoryFilter& filter, std::uint32_t limit);
    /// All pages.
    [[nodiscard]] Answer<std::vector<QuarantinedRow>> quarantine();
    /// Whose the file is: by descriptor where we may open it, by name where only the daemon may. We do not
    /// count.
    [[nodiscard]] Answer<Json> owners(const std::string& path);

    enum class Least : std::uint8_t { proven, suspected };
    [[nodiscard]] Answer<std::vector<OutcomeRow>> clean(const std::vector<GhostId>& ids, Least least);
    [[nodiscard]] Answer<> hold(const std::vector<GhostId>& ids, Span span);
    [[nodiscard]] Answer<> ignore(const std::vector<GhostId>& ids, Span span);
    [[nodiscard]] Answer<std::string> restore(GhostId id);
    [[nodiscard]] Answer<std::uint32_t> scan(const std::vector<std::string>& kinds);

    enum class Lifetime : std::uint8_t { until_reload, persistent };
    /// The values as they would stand in the configuration file.
    [[nodiscard]] Answer<> set_policy(const std::string& kind,
                                      const std::map<std::string, std::string>& values, Lifetime lifetime);
    enum class Acting : std::uint8_t { paused, resumed };
    [[nodiscard]] Answer<> pause(Acting acting);
    [[nodiscard]] Answer<> reload();

    /// Hands over what happens until told to stop, or SIGINT or SIGTERM comes.
    [[nodiscard]] Answer<> watch(const std::function<Flow(const Event&)>& on_event);

    /// What a trace calls.
    struct TraceHooks {
        std::function<void(std::string_view line)> on_line;
        std::function<void()> on_pause;   ///< after all lines that have come at once
        std::function<void()> on_refresh; ///< every second, if there is one
    };

    /// Hands over each line of the process stream, for so long, or until SIGINT or SIGTERM comes.
    [[nodiscard]] Answer<> trace(const TraceFilter& filter, std::optional<Span> span,
                                 const TraceHooks& hooks);

private:
    class Impl;
    explicit Client(std::unique_ptr<Impl> impl);

    std::unique_ptr<Impl> impl_;
};

} // namespace egb::cli
