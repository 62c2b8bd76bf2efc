// SPDX-License-Identifier: Apache-2.0
#include "kinds/tcp/tracker.hpp"

#include "kinds/tcp/evidence.hpp"
#include "kinds/tcp/record.hpp"
#include "kinds/tcp/tcp.hpp"

#include <netinet/tcp.h>

#include <algorithm>
#include <chrono>
#include <format>
#include <utility>

namespace egb::tcp {

namespace {

/// How far apart sweeps are, however many sockets are almost due; and how often told ghosts are looked at
/// again.
constexpr Span shortest_gap = std::chrono::milliseconds{500};
constexpr Span longest_gap = std::chrono::minutes{1};
constexpr Span longest_recheck = std::chrono::minutes{5};

/// The iterator over marked sockets takes up its work again by counting, and when others go meanwhile it may
/// step over one that is still there. So a told ghost is gone when its end was seen, or after so many sweeps
/// without it.
constexpr unsigned misses_that_tell = 3;

/// What a verdict rests on, as bits: a ghost is told again when one of them changes.
namespace trait {
constexpr unsigned always = 1;
constexpr unsigned unread = 2;
constexpr unsigned unsent = 4;
constexpr unsigned orphan = 8;
constexpr unsigned old = 16;
constexpr unsigned unheld = 32;
constexpr unsigned unasked = 64;
} // namespace trait

std::vector<Evidence> evidence_of(const egb_tcp_socket& record, unsigned traits) {
    std::vector<Evidence> evidence{{&state_age, static_cast<std::int64_t>(record.since_ns)},
                                   {&quiet, static_cast<std::int64_t>(record.quiet_ns)}};
    if ((traits & trait::unread) != 0) {
        evidence.push_back({&unread, record.receive_queue});
    }
    if ((traits & trait::orphan) != 0) {
        evidence.push_back({&kernel_timer, 0});
    } else {
        evidence.push_back({record.state == TCP_CLOSE_WAIT ? &half_close : &half_closed_here, 0});
    }
    if ((traits & trait::unsent) != 0) {
        evidence.push_back({&unsent, record.send_queue});
    }
    if ((traits & trait::old) != 0) {
        evidence.push_back({&older_than_us, 0});
    }
    if ((traits & trait::unheld) != 0) {
        evidence.push_back({&no_holder, 0});
    }
    if ((traits & trait::unasked) != 0) {
        evidence.push_back({&unknown_holder, 0});
    }
    return evidence;
}

Ghost ghost_of(const egb_tcp_socket& record, const std::vector<Holder>& holders, unsigned traits) {
    return {
        .id = {},
        .kind = &info(),
        .key = key_of(record),
        .grade = Grade::suspected,
        .summary =
            std::format("{} {} -> {}", state_name(record.state), local_text(record), remote_text(record)),
        .since = instant_of(record.since_ns),
        .since_kind = (traits & trait::old) != 0 ? SinceKind::at_least : SinceKind::observed,
        .holders = holders,
        .evidence = evidence_of(record, traits),
    };
}

/// Two sweeps read the same process twice: what counts is who it is, not which copy of it.
bool same_holders(const std::vector<Holder>& some, const std::vector<Holder>& others) {
    return std::ranges::equal(some, others, [](const Holder& one, const Holder& other) {
        return one.fd == other.fd && one.process->id == other.process->id;
    });
}

std::string_view end_of(const egb_tcp_end& record) {
    switch (record.next_state) {
    case TCP_LAST_ACK:
        return "its application has closed it";
    case TCP_TIME_WAIT:
        return "the peer has closed it too";
    default:
        return "the connection has ended";
    }
}

} // namespace

Span Thresholds::of(std::uint8_t state) const {
    switch (state) {
    case TCP_CLOSE_WAIT:
        return close_wait;
    case TCP_FIN_WAIT2:
        return fin_wait2;
    case TCP_LAST_ACK:
        return last_ack;
    default:
        return Span{};
    }
}

Span Thresholds::shortest() const {
    Span shortest{};
    for (const Span span : {close_wait, fin_wait2, last_ack}) {
        if (span > Span{} && span != forever && (shortest == Span{} || span < shortest)) {
            shortest = span;
        }
    }
    return shortest;
}

Thresholds thresholds_of(const OptionValues& section) {
    return {.close_wait = section.span("CloseWaitAfter"),
            .fin_wait2 = section.span("FinWait2After"),
            .last_ack = section.span("LastAckAfter")};
}

void TcpTracker::observe(const Sighting& sighting) {
    switch (sighting.type) {
    case SightingType::seen:
        see(sighting);
        break;
    case SightingType::held:
        hold(sighting);
        break;
    case SightingType::gone:
        lose(sighting);
        break;
    case SightingType::sweep_begin:
        begin_sweep();
        break;
    case SightingType::sweep_end:
        end_sweep(sighting.at);
        break;
    case SightingType::lost:
        // The sweep that follows says what is; a verdict of ours never rests on an event alone.
        break;
    }
}

void TcpTracker::see(const Sighting& sighting) {
    if (record_type(sighting.record) == EGB_TCP_WAITING) {
        if (const Span shortest = thresholds_.shortest(); shortest > Span{}) {
            wake_by(later(sighting.at, shortest));
        }
        return;
    }
    const auto record = read_record<egb_tcp_socket>(sighting.record);
    if (!record) {
        return;
    }
    Socket& socket = sockets_[record->cookie];
    socket.record = *record;
    socket.found.clear();
    socket.met = true;
    met_overdue_ = met_overdue_ || is_overdue(*record);
}

void TcpTracker::hold(const Sighting& sighting) {
    const auto record = read_record<egb_tcp_holder>(sighting.record);
    const auto found = record ? sockets_.find(record->cookie) : sockets_.end();
    if (found == sockets_.end() || !sighting.process) {
        return;
    }
    found->second.found.push_back({sighting.process, record->fd});
}

void TcpTracker::lose(const Sighting& sighting) {
    const auto record = read_record<egb_tcp_end>(sighting.record);
    const auto found = record ? sockets_.find(record->cookie) : sockets_.end();
    if (found == sockets_.end()) {
        return;
    }
    if (found->second.told != 0) {
        changes_.vanished.push_back({key_of(found->second.record), std::string{end_of(*record)}});
    }
    sockets_.erase(found);
}

void TcpTracker::begin_sweep() {
    met_overdue_ = false;
    for (auto& [cookie, socket] : sockets_) {
        socket.met = false;
    }
}

void TcpTracker::end_sweep(Instant at) {
    drop_unmet();
    deadline_.reset();
    for (auto& [cookie, socket] : sockets_) {
        if (socket.met) {
            judge(socket);
        }
        wake_by(next_look(socket, at));
    }
    met_overdue_ = false;
}

void TcpTracker::drop_unmet() {
    std::erase_if(sockets_, [this](auto& item) {
        Socket& socket = item.second;
        socket.missed = socket.met ? 0 : socket.missed + 1;
        if (socket.met || (socket.told != 0 && socket.missed < misses_that_tell)) {
            return false;
        }
        if (socket.told != 0) {
            changes_.vanished.push_back({key_of(socket.record), "it has left its state"});
        }
        return true;
    });
}

unsigned TcpTracker::traits_of(const Socket& socket) const {
    const egb_tcp_socket& record = socket.record;
    const bool orphan = (record.flags & EGB_TCP_ORPHAN) != 0;
    const bool unheld = socket.found.empty() && !orphan;
    unsigned traits = trait::always;
    traits |= record.receive_queue > 0 ? trait::unread : 0;
    traits |= record.send_queue > 0 ? trait::unsent : 0;
    traits |= orphan ? trait::orphan : 0;
    traits |= (record.flags & EGB_TCP_SINCE_AT_LEAST) != 0 ? trait::old : 0;
    traits |= unheld && sees_all_holders_ ? trait::unheld : 0;
    traits |= unheld && !sees_all_holders_ ? trait::unasked : 0;
    return traits;
}

void TcpTracker::judge(Socket& socket) {
    if (!is_overdue(socket.record)) {
        if (socket.told != 0) {
            changes_.vanished.push_back({key_of(socket.record), "it moves again"});
            socket.told = 0;
        }
        return;
    }
    const unsigned traits = traits_of(socket);
    const auto found = std::exchange(socket.found, {});
    if (traits == socket.told && same_holders(found, socket.holders)) {
        return;
    }
    socket.told = traits;
    socket.holders = found;
    changes_.ghosts.push_back(ghost_of(socket.record, found, traits));
}

bool TcpTracker::is_overdue(const egb_tcp_socket& record) const {
    const Span threshold = thresholds_.of(record.state);
    const Instant quiet_since = instant_of(std::max(record.since_ns, record.quiet_ns));
    return threshold > Span{} && instant_of(record.header.time_ns) - quiet_since >= threshold;
}

Instant TcpTracker::next_look(const Socket& socket, Instant now) const {
    const Span threshold = thresholds_.of(socket.record.state);
    if (socket.missed > 0) {
        return now + shortest_gap;
    }
    if (socket.told != 0) {
        // An event tells of its end; what remains to be noticed is that it moves again.
        return now + std::clamp(std::min(threshold, longest_recheck) * 5, shortest_gap, longest_recheck);
    }
    // A busy server always has some sockets that are almost due: they are looked at together.
    const Instant due =
        later(instant_of(std::max(socket.record.since_ns, socket.record.quiet_ns)), threshold);
    return std::max(due, now + std::clamp(threshold / 10, shortest_gap, longest_gap));
}

void TcpTracker::wake_by(Instant at) {
    if (!deadline_ || at < *deadline_) {
        deadline_ = at;
    }
}

Changes TcpTracker::tick(Instant /*now*/) {
    return std::exchange(changes_, {});
}

Fields TcpTracker::describe(std::string_view key) const {
    const auto cookie = cookie_of(key);
    const auto found = cookie ? sockets_.find(*cookie) : sockets_.end();
    return found == sockets_.end() ? Fields{} : fields_of(found->second.record);
}

} // namespace egb::tcp
