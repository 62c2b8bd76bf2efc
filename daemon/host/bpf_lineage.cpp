// SPDX-License-Identifier: Apache-2.0
#include "host/bpf_lineage.hpp"

#include "host/bpf_events.hpp"
#include "lineage.skel.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <ranges>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace egb::host {

namespace {

constexpr std::size_t batch = 1024;
/// How often a look is repeated that was overtaken by what it looked at.
constexpr int tries = 5;

constexpr egb_lineage_wanted all_living{
    .since_ns = 0, .head = 0, .who = EGB_LINEAGE_LIVING, .part = 0, .parts = 0, .found = 0};
constexpr egb_lineage_wanted all_dead{
    .since_ns = 0, .head = 0, .who = EGB_LINEAGE_DEAD, .part = 0, .parts = 0, .found = 0};

BpfImage image(std::uint32_t room) {
    std::size_t size = 0;
    const void* elf = lineage_bpf__elf_bytes(&size);
    return {.name = "lineage",
            .layout = EGB_LINEAGE_LAYOUT,
            .elf = std::span{static_cast<const std::byte*>(elf), size},
            .resized = BpfImage::Resized{.map = "egb_lineage_kin", .entries = room}};
}

template <typename T>
std::span<std::byte> bytes_of(T& value) {
    return std::as_writable_bytes(std::span{&value, 1});
}

template <typename T>
EventSource::OnRecord into(std::vector<T>& found) {
    return [&found](EventSource::Record record) {
        std::memcpy(&found.emplace_back(), record.data(), sizeof(T));
    };
}

std::uint64_t id_of(const ProcessIdentity& process) {
    return process.start_ticks << EGB_LINEAGE_PID_BITS | static_cast<std::uint32_t>(process.pid);
}

std::int32_t pid_of(std::uint64_t id) {
    return static_cast<std::int32_t>(id & ((1U << EGB_LINEAGE_PID_BITS) - 1));
}

std::uint64_t nanoseconds(Instant at) {
    return static_cast<std::uint64_t>(at.time_since_epoch().count());
}

Death death_from(const egb_lineage_query& query) {
    return {.at = instant_of(query.died_ns),
            .wait_status = query.wait_status,
            .seen = true,
            .was_left = query.was_left != 0};
}

/// A process and all that it has forked since then.
///
/// The living are listed first, each with the parent that it has at that moment, and what is kept of others
/// after that: whose parent was another has an entry by then, if it still lives or has left somebody.
///
/// Neither list is of one moment. But whoever is missing was forked meanwhile: then the last of its forebears
/// that is older than the look lives, and is here, or has died meanwhile and is here as one of the dead.
class Family {
public:
    Family(const std::vector<egb_lineage_process>& living, const std::vector<egb_lineage_entry>& kept,
           std::uint64_t head, Instant since) {
        for (const egb_lineage_process& process : living) {
            all_[process.id] = {
                .parent = process.parent, .forked_ns = process.forked_ns, .died_ns = 0, .lives = true};
        }
        for (const egb_lineage_entry& entry : kept) {
            Member& member = all_[entry.id];
            member.parent = entry.parent;
            member.forked_ns = entry.forked_ns;
            member.died_ns = entry.died_ns;
        }
        gather(head, nanoseconds(since));
    }

    [[nodiscard]] const std::vector<std::uint64_t>& living() const { return living_; }

    /// Whether one of them has died since then, or is about to.
    [[nodiscard]] bool lost_one_since(Instant begun) const {
        return std::ranges::any_of(dead_, [&](std::uint64_t died_ns) {
            return died_ns == 0 || died_ns >= nanoseconds(begun);
        });
    }

private:
    struct Member {
        std::uint64_t parent{};
        std::uint64_t forked_ns{};
        std::uint64_t died_ns{};
        bool lives{};
    };

    void gather(std::uint64_t head, std::uint64_t since_ns) {
        std::unordered_multimap<std::uint64_t, std::uint64_t> children;
        for (const auto& [id, member] : all_) {
            if (member.parent != head || member.forked_ns >= since_ns) {
                children.emplace(member.parent, id);
            }
        }
        std::vector<std::uint64_t> members{head};
        // Grows as it goes: each member's children are members.
        for (std::size_t at = 0; at < members.size(); ++at) {
            take(members[at]);
            const auto [begin, end] = children.equal_range(members[at]);
            std::ranges::copy(std::ranges::subrange(begin, end) | std::views::values,
                              std::back_inserter(members));
            children.erase(begin, end);
        }
    }

    void take(std::uint64_t id) {
        const auto found = all_.find(id);
        if (found != all_.end() && found->second.lives) {
            living_.push_back(id);
        } else if (found != all_.end()) {
            dead_.push_back(found->second.died_ns);
        }
    }

    std::unordered_map<std::uint64_t, Member> all_;
    std::vector<std::uint64_t> living_;
    std::vector<std::uint64_t> dead_; ///< when they died
};

} // namespace

std::unique_ptr<EventSource> lineage_events(FdStore& store, std::uint32_t room) {
    return std::make_unique<BpfEvents>(image(room), store);
}

std::uint32_t room_for_entries(const ProcFs& procfs) {
    constexpr std::uint64_t least = 4096;
    constexpr std::uint64_t most = EGB_LINEAGE_ENTRIES;
    const auto limit = procfs.task_room().transform([](const TaskRoom& room) {
        return room.limit + room.limit / 2;
    });
    return static_cast<std::uint32_t>(std::clamp(limit.value_or(most), least, most));
}

ProcessIdentity BpfLineage::identity_of(std::uint64_t id) const {
    return {.boot_id = procfs_.boot_id(), .pid = pid_of(id), .start_ticks = id >> EGB_LINEAGE_PID_BITS};
}

Result<> BpfLineage::start() {
    const auto started = begin();
    lack_ = started ? std::string{} : started.error().message;
    return started;
}

Result<> BpfLineage::begin() {
    egb_lineage_query query{};
    return events_->attach()
        .and_then([&] {
            return events_->call("egb_lineage_who_asks", bytes_of(query));
        })
        .and_then([&](std::uint32_t) -> Result<> {
            if (procfs_.identity(query.pid) != identity_of(query.id)) {
                return fail(ErrorCode::unsupported, "this /proc is not that of the machine");
            }
            sees_all_ = query.level == 0;
            return {};
        })
        .and_then([&] {
            return list(all_dead);
        })
        .and_then([&](const Processes&) {
            lost_ = events_->lost();
            return be_complete_since(clock_.now()).or_else([this](const Error& /*not yet*/) {
                return reconcile();
            });
        });
}

Result<> BpfLineage::drain() {
    bool died = false;
    std::vector<ProcessIdentity> ended;
    const auto taken = events_->drain(batch, [&](EventSource::Record record) {
        egb_lineage_end end{};
        std::memcpy(&end, record.data(), std::min(sizeof(end), record.size()));
        if (end.header.type == EGB_LINEAGE_END) {
            ended.push_back(identity_of(end.id));
        } else {
            died = true;
        }
    });
    for (const ProcessIdentity& process : ended) {
        for (const OnEnd& ender : enders_) {
            ender(process);
        }
    }
    if (died) {
        for (const OnDeath& listener : listeners_) {
            listener();
        }
    }
    return taken.transform([](std::size_t) {});
}

/// No room for one more is a loss, and told as such.
void BpfLineage::watch(const ProcessIdentity& process) {
    egb_lineage_query query{};
    query.id = id_of(process);
    static_cast<void>(events_->call("egb_lineage_watch", bytes_of(query)));
}

/// In as many parts as it takes for each to find room.
Result<BpfLineage::Processes> BpfLineage::list(egb_lineage_wanted wanted) const {
    Processes found;
    wanted.parts = 1;
    for (wanted.part = 0; wanted.part < wanted.parts; ++wanted.part) {
        wanted.found = 0;
        const auto answer = events_->call("egb_lineage_list", bytes_of(wanted));
        if (!answer) {
            return std::unexpected(answer.error());
        }
        if (*answer == EGB_LINEAGE_CANNOT) {
            return walk(wanted);
        }
        if (*answer != EGB_LINEAGE_KNOWN) {
            return fail(ErrorCode::io, "the kernel does not list its processes");
        }
        if (wanted.found > EGB_LINEAGE_PAGE) {
            wanted.parts *= wanted.found / EGB_LINEAGE_PAGE + 2;
            wanted.part = UINT32_MAX; // the first comes next
            found.clear();
        } else if (const auto taken = events_->values("egb_lineage_page", sizeof(egb_lineage_process),
                                                      wanted.found, into(found));
                   !taken) {
            return std::unexpected(taken.error());
        }
    }
    return found;
}

Result<BpfLineage::Processes> BpfLineage::walk(const egb_lineage_wanted& wanted) const {
    if (!sees_all_) {
        return fail(ErrorCode::unsupported,
                    "from inside of a pid namespace Linux shows all processes since 6.7");
    }
    Processes found;
    return events_->control("egb_lineage_wanted", std::as_bytes(std::span{&wanted, 1}))
        .and_then([&] {
            return events_->iterate("egb_lineage_walk", sizeof(egb_lineage_process), into(found));
        })
        .transform([&] {
            return std::move(found);
        });
}

Result<BpfLineage::Entries> BpfLineage::entries() const {
    Entries found;
    return events_->values("egb_lineage_kin", sizeof(egb_lineage_entry), SIZE_MAX, into(found))
        .transform([&] {
            return std::move(found);
        });
}

std::size_t BpfLineage::known() const {
    return entries().value_or(Entries{}).size();
}

/// They are listed before the living are: whoever is not among these has been, and is no more.
Result<> BpfLineage::bury_the_missing() {
    const auto kept = entries();
    const auto living = list(all_living);
    if (!kept || !living) {
        return std::unexpected(kept ? living.error() : kept.error());
    }
    std::unordered_set<std::uint64_t> there;
    std::ranges::copy(*living | std::views::transform(&egb_lineage_process::id),
                      std::inserter(there, there.end()));
    for (const egb_lineage_entry& entry : *kept) {
        if ((entry.flags & EGB_LINEAGE_LIVES) == 0 || there.contains(entry.id)) {
            continue;
        }
        egb_lineage_query query{};
        query.id = entry.id;
        if (const auto buried = events_->call("egb_lineage_bury", bytes_of(query)); !buried) {
            return std::unexpected(buried.error());
        }
    }
    return {};
}

Result<> BpfLineage::reconcile() {
    const Instant begun = clock_.now();
    const std::uint64_t lost = events_->lost();
    return bury_the_missing().and_then([&] {
        lost_ = lost;
        return set_complete_since(begun);
    });
}

Result<> BpfLineage::set_complete_since(Instant at) {
    egb_lineage_query query{};
    query.at_ns = nanoseconds(at);
    return events_->call("egb_lineage_complete", bytes_of(query)).transform([](std::uint32_t) {});
}

bool BpfLineage::incomplete() const {
    return lack_.empty() && !be_complete_since(clock_.now());
}

Result<egb_lineage_since> BpfLineage::complete_since() const {
    egb_lineage_since since{};
    egb_lineage_loss loss{};
    return events_->read("egb_lineage_since", bytes_of(since))
        .and_then([&] {
            return events_->read("egb_lineage_loss", bytes_of(loss));
        })
        .and_then([&] -> Result<egb_lineage_since> {
            if (events_->lost() != lost_ || since.complete_ns == 0 || loss.last_ns >= since.complete_ns) {
                return fail(ErrorCode::lost, "who descends from whom is not known for now");
            }
            return since;
        });
}

Result<> BpfLineage::be_complete_since(Instant at) const {
    return complete_since().and_then([&](const egb_lineage_since& since) -> Result<> {
        if (nanoseconds(at) < since.complete_ns) {
            return fail(ErrorCode::lost, "who descended from whom was not known then");
        }
        return {};
    });
}

Result<> BpfLineage::know_since_its_fork(const ProcessIdentity& process) const {
    return complete_since().and_then([&](const egb_lineage_since& since) -> Result<> {
        if (process.boot_id != procfs_.boot_id() || process.start_ticks <= since.complete_ticks) {
            return fail(ErrorCode::lost, "process {} is older than the observation", process.pid);
        }
        return {};
    });
}

/// A grave may be taken by another while nobody waits for who lay in it: what it said is kept.
Result<std::vector<Unreaped>> BpfLineage::unreaped() {
    if (!lack_.empty()) {
        return fail(ErrorCode::unsupported, "{}", lack_);
    }
    const std::uint64_t none = 0;
    if (auto heard = events_->control("egb_lineage_news", std::as_bytes(std::span{&none, 1})); !heard) {
        return std::unexpected(heard.error());
    }
    const auto listed = list(all_dead);
    if (!listed) {
        return std::unexpected(listed.error());
    }
    const auto since =
        complete_since().value_or(egb_lineage_since{.complete_ns = 0, .complete_ticks = UINT64_MAX});
    const auto before = std::exchange(dead_, {});
    for (const egb_lineage_process& dead : *listed) {
        const auto known = before.find(dead.id);
        dead_.emplace(dead.id, known == before.end() ? first_met(dead, since) : known->second);
    }
    return dead_ | std::views::values | std::ranges::to<std::vector>();
}

Unreaped BpfLineage::first_met(const egb_lineage_process& dead, const egb_lineage_since& since) const {
    const bool seen = dead.died_ns != 0;
    const bool knows_forker = dead.parent != 0 && (dead.id >> EGB_LINEAGE_PID_BITS) > since.complete_ticks;
    return {.process = identity_of(dead.id),
            .forked_by = knows_forker ? std::optional{identity_of(dead.parent)} : std::nullopt,
            .death = {.at = seen ? instant_of(dead.died_ns) : clock_.now(),
                      .wait_status = dead.wait_status,
                      .seen = seen}};
}

Result<std::vector<ProcessIdentity>> BpfLineage::heirs(const ProcessIdentity& of, Instant since) {
    if (!lack_.empty()) {
        return fail(ErrorCode::unsupported, "{}", lack_);
    }
    if (of.boot_id != procfs_.boot_id()) {
        return {};
    }
    auto wanted = all_living;
    wanted.since_ns = nanoseconds(since);
    wanted.head = id_of(of);
    for (int attempt = 0; attempt < tries; ++attempt) {
        const Instant begun = clock_.now();
        const auto living = list(wanted);
        const auto kept = living ? entries() : std::unexpected(living.error());
        const auto complete = kept ? be_complete_since(since) : std::unexpected(kept.error());
        if (!complete) {
            return std::unexpected(complete.error());
        }
        const Family family{*living, *kept, wanted.head, since};
        if (!family.living().empty() || !family.lost_one_since(begun)) {
            return family.living() | std::views::transform([this](std::uint64_t id) {
                       return identity_of(id);
                   }) |
                   std::ranges::to<std::vector>();
        }
    }
    return fail(ErrorCode::busy, "its descendants come and go too fast");
}

/// What is kept of it; nothing, where the kernel itself knows it all.
Result<egb_lineage_query> BpfLineage::ask(const ProcessIdentity& process) const {
    egb_lineage_query query{};
    query.id = id_of(process);
    return events_->call("egb_lineage_ask", bytes_of(query)).transform([&](std::uint32_t) {
        return query;
    });
}

Result<std::optional<Death>> BpfLineage::death_of(const ProcessIdentity& process) {
    if (process.boot_id != procfs_.boot_id()) {
        return fail(ErrorCode::lost, "process {} was of an earlier boot", process.pid);
    }
    const auto asked = ask(process);
    if (!asked) {
        return std::unexpected(asked.error());
    }
    if (asked->died_ns != 0) {
        return death_from(*asked);
    }
    const auto state = procfs_.state(process.pid);
    if (!state && state.error().code != ErrorCode::not_found) {
        return std::unexpected(state.error());
    }
    const bool is_there = state && state->start_ticks == process.start_ticks;
    if (is_there && (state->state != 'Z' || state->threads > 1)) {
        return std::optional<Death>{};
    }
    return death_without_trace(process);
}

/// Of one who is not alive: it may have died since we asked, or has died long ago and not been waited for.
Result<std::optional<Death>> BpfLineage::death_without_trace(const ProcessIdentity& process) const {
    const auto asked = ask(process);
    if (asked && asked->died_ns != 0) {
        return death_from(*asked);
    }
    if (const auto known = dead_.find(id_of(process)); known != dead_.end()) {
        return known->second.death;
    }
    auto wanted = all_dead;
    wanted.since_ns = UINT64_MAX;
    wanted.head = id_of(process);
    const auto listed = list(wanted);
    if (!listed || listed->empty()) {
        return fail(ErrorCode::lost, "how process {} has ended is not known", process.pid);
    }
    return first_met(listed->front(), {}).death;
}

/// The one that it has now, whoever has forked it.
std::optional<ProcessIdentity> BpfLineage::parent_of(const ProcessIdentity& process) const {
    const auto link = procfs_.link(process.pid);
    if (!link || link->start_ticks != process.start_ticks) {
        return std::nullopt;
    }
    const auto parent = procfs_.identity(link->parent);
    const bool is_older = parent && parent->start_ticks <= process.start_ticks;
    return is_older ? std::optional{*parent} : std::nullopt;
}

/// Its parent is read first: whoever has lost his own since then has an entry.
Result<ProcessIdentity> BpfLineage::forker_of(const ProcessIdentity& process) {
    const auto parent = parent_of(process);
    const auto asked = ask(process);
    const auto known = asked ? know_since_its_fork(process) : std::unexpected(asked.error());
    if (!known) {
        return std::unexpected(known.error());
    }
    if (asked->parent != 0) {
        return identity_of(asked->parent);
    }
    return parent ? Result<ProcessIdentity>{*parent}
                  : fail(ErrorCode::lost, "who has forked process {} is not known", process.pid);
}

Result<std::int32_t> BpfLineage::session_of(const ProcessIdentity& process) {
    const auto link = procfs_.link(process.pid);
    if (link && link->start_ticks == process.start_ticks) {
        return link->session;
    }
    return ask(process).and_then([&](const egb_lineage_query& asked) -> Result<std::int32_t> {
        if (process.boot_id != procfs_.boot_id() || asked.session == 0) {
            return fail(ErrorCode::lost, "the session of process {} is not known", process.pid);
        }
        return asked.session;
    });
}

/// Among those that are there. Where the kernel finds nobody by his pid (before 6.2), all of them are listed.
Result<std::optional<ProcessIdentity>> BpfLineage::find_pid(std::int32_t pid, Instant at) const {
    egb_lineage_query query{};
    query.pid = pid;
    query.at_ns = nanoseconds(at);
    const auto answer = events_->call("egb_lineage_find_pid", bytes_of(query));
    if (!answer) {
        return std::unexpected(answer.error());
    }
    if (*answer != EGB_LINEAGE_CANNOT) {
        return *answer == EGB_LINEAGE_KNOWN ? std::optional{identity_of(query.id)} : std::nullopt;
    }
    return list(all_living).transform([&](const Processes& living) -> std::optional<ProcessIdentity> {
        const auto found = std::ranges::find_if(living, [&](const egb_lineage_process& process) {
            return pid_of(process.id) == pid && process.forked_ns <= nanoseconds(at);
        });
        return found == living.end() ? std::nullopt : std::optional{identity_of(found->id)};
    });
}

/// The living first: whoever dies meanwhile is found among the dead.
Result<ProcessIdentity> BpfLineage::identity_at(std::int32_t pid, Instant at) {
    const auto living = find_pid(pid, at);
    if (!living || *living) {
        return living ? Result<ProcessIdentity>{**living} : std::unexpected(living.error());
    }
    egb_lineage_query query{};
    query.pid = pid;
    query.at_ns = nanoseconds(at);
    return events_->call("egb_lineage_ask_pid", bytes_of(query))
        .and_then([&](std::uint32_t answer) -> Result<ProcessIdentity> {
            if (answer != EGB_LINEAGE_KNOWN) {
                return fail(ErrorCode::lost, "who had pid {} is not known", pid);
            }
            return identity_of(query.id);
        });
}

} // namespace egb::host
