// SPDX-License-Identifier: Apache-2.0
#include "kinds/tcp/cleaner.hpp"

#include "core/format.hpp"
#include "kinds/tcp/record.hpp"

#include <array>
#include <ranges>
#include <utility>

namespace egb::tcp {

namespace {

std::string still_open(const Ghost& ghost) {
    if (ghost.holders.empty()) {
        return {};
    }
    const Holder& holder = ghost.holders.front();
    return formatted("; {} (pid {}) still has descriptor {} open, and reads an error from it",
                     holder.process->comm, holder.process->id.pid, holder.fd);
}

Outcome one_at_a_time() {
    return {.verdict = Verdict::refused, .reason = "another unit is being seen to"};
}

} // namespace

host::SocketTarget target_of(const egb_tcp_socket& record) {
    return {.cookie = record.cookie,
            .netns = record.netns,
            .state = record.state,
            .family = record.family,
            .local = std::to_array(record.local),
            .remote = std::to_array(record.remote),
            .local_port = record.local_port,
            .remote_port = record.remote_port,
            .bytes_sent = record.bytes_sent,
            .bytes_acked = record.bytes_acked,
            .bytes_received = record.bytes_received,
            .receive_queue = record.receive_queue,
            .send_queue = record.send_queue,
            .first_sequence = record.first_sequence,
            .holders = {}};
}

/// The last look is taken by the kernel side, under the socket's lock; here is only what the tracker knows.
Result<> TcpCleaner::confirm(const Ghost& ghost) {
    const auto* record = tracker_.find(ghost.key);
    if (record == nullptr) {
        return tracker_.leaking_owner(ghost.key)
                   ? Result<>{}
                   : fail(ErrorCode::not_found, "the socket has left its state");
    }
    if (!tracker_.is_told(record->cookie)) {
        return fail(ErrorCode::changed, "it is not what was judged any more");
    }
    return {};
}

std::vector<host::SocketTarget> TcpCleaner::targets_of(std::span<const GhostPtr> ghosts) const {
    std::vector<host::SocketTarget> targets;
    targets.reserve(ghosts.size());
    for (const GhostPtr& ghost : ghosts) {
        const auto* record = tracker_.find(ghost->key);
        targets.push_back(record ? target_of(*record) : host::SocketTarget{});
        targets.back().holders = {ghost, &ghost->holders};
    }
    return targets;
}

/// Sockets go together, a unit by itself: the loop waits for systemd's answer.
std::vector<Outcome> TcpCleaner::clean(std::span<const GhostPtr> ghosts) {
    const auto is_socket = [this](const GhostPtr& ghost) {
        return tracker_.leaking_owner(ghost->key) == nullptr;
    };
    if (std::ranges::all_of(ghosts, is_socket)) {
        return end_sockets(ghosts);
    }
    const auto sockets = ghosts | std::views::filter(is_socket) | std::ranges::to<std::vector>();
    auto ended = end_sockets(sockets);
    auto next = ended.begin();
    bool asked = false;
    std::vector<Outcome> outcomes;
    for (const GhostPtr& ghost : ghosts) {
        if (is_socket(ghost)) {
            outcomes.push_back(std::move(*next++));
        } else {
            outcomes.push_back(std::exchange(asked, true) ? one_at_a_time() : see_to_unit(*ghost));
        }
    }
    return outcomes;
}

/// What comes of it is told by the tracker: the sockets of a process that has ended are no more.
Outcome TcpCleaner::see_to_unit(const Ghost& ghost) {
    const ProcessPtr owner = tracker_.leaking_owner(ghost.key);
    if (!remedy_) {
        return {.verdict = Verdict::refused, .reason = "LeakUnit=no"};
    }
    if (const auto as_judged = look_at_descriptors(*owner); !as_judged) {
        return failure(ghost, as_judged.error());
    }
    const auto asked = surroundings_.sys.ask_unit(
        {.unit = owner->unit, .process = owner->id, .every = remedy_->every}, remedy_->act);
    unit_refusal_ = asked ? "" : asked.error().message;
    if (!asked) {
        return failure(ghost, asked.error());
    }
    tracker_.note_unit_asked(*owner, surroundings_.clock.now());
    return {.verdict = Verdict::asked,
            .reason = formatted("systemd was asked to {} {}",
                                remedy_->act == host::UnitAct::reload ? "reload" : "restart", owner->unit)};
}

/// None of them has been closed since it was judged.
Result<> TcpCleaner::look_at_descriptors(const Process& owner) const {
    const auto use = surroundings_.procfs.descriptors(owner.id.pid);
    if (!use || use->start_ticks != owner.id.start_ticks) {
        return fail(ErrorCode::not_found, "its process has ended");
    }
    if (use->open < tracker_.open_files_of(owner).value_or(UINT64_MAX)) {
        return fail(ErrorCode::changed, "it has closed some of its descriptors");
    }
    return {};
}

std::vector<Outcome> TcpCleaner::end_sockets(std::span<const GhostPtr> ghosts) {
    if (!means_.destroy) {
        return ask(ghosts);
    }
    const auto results = surroundings_.sys.destroy_sockets(targets_of(ghosts));
    std::vector<Outcome> outcomes;
    outcomes.reserve(ghosts.size());
    for (std::size_t at = 0; at < ghosts.size(); ++at) {
        outcomes.push_back(
            results[at] ? Outcome{.verdict = Verdict::cleaned,
                                  .reason = "the kernel has ended the connection" + still_open(*ghosts[at])}
                        : failure(*ghosts[at], results[at].error()));
    }
    return outcomes;
}

std::vector<Outcome> TcpCleaner::ask(std::span<const GhostPtr> ghosts) {
    const auto targets = targets_of(ghosts);
    const auto results = surroundings_.sys.nudge_sockets(targets, timing_);
    std::vector<Outcome> outcomes;
    outcomes.reserve(ghosts.size());
    for (std::size_t at = 0; at < ghosts.size(); ++at) {
        if (!results[at]) {
            outcomes.push_back(failure(*ghosts[at], results[at].error()));
            continue;
        }
        asked_ = true;
        note(EGB_TCP_ASKED, targets[at].cookie);
        outcomes.push_back(
            {.verdict = Verdict::asked,
             .reason = "its peer is asked by a keepalive probe; one that is gone ends the connection "
                       "by not knowing it, one that is alive does not notice"});
    }
    return outcomes;
}

void TcpCleaner::take_back(std::span<const GhostPtr> ghosts) {
    const auto targets = targets_of(ghosts);
    static_cast<void>(surroundings_.sys.answers_of_sockets(targets, host::Release::all));
    for (const host::SocketTarget& target : targets) {
        note(EGB_TCP_RELEASED, target.cookie);
    }
}

void TcpCleaner::note(std::uint16_t type, std::uint64_t cookie) {
    const egb_tcp_note told{.header = {.type = type, .size = sizeof(told), .reserved = 0, .time_ns = 0},
                            .cookie = cookie};
    tracker_.observe({.type = SightingType::seen,
                      .source = Source::event,
                      .at = surroundings_.clock.now(),
                      .record = std::as_bytes(std::span{&told, 1})});
}

Outcome TcpCleaner::failure(const Ghost& ghost, const Error& error) {
    tracker_.look_again(ghost.key, surroundings_.clock.now());
    return outcome_of(error);
}

} // namespace egb::tcp
