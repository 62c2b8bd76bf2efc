// SPDX-License-Identifier: Apache-2.0
#include "kinds/tcp/tracker.hpp"

#include "kinds/tcp/evidence.hpp"
#include "kinds/tcp/record.hpp"
#include "kinds/tcp/tcp.hpp"

#include <netinet/tcp.h>

#include <algorithm>
#include <chrono>
#include <ranges>
#include <utility>

namespace egb::tcp {

namespace {

/// How far apart sweeps are, however many sockets are almost due; and how often told ghosts are looked at
/// again.
constexpr Span shortest_gap = std::chrono::milliseconds{500};
constexpr Span longest_gap = std::chrono::minutes{1};
/// Soon, so that it is seen who still reads.
constexpr Span longest_before_first_look = std::chrono::seconds{6};
constexpr Span longest_recheck = std::chrono::minutes{5};

Span before_first_look(Span threshold) {
    return std::clamp(threshold / 10, shortest_gap, longest_before_first_look);
}

/// An iterator takes up its work again after each page, and when others come and go meanwhile it may step
/// over a socket that is still there. So a told ghost is gone when its end was seen, or after so many sweeps
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
constexpr unsigned peer_closed = 128;
constexpr unsigned leaked = 256; ///< its owner leaks such sockets
constexpr unsigned out_of_bounds = 512;
constexpr unsigned proof = peer_closed;
} // namespace trait

/// An answer to a question comes within a round trip, or not for long.
constexpr Span first_answer_after = std::chrono::seconds{2};
constexpr Span shortest_between_answers = std::chrono::seconds{5};
constexpr Span longest_between_answers = std::chrono::minutes{5};
/// A peer on this machine that is alive is not looked for at every sweep.
constexpr Span between_peer_looks = std::chrono::seconds{30};
/// Of one that has been closed the kernel knows for a minute (tcp_fin_timeout, TIME_WAIT): it is looked for
/// before that is over, or half way to the threshold.
constexpr Span longest_before_peer_look = std::chrono::seconds{30};
constexpr Span between_early_peer_looks = std::chrono::seconds{15};

/// 127.0.0.0/8, ::1, and both in the other's clothes. From one address to itself is no different.
bool stays_on_this_machine(const egb_tcp_socket& record) {
    return is_loopback(record.family, record.remote) || std::ranges::equal(record.local, record.remote);
}

void add_port(egb_tcp_peer_ports& ports, std::uint16_t port) {
    ports.bits[port / 64] |= std::uint64_t{1} << (port % 64);
}

/// No process reads from it any more.
bool is_left(const egb_tcp_peer& peer) {
    return peer.state == TCP_TIME_WAIT || (peer.flags & EGB_TCP_ORPHAN) != 0;
}

std::vector<Evidence> evidence_of(const egb_tcp_socket& record, unsigned traits, Instant answered) {
    constexpr std::size_t usually_so_many = 4;
    std::vector<Evidence> evidence;
    evidence.reserve(usually_so_many);
    evidence.push_back({&state_age, static_cast<std::int64_t>(record.since_ns)});
    evidence.push_back({&quiet, static_cast<std::int64_t>(record.quiet_ns)});
    const auto add_if = [&](unsigned trait, const EvidenceRule& rule, std::int64_t value = 0) {
        if ((traits & trait) != 0) {
            evidence.push_back({&rule, value});
        }
    };
    add_if(trait::unread, unread, record.receive_queue);
    add_if(trait::peer_closed, peer_closed);
    if ((traits & trait::orphan) != 0) {
        evidence.push_back({&kernel_timer, 0});
    } else if (record.state != TCP_CLOSE_WAIT) {
        evidence.push_back({&half_closed_here, 0});
    } else if ((traits & trait::proof) == 0) {
        evidence.push_back({&half_close, 0});
    }
    if (answered != Instant{}) {
        evidence.push_back({&peer_alive, answered.time_since_epoch().count()});
    }
    add_if(trait::out_of_bounds, out_of_bounds);
    add_if(trait::unsent, unsent, record.send_queue);
    add_if(trait::old, older_than_us);
    add_if(trait::unheld, no_holder);
    add_if(trait::unasked, unknown_holder);
    return evidence;
}

/// Two sweeps read the same process twice: what counts is who it is, and what may protect it, not which copy
/// of it.
bool same_holders(std::span<const Holder> some, std::span<const Holder> others) {
    return std::ranges::equal(some, others, [](const Holder& one, const Holder& other) {
        return one.fd == other.fd && (one.process == other.process || *one.process == *other.process);
    });
}

std::string_view how_it_ended(const egb_tcp_end& record) {
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

Ghost TcpTracker::ghost_of(const Socket& socket, unsigned traits) const {
    const egb_tcp_socket& record = socket.record;
    const bool ours_to_end = record.state == TCP_CLOSE_WAIT && (traits & trait::orphan) == 0;
    const bool may_act = ours_to_end && (traits & trait::out_of_bounds) == 0;
    const bool proven = ours_to_end && (traits & trait::proof) != 0;
    return {
        .id = {},
        .kind = &info(),
        .key = key_of(record),
        .grade = proven ? Grade::proven : Grade::suspected,
        .summary = summary_of(record),
        .since = instant_of(record.since_ns),
        .since_kind = (traits & trait::old) != 0 ? SinceKind::at_least : SinceKind::observed,
        .holders = socket.holders,
        .evidence = evidence_of(record, traits, socket.answered),
        .reach = may_act && (means_.nudge || means_.destroy) ? Reach::cleans : Reach::reports,
        // While something is on its way, the kernel sends no probe, and sees to it by itself. What is not
        // read may have a slow reader.
        .askable = may_act && means_.nudge && (traits & (trait::unsent | trait::unread)) == 0,
        .group = (traits & trait::leaked) != 0 ? leaks_.key_of_leak(*socket.holders.front().process)
                                               : SharedText{},
    };
}

void TcpTracker::see(const Sighting& sighting) {
    switch (record_type(sighting.record)) {
    case EGB_TCP_WAITING:
        if (const Span shortest = thresholds_.shortest(); shortest > Span{}) {
            wake_by(later(sighting.at, before_first_look(shortest)));
        }
        break;
    case EGB_TCP_PEER:
        see_peer(sighting);
        break;
    case EGB_TCP_ASKED:
    case EGB_TCP_ANSWERED:
    case EGB_TCP_RELEASED:
        note(sighting);
        break;
    case EGB_TCP_OWNER:
        if (const auto owner = read_record<egb_tcp_owner>(sighting.record)) {
            leaks_.note(*owner);
        }
        break;
    default:
        see_socket(sighting);
        break;
    }
}

void TcpTracker::see_peer(const Sighting& sighting) {
    const auto peer = read_record<egb_tcp_peer>(sighting.record);
    if (peer && is_left(*peer)) {
        left_.push_back(end_of(*peer, peer->local, peer->local_port, peer->remote, peer->remote_port));
    }
}

/// A question, the answer to one, or its end without one.
void TcpTracker::note(const Sighting& sighting) {
    const auto record = read_record<egb_tcp_note>(sighting.record);
    const auto found = record ? sockets_.find(record->cookie) : sockets_.end();
    if (found == sockets_.end()) {
        return;
    }
    if (record->header.type == EGB_TCP_ASKED) {
        found->second.asked = sighting.at;
        wake_by(sighting.at + first_answer_after);
    } else {
        found->second.asked = {};
        if (record->header.type == EGB_TCP_ANSWERED) {
            found->second.answered = sighting.at;
        }
    }
}

void TcpTracker::see_socket(const Sighting& sighting) {
    const auto record = read_record<egb_tcp_socket>(sighting.record);
    if (!record) {
        return;
    }
    Socket& socket = sockets_[record->cookie];
    if (socket.record.since_ns != record->since_ns || socket.record.quiet_ns != record->quiet_ns) {
        socket.peer_traits = 0; // it waits anew, or moves: what is left acknowledges nothing
        socket.peer_looked = {};
    }
    socket.record = *record;
    socket.met = sweep_;
    const bool overdue = is_overdue(*record);
    met_overdue_ = met_overdue_ || overdue;
    met_untold_ += overdue && socket.told == 0 ? 1 : 0;
}

void TcpTracker::hold(const Sighting& sighting) {
    const auto record = read_record<egb_tcp_holder>(sighting.record);
    if (record && sighting.process) {
        found_.add(record->cookie, {sighting.process, record->fd});
    }
}

void TcpTracker::lose(const Sighting& sighting) {
    const auto record = read_record<egb_tcp_end>(sighting.record);
    const auto found = record ? sockets_.find(record->cookie) : sockets_.end();
    if (found == sockets_.end()) {
        return;
    }
    Socket& socket = found->second;
    if (socket.told != 0 && socket.asked != Instant{} && record->error != 0) {
        changes_.vanished.push_back(
            {.key = key_of(socket.record),
             .reason = formatted("its peer was asked and {}, so the kernel has ended it",
                                 record->error == ETIMEDOUT ? "has not answered any more"
                                                            : "did not know the connection any more"),
             .by_question = true});
    } else if (socket.told != 0) {
        changes_.vanished.push_back(
            {.key = key_of(socket.record), .reason = std::string{how_it_ended(*record)}});
    }
    lose_from_leak(socket, *record, sighting.at);
    if (record->header.time_ns < socket.record.header.time_ns) {
        // It has been met since: its application uses it again, and it waits for the second time.
        socket = Socket{.record = socket.record, .met = socket.met};
    } else {
        sockets_.erase(found);
    }
}

/// The last of a leak's sockets may be the last thing to wake for.
void TcpTracker::lose_from_leak(const Socket& socket, const egb_tcp_end& end, Instant at) {
    if (socket.told == 0 || socket.record.state != TCP_CLOSE_WAIT || socket.holders.empty()) {
        return;
    }
    const ProcessPtr& owner = socket.holders.front().process;
    if (end.error != 0) {
        leaks_.note_ended(owner, at, (socket.told & trait::out_of_bounds) == 0);
    }
    if (leaks_.lose_one_of(*owner)) {
        wake_by(at + shortest_gap);
    }
}

void TcpTracker::begin_sweep() {
    leaks_.begin_sweep();
    met_overdue_ = false;
    met_untold_ = 0;
    only_held_ = false;
    deadline_.reset(); // and not at its end: who begins to wait meanwhile is announced once
    ++sweep_;
}

void TcpTracker::end_sweep(Instant at) {
    leaks_.settle(end_search(), at, changes_);
    if (leaks_.any()) {
        wake_by(at + longest_gap);
    }
    changes_.ghosts.reserve(changes_.ghosts.size() + met_untold_);
    has_ghosts_ = false;
    for (auto& [cookie, socket] : sockets_) {
        if (is_met(socket)) {
            judge(socket);
        }
        has_ghosts_ = has_ghosts_ || socket.told != 0;
        wake_by(next_look(socket, at));
    }
    met_overdue_ = false;
    forget_sweep();
}

/// What was found in one sweep is nothing to the next.
void TcpTracker::forget_sweep() {
    found_.clear();
    left_.clear();
    tally_.reset();
}

void TcpTracker::drop_unmet() {
    std::erase_if(sockets_, [this](auto& item) {
        Socket& socket = item.second;
        const bool met = is_met(socket);
        if (!met && only_held_ && socket.holders.empty()) {
            return false;
        }
        socket.missed = met ? 0 : socket.missed + 1;
        if (met || (socket.told != 0 && socket.missed < misses_that_tell)) {
            return false;
        }
        if (socket.told != 0) {
            changes_.vanished.push_back({.key = key_of(socket.record), .reason = "it has left its state"});
        }
        return true;
    });
}

std::span<const Holder> TcpTracker::holders_of(const Socket& socket) const {
    return is_met(socket) ? found_.of(socket.record.cookie) : std::span{socket.holders};
}

/// Nothing more is found by this sweep: who holds how many stuck sockets, of those that are left.
const Leaks::Tally& TcpTracker::end_search() {
    if (!tally_) {
        found_.sort();
        std::ranges::sort(left_);
        drop_unmet();
        tally_ = count_stuck();
    }
    return *tally_;
}

Leaks::Tally TcpTracker::count_stuck() const {
    Leaks::Tally tally;
    for (const auto& [cookie, socket] : sockets_) {
        const auto holders = holders_of(socket);
        if (!holders.empty() && socket.record.state == TCP_CLOSE_WAIT && is_overdue(socket.record)) {
            auto& share =
                tally.add(holders.front().process, instant_of(socket.record.since_ns),
                          (socket.record.flags & EGB_TCP_SINCE_AT_LEAST) != 0 ? SinceKind::at_least
                                                                              : SinceKind::observed);
            const bool doubted = socket.answered != Instant{} || socket.record.receive_queue > 0 ||
                                 socket.record.send_queue > 0;
            share.sure += doubted ? 0 : 1;
            share.in_bounds = share.in_bounds && !(unit_acts_ && bounds_.why_out(socket.record, holders));
        }
    }
    return tally;
}

unsigned TcpTracker::traits_of(const Socket& socket, std::span<const Holder> holders) const {
    const egb_tcp_socket& record = socket.record;
    const bool orphan = (record.flags & EGB_TCP_ORPHAN) != 0;
    const bool unheld = holders.empty() && !orphan;
    unsigned traits = trait::always;
    traits |= record.receive_queue > 0 ? trait::unread : 0;
    traits |= record.send_queue > 0 ? trait::unsent : 0;
    traits |= orphan ? trait::orphan : 0;
    traits |= (record.flags & EGB_TCP_SINCE_AT_LEAST) != 0 ? trait::old : 0;
    traits |= unheld && sees_all_holders_ ? trait::unheld : 0;
    traits |= unheld && !sees_all_holders_ ? trait::unasked : 0;
    traits |= record.state == TCP_CLOSE_WAIT && !holders.empty() && leaks_.has(*holders.front().process)
                  ? trait::leaked
                  : 0;
    traits |= bounds_.why_out(record, holders) ? trait::out_of_bounds : 0;
    return traits | socket.peer_traits;
}

/// The very other end of the connection is left by its process: nobody can read any more. What was proved
/// once stays so, for a connection does not get another end. What has arrived and is not read is another
/// matter: it may have a slow reader, who would take the end of the connection for the end of the data.
void TcpTracker::look_for_peer(Socket& socket) const {
    const egb_tcp_socket& record = socket.record;
    if (socket.peer_traits == 0 && !left_.empty() && record.receive_queue == 0 &&
        std::ranges::binary_search(
            left_, end_of(record, record.remote, record.remote_port, record.local, record.local_port))) {
        socket.peer_traits = trait::peer_closed;
    }
}

void TcpTracker::judge(Socket& socket) {
    if (socket.record.state == TCP_CLOSE_WAIT) {
        look_for_peer(socket);
    }
    if (!is_overdue(socket.record)) {
        if (socket.told != 0) {
            changes_.vanished.push_back({.key = key_of(socket.record), .reason = "it moves again"});
            socket.told = 0;
            socket.tell_anew = false;
        }
        return;
    }
    const auto holders = holders_of(socket);
    const unsigned traits = traits_of(socket, holders);
    if (!socket.tell_anew && traits == socket.told && socket.answered == socket.answer_told &&
        same_holders(holders, socket.holders)) {
        return;
    }
    socket.told = traits;
    socket.tell_anew = false;
    socket.answer_told = socket.answered;
    socket.holders.assign(holders.begin(), holders.end());
    changes_.ghosts.push_back(ghost_of(socket, traits));
}

bool TcpTracker::is_overdue(const egb_tcp_socket& record) const {
    const Span threshold = thresholds_.of(record.state);
    const Instant quiet_since = instant_of(std::max(record.since_ns, record.quiet_ns));
    return threshold > Span{} && instant_of(record.header.time_ns) - quiet_since >= threshold;
}

/// When its peer is to be looked for before it is overdue; nothing when that has been done, or is in vain.
/// All of them together: each look goes through the whole of a network namespace.
std::optional<Instant> TcpTracker::early_peer_look(const Socket& socket) const {
    const egb_tcp_socket& record = socket.record;
    const Span threshold = thresholds_.of(record.state);
    if (!is_met(socket) || record.state != TCP_CLOSE_WAIT || record.receive_queue > 0 ||
        threshold == Span{} || threshold == forever || socket.peer_looked != Instant{} ||
        !stays_on_this_machine(record)) {
        return std::nullopt;
    }
    return std::max(later(instant_of(record.since_ns), std::min(threshold / 2, longest_before_peer_look)),
                    peers_looked_ + between_early_peer_looks);
}

bool TcpTracker::wants_peer(const Socket& socket, Instant now) const {
    const egb_tcp_socket& record = socket.record;
    if (socket.peer_traits != 0 || record.state != TCP_CLOSE_WAIT || !stays_on_this_machine(record)) {
        return false;
    }
    if (is_overdue(record)) {
        return socket.told == 0 || socket.tell_anew || now - socket.peer_looked >= between_peer_looks;
    }
    const auto early = early_peer_look(socket);
    return early && *early <= now;
}

Instant TcpTracker::next_look(const Socket& socket, Instant now) const {
    const Span threshold = thresholds_.of(socket.record.state);
    if (socket.missed > 0) {
        return now + shortest_gap;
    }
    if (socket.asked != Instant{}) {
        const Span patience =
            std::clamp((now - socket.asked) / 2, shortest_between_answers, longest_between_answers);
        return std::max(socket.asked + first_answer_after, now + patience);
    }
    if (socket.told != 0 && !socket.tell_anew) {
        // An event tells of its end; what remains to be noticed is that it moves again.
        return now + std::clamp(std::min(threshold, longest_recheck) * 5, shortest_gap, longest_recheck);
    }
    // A busy server always has some sockets that are almost due: they are looked at together.
    const Instant due =
        later(instant_of(std::max(socket.record.since_ns, socket.record.quiet_ns)), threshold);
    const Instant whole = std::max(due, now + std::clamp(threshold / 10, shortest_gap, longest_gap));
    const auto early = early_peer_look(socket);
    return early ? std::min(whole, std::max(*early, now + before_first_look(threshold))) : whole;
}

void TcpTracker::wake_by(Instant at) {
    if (!deadline_ || at < *deadline_) {
        deadline_ = at;
    }
}

std::map<std::uint32_t, egb_tcp_peer_ports> TcpTracker::wanted_peers(Instant now) {
    std::map<std::uint32_t, egb_tcp_peer_ports> wanted;
    for (auto& [cookie, socket] : sockets_) {
        if (is_met(socket) && wants_peer(socket, now)) {
            add_port(wanted[socket.record.netns], socket.record.remote_port);
            socket.peer_looked = now;
        }
    }
    if (!wanted.empty()) {
        peers_looked_ = now;
    }
    return wanted;
}

bool TcpTracker::is_told(std::uint64_t cookie) const {
    const auto found = sockets_.find(cookie);
    return found != sockets_.end() && found->second.told != 0;
}

const egb_tcp_socket* TcpTracker::find(std::string_view key) const {
    const auto cookie = cookie_of(key);
    const auto found = cookie ? sockets_.find(*cookie) : sockets_.end();
    return found == sockets_.end() ? nullptr : &found->second.record;
}

void TcpTracker::look_again(std::string_view key, Instant now) {
    const auto cookie = cookie_of(key);
    const auto found = cookie ? sockets_.find(*cookie) : sockets_.end();
    if (found != sockets_.end()) {
        found->second.tell_anew = true;
    }
    wake_by(now + shortest_gap);
}

Changes TcpTracker::tick(Instant /*now*/) {
    return std::exchange(changes_, {});
}

Facts TcpTracker::facts(std::string_view key) const {
    if (const auto* record = find(key)) {
        return [record = *record] {
            return fields_of(record);
        };
    }
    return [fields = leaks_.describe(key)] {
        return fields;
    };
}

} // namespace egb::tcp
