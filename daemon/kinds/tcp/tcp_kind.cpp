// SPDX-License-Identifier: Apache-2.0
#include "kinds/tcp/tcp_kind.hpp"

#include "core/format.hpp"
#include "host/net_namespace.hpp"
#include "kinds/tcp/record.hpp"
#include "kinds/tcp/tcp.hpp"

#include <array>
#include <memory>
#include <utility>

namespace egb::tcp {

namespace {

/// Events taken at a time: a flood must let the bus and the watchdog in between. As many as one batch of acts
/// can cause, or the ring would fill up.
constexpr std::size_t batch = 16'384;

constexpr Span between_thorough_sweeps = std::chrono::minutes{5};

constexpr std::string_view state_program = "egb_tcp_state";
constexpr std::string_view sweep_program = "egb_tcp_sweep";
constexpr std::string_view sweep_files_program = "egb_tcp_sweep_files";
constexpr std::string_view holders_program = "egb_tcp_holders";
constexpr std::string_view holders_of_program = "egb_tcp_holders_of";
constexpr std::string_view peers_program = "egb_tcp_peers";
constexpr std::size_t worth_a_thread = 25'000;
constexpr host::Halves sockets_listing{.whole = sweep_program,
                                       .halves = {"egb_tcp_sweep_lower", "egb_tcp_sweep_upper"},
                                       .worth_a_thread = worth_a_thread};
constexpr host::Halves peers_listing{.whole = peers_program,
                                     .halves = {"egb_tcp_peers_lower", "egb_tcp_peers_upper"},
                                     .worth_a_thread = worth_a_thread};

template <typename T>
std::span<const std::byte> bytes_of(const T& value) {
    return std::as_bytes(std::span{&value, 1});
}

std::uint64_t nanoseconds(Span span) {
    return static_cast<std::uint64_t>(span.count());
}

egb_tcp_note note_of(std::uint16_t type, std::uint64_t cookie) {
    return {.header = {.type = type, .size = sizeof(egb_tcp_note), .reserved = 0, .time_ns = 0},
            .cookie = cookie};
}

egb_tcp_holder holder_of(const egb_tcp_holders_query& query, const egb_tcp_held& held) {
    return {.header = {.type = EGB_TCP_HOLDER, .size = sizeof(egb_tcp_holder), .reserved = 0, .time_ns = 0},
            .cookie = held.cookie,
            .start_boottime_ns = query.start_boottime_ns,
            .pid = query.pid,
            .fd = held.fd};
}

std::optional<UnitRemedy> remedy_of(const OptionValues& options) {
    const auto& what = options.text("LeakUnit");
    if (what == "no") {
        return std::nullopt;
    }
    return UnitRemedy{.act = what == "reload" ? host::UnitAct::reload : host::UnitAct::restart,
                      .every = options.span("LeakUnitEvery")};
}

Capability capability(std::string_view name, const std::string& lack, std::string_view how) {
    return {.name = name, .works = lack.empty(), .detail = lack.empty() ? std::string{how} : lack};
}

} // namespace

std::span<const std::string_view> TcpKind::optional_programs() {
    static constexpr std::array programs{sweep_files_program,       holders_program,
                                         holders_of_program,        peers_program,
                                         sockets_listing.halves[0], sockets_listing.halves[1],
                                         peers_listing.halves[0],   peers_listing.halves[1]};
    return programs;
}

std::span<const std::string_view> TcpKind::suspendable_programs() {
    return std::span{&state_program, 1};
}

const KindInfo& TcpKind::info() const {
    return tcp::info();
}

void TcpKind::configure(const OptionValues& options) {
    thresholds_ = thresholds_of(options);
    tracker_.set_thresholds(thresholds_);
    tracker_.set_leak_after(options.count("LeakAfter"));
    tracker_.set_bounds(bounds_of(options));
    remedy_ = remedy_of(options);
    cleaner_.set_remedy(remedy_);
    tracker_.set_ripe_within(remedy_ ? std::optional{options.span("LeakUnitWithin")} : std::nullopt);
    wanted_ = {.nudge = options.flag("Nudge"), .destroy = options.flag("Destroy")};
    timing_ = {.interval = options.span("NudgeInterval"),
               .probes = static_cast<std::uint32_t>(options.count("NudgeProbes"))};
    use_means();
}

/// As much of what is wanted as this kernel gives.
void TcpKind::use_means() {
    const Means means{.nudge = wanted_.nudge && nudging_.lack.empty(),
                      .destroy = wanted_.destroy && destroying_.lack.empty()};
    tracker_.set_means(means);
    cleaner_.set_means(means, timing_);
}

TcpKind::~TcpKind() {
    const auto asked = attached_ && nudging_.lack.empty() ? surroundings_.sys.nudged_sockets()
                                                          : std::vector<host::SocketTarget>{};
    if (asked && !asked->empty()) {
        static_cast<void>(surroundings_.sys.answers_of_sockets(*asked, host::Release::all));
    }
    if (swept_) {
        leave_word_for_the_next();
    }
}

/// Of what begins to wait from now on, the next run knows when that was, as long as it comes soon.
void TcpKind::leave_word_for_the_next() {
    events_->suspend(state_program);
    if (auto first = first_waiting(); first.since_last_sweep_ns == 0) {
        first.since_last_sweep_ns = nanoseconds(surroundings_.clock.now().time_since_epoch());
        static_cast<void>(events_->control("egb_tcp_first", bytes_of(first)));
    }
}

Result<> TcpKind::start() {
    if (auto attached = events_->attach(); !attached) {
        return attached;
    }
    attached_ = true;
    listed_by_kernel_ = events_->refusal(holders_program).empty() && surroundings_.procfs.has_our_pids();
    not_asked_ = listed_by_kernel_ ? "" : events_->refusal(holders_of_program);
    tracker_.trust_holders(not_asked_.empty());
    nudging_ = surroundings_.sys.nudging();
    destroying_ = surroundings_.sys.destroying();
    use_means();
    return {};
}

std::vector<Capability> TcpKind::capabilities() const {
    if (!attached_) {
        return {};
    }
    return {
        capability(
            "events", {},
            "tp_btf/inet_sock_set_state tells of the first socket that begins to wait, and of the end "
            "of each ghost; from the first to the next sweep it is taken away, unless there is a ghost"),
        capability(
            "sweep", not_entered_,
            formatted("iter/tcp lists the waiting sockets of each network namespace that a process lives "
                      "in: {} of them",
                      namespaces_)),
        capability("descriptors", events_->refusal(sweep_files_program),
                   listed_by_kernel_
                       ? "iter/task_file lists the waiting sockets that processes hold, everywhere"
                       : "iter/task_file does not list this machine's processes here: each network namespace "
                         "is looked into every time, and one that no process lives in never"),
        capability(
            "holders", not_asked_,
            listed_by_kernel_
                ? "iter/task_file finds the processes that hold a socket, all in one pass"
                : "each process is asked for the sockets that it holds, because iter/task_file does not list "
                  "those of this machine here"),
        capability("peers", events_->refusal(peers_program) + not_looked_,
                   "the other end of a connection within this machine is looked for by iter/tcp"),
        capability("nudge", nudging_.lack, nudging_.way),
        capability("destroy", destroying_.lack, destroying_.way),
        capability("units", remedy_ ? cleaner_.unit_refusal() : "",
                   remedy_
                       ? "systemd is asked to see to the unit of a process whose descriptors run out; polkit "
                         "must let us (eghostbusterd(8))"
                       : "LeakUnit=no: no unit is reloaded or restarted"),
    };
}

Sighting TcpKind::sighting(SightingType type, Source source) const {
    return {.type = type, .source = source, .at = surroundings_.clock.now()};
}

Result<bool> TcpKind::drain() {
    auto more = take_events();
    suspend_what_has_told_all();
    return more;
}

Result<bool> TcpKind::take_events() {
    const auto taken = events_->drain(batch, [this](host::EventSource::Record record) {
        const bool gone = record_type(record) == EGB_TCP_END;
        Sighting seen = sighting(gone ? SightingType::gone : SightingType::seen, Source::event);
        seen.record = record;
        tracker_.observe(seen);
    });
    if (!taken) {
        return std::unexpected(taken.error());
    }
    return *taken == batch;
}

Result<> TcpKind::sweep(SweepReason reason) {
    swept_ = false;
    if (auto begun = begin_sweep(); !begun) {
        return begun;
    }
    tracker_.observe(sighting(SightingType::sweep_begin, Source::sweep));
    if (auto looked = look_at_sockets(reason); !looked) {
        return looked;
    }
    if (tracker_.wants_holders()) {
        if (auto looked = look_for_holders(); !looked) {
            return looked;
        }
    }
    look_for_peers();
    look_for_answers(reason);
    if (auto heard = hear_of_ends(); !heard) {
        return heard;
    }
    look_at_leaking_owners();
    tracker_.observe(sighting(SightingType::sweep_end, Source::sweep));
    suspend_what_has_told_all();
    swept_ = true;
    return {};
}

/// There is no ghost whose end could be told, and either nothing ever is, or that it is time for a sweep has
/// been: until then, the connections of this machine go by without us.
void TcpKind::suspend_what_has_told_all() {
    if (!tracker_.has_ghosts() &&
        (thresholds_.shortest() == Span{} || first_waiting().since_last_sweep_ns != 0)) {
        events_->suspend(state_program);
    }
}

/// What cannot be read has told nothing.
egb_tcp_first TcpKind::first_waiting() const {
    egb_tcp_first first{};
    const auto read = events_->read("egb_tcp_first", std::as_writable_bytes(std::span{&first, 1}));
    return read ? first : egb_tcp_first{};
}

/// A socket that has ended since it was listed has no holder and no peer any more: nothing is to be made of
/// that. The kernel tells of an end before it comes to pass.
Result<> TcpKind::hear_of_ends() {
    for (Result<bool> more = true; *more;) {
        more = take_events();
        if (!more) {
            return std::unexpected(more.error());
        }
    }
    return {};
}

void TcpKind::see(host::EventSource::Record record) {
    Sighting seen = sighting(SightingType::seen, Source::sweep);
    seen.record = record;
    tracker_.observe(seen);
}

/// One that ends meanwhile is left out: nothing of it will run out.
void TcpKind::look_at_leaking_owners() {
    for (const ProcessPtr& owner : tracker_.leaking()) {
        const auto use = surroundings_.procfs.descriptors(owner->id.pid);
        if (use && use->start_ticks == owner->id.start_ticks) {
            see(bytes_of(egb_tcp_owner{
                .header = {.type = EGB_TCP_OWNER, .size = sizeof(egb_tcp_owner), .reserved = 0, .time_ns = 0},
                .start_ticks = use->start_ticks,
                .file_limit = use->limit,
                .pid = owner->id.pid,
                .open_files = static_cast<std::uint32_t>(use->open)}));
        }
    }
}

/// Where it cannot be looked, nothing is proven by what is not there.
void TcpKind::look_for_peers() {
    const auto wanted = tracker_.wanted_peers(surroundings_.clock.now());
    if (wanted.empty() || !events_->refusal(peers_program).empty()) {
        return;
    }
    not_looked_.clear();
    for (const auto& space : surroundings_.procfs.net_namespaces()) {
        const auto ports = wanted.find(static_cast<std::uint32_t>(space.inode));
        if (ports == wanted.end()) {
            continue;
        }
        const auto looked = host::in_net_namespace(space.fd, [&] {
            return look_for_peers_in(ports->second);
        });
        if (!looked) {
            not_looked_ =
                "some connections within this machine cannot be told from others: " + looked.error().message;
        }
    }
}

Result<> TcpKind::look_for_peers_in(const egb_tcp_peer_ports& ports) {
    return events_->control("egb_tcp_peer_ports", bytes_of(ports)).and_then([this] {
        return list_connections(peers_listing, sizeof(egb_tcp_peer));
    });
}

/// The kernel side knows best who is being asked: an earlier run of the daemon may have asked, and a socket
/// may have moved on since, so that the tracker has forgotten it. Whoever has not answered goes on being
/// asked only while the tracker still holds it for a ghost.
void TcpKind::look_for_answers(SweepReason reason) {
    asks_ = asks_ || cleaner_.take_asked() || (reason == SweepReason::startup && nudging_.lack.empty());
    const auto asked = asks_ ? surroundings_.sys.nudged_sockets() : std::vector<host::SocketTarget>{};
    if (!asked) {
        return;
    }
    asks_ = !asked->empty();
    std::vector<host::SocketTarget> stray;
    std::vector<host::SocketTarget> ghosts;
    for (const auto& target : *asked) {
        (tracker_.is_told(target.cookie) ? ghosts : stray).push_back(target);
    }
    if (reason == SweepReason::startup) {
        // No ghost has been told yet; those that turn out to be none are let go at the next sweep.
        for (const auto& target : *asked) {
            see(bytes_of(note_of(EGB_TCP_ASKED, target.cookie)));
        }
        return;
    }
    static_cast<void>(surroundings_.sys.answers_of_sockets(stray, host::Release::all));
    const auto answers = surroundings_.sys.answers_of_sockets(ghosts, host::Release::answered);
    for (std::size_t at = 0; at < ghosts.size(); ++at) {
        if (answers[at] == host::PeerAnswer::alive) {
            see(bytes_of(note_of(EGB_TCP_ANSWERED, ghosts[at].cookie)));
        }
    }
}

Result<> TcpKind::begin_sweep() {
    const egb_tcp_control control{.close_wait_after_ns = nanoseconds(thresholds_.close_wait),
                                  .fin_wait2_after_ns = nanoseconds(thresholds_.fin_wait2),
                                  .last_ack_after_ns = nanoseconds(thresholds_.last_ack),
                                  // With a ghost the program stays, and need not find a reason to go.
                                  .counts_plain_endings = tracker_.has_ghosts() ? 0U : 1U};
    return events_->resume(state_program)
        .and_then([&] {
            return events_->control("egb_tcp_control", bytes_of(control));
        })
        .and_then([this] {
            return events_->call("egb_tcp_begin_sweep", {}).transform([](std::uint32_t /*always 0*/) {});
        });
}

/// What is held by a process is seen by its descriptors, wherever it is and without waiting for anybody: that
/// is the sweep that comes by the clock. What nobody has a descriptor of is looked for in each network
/// namespace, which takes the lock of every socket there; and so is all, where descriptors cannot be listed.
Result<> TcpKind::look_at_sockets(SweepReason reason) {
    const Instant now = surroundings_.clock.now();
    const bool by_descriptors = listed_by_kernel_ && events_->refusal(sweep_files_program).empty();
    if (by_descriptors) {
        if (auto listed = list(sweep_files_program, sizeof(egb_tcp_socket)); !listed) {
            return listed;
        }
    }
    if (by_descriptors && reason == SweepReason::timer && now < thorough_) {
        tracker_.look_only_at_held();
        return {};
    }
    thorough_ = now + between_thorough_sweeps;
    return look_into_namespaces();
}

Result<> TcpKind::look_into_namespaces() {
    not_entered_.clear();
    if (auto listed = list_connections(sockets_listing, sizeof(egb_tcp_socket)); !listed) {
        return listed;
    }
    namespaces_ = 1;
    const auto own = host::own_net_namespace();
    for (const auto& space : surroundings_.procfs.net_namespaces()) {
        if (space.inode == own) {
            continue;
        }
        const auto listed = host::in_net_namespace(space.fd, [this] {
            return list_connections(sockets_listing, sizeof(egb_tcp_socket));
        });
        namespaces_ += listed ? 1U : 0U;
        if (!listed) {
            not_entered_ = "some network namespaces are not looked into: " + listed.error().message;
        }
    }
    return {};
}

Result<> TcpKind::list(std::string_view program, std::size_t record_size) {
    return events_->iterate(program, record_size, told());
}

/// Those of the network namespace that we are in.
Result<> TcpKind::list_connections(const host::Halves& listing, std::size_t record_size) {
    const auto programs = listing.programs(tracker_.tracked(), [this](std::string_view program) {
        return events_->refusal(program);
    });
    return events_->iterate_at_once(programs, record_size, told());
}

/// Tells the tracker of each record.
host::EventSource::OnRecord TcpKind::told() {
    return
        [this, seen = sighting(SightingType::seen, Source::sweep)](host::EventSource::Record record) mutable {
            seen.record = record;
            tracker_.observe(seen);
        };
}

Result<> TcpKind::look_for_holders() {
    host::ProcessLookup lookup{surroundings_.procfs};
    if (!listed_by_kernel_) {
        return not_asked_.empty() ? ask_processes(lookup) : Result<>{};
    }
    return events_->iterate(holders_program, sizeof(egb_tcp_holder), [&](host::EventSource::Record record) {
        if (const auto holder = read_record<egb_tcp_holder>(record)) {
            tell_holder(*holder, lookup);
        }
    });
}

Result<> TcpKind::ask_processes(host::ProcessLookup& lookup) {
    const auto list = std::make_unique<egb_tcp_held_list>();
    for (const auto pid : surroundings_.procfs.pids()) {
        egb_tcp_holders_query query{.pid = pid, .from_fd = 0, .start_boottime_ns = 0};
        for (std::uint32_t count = EGB_TCP_HELD; count == EGB_TCP_HELD;) {
            const auto answer =
                events_->call(holders_of_program, std::as_writable_bytes(std::span{&query, 1}));
            if (!answer) {
                return std::unexpected(answer.error());
            }
            if (*answer == EGB_TCP_MOVED) {
                break; // it ends, or has just begun anew: the next sweep will see
            }
            count = *answer;
            if (auto read = count == 0 ? Result<>{} : read_held(*list); !read) {
                return read;
            }
            for (const egb_tcp_held& held : std::span{list->held}.first(count)) {
                tell_holder(holder_of(query, held), lookup);
                query.from_fd = held.fd + 1;
            }
        }
    }
    return {};
}

Result<> TcpKind::read_held(egb_tcp_held_list& list) const {
    return events_->read("egb_tcp_held", std::as_writable_bytes(std::span{&list, 1}));
}

void TcpKind::tell_holder(const egb_tcp_holder& holder, host::ProcessLookup& lookup) {
    Sighting held = sighting(SightingType::held, Source::sweep);
    held.record = bytes_of(holder);
    held.process = lookup.find(holder.pid, host::ProcessLookup::ticks_of(holder.start_boottime_ns));
    tracker_.observe(held);
}

} // namespace egb::tcp
