// SPDX-License-Identifier: Apache-2.0
#include "host/bpf_lineage.hpp"

#include "host/bpf_events.hpp"
#include "lineage.skel.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <map>
#include <ranges>
#include <utility>

namespace egb::host {

namespace {

constexpr std::size_t batch = 1024;
/// How often a look is repeated that was overtaken by what it looked at.
constexpr int tries = 5;

constexpr std::string_view adopt_program = "egb_lineage_adopt";

BpfImage image(std::uint32_t room) {
    static constexpr std::array optional{adopt_program};
    std::size_t size = 0;
    const void* elf = lineage_bpf__elf_bytes(&size);
    return {.name = "lineage",
            .layout = EGB_LINEAGE_LAYOUT,
            .elf = std::span{static_cast<const std::byte*>(elf), size},
            .optional = optional,
            .resized = BpfImage::Resized{.map = "egb_lineage_all", .entries = room}};
}

template <typename T>
std::span<std::byte> bytes_of(T& value) {
    return std::as_writable_bytes(std::span{&value, 1});
}

std::uint64_t id_of(const ProcessIdentity& process) {
    return process.start_ticks << EGB_LINEAGE_PID_BITS | static_cast<std::uint32_t>(process.pid);
}

std::uint64_t nanoseconds(Instant at) {
    return static_cast<std::uint64_t>(at.time_since_epoch().count());
}

Death death_from(std::uint64_t died_ns, int wait_status, std::uint32_t flags) {
    return {.at = instant_of(died_ns),
            .wait_status = wait_status,
            .seen = (flags & EGB_LINEAGE_DIED_BEFORE) == 0};
}

/// A process and all that it has forked since then, in what was listed at one time.
class Family {
public:
    Family(const std::vector<egb_lineage_process>& all, std::uint64_t head, Instant since) {
        std::multimap<std::uint64_t, const egb_lineage_process*> children;
        for (const auto& process : all) {
            children.emplace(process.parent, &process);
            if (process.id == head) {
                members_.push_back(&process);
            }
        }
        // Grows as it goes: each member's children are members.
        for (std::size_t at = 0; at < members_.size(); ++at) {
            const auto [begin, end] = children.equal_range(members_[at]->id);
            const auto of_it = static_cast<std::uint32_t>(std::distance(begin, end));
            whole_ = whole_ && of_it == children_of(*members_[at]);
            for (const auto& [parent, child] : std::ranges::subrange(begin, end)) {
                if (parent != head || child->forked_ns >= nanoseconds(since)) {
                    members_.push_back(child);
                }
            }
        }
    }

    [[nodiscard]] std::span<const egb_lineage_process* const> members() const { return members_; }

    /// Each has as many children in the list as it has here: a walk through a map that changes can miss some.
    [[nodiscard]] bool whole() const { return whole_; }

private:
    static std::uint32_t children_of(const egb_lineage_process& process) {
        return process.reasons - ((process.flags & EGB_LINEAGE_REAPED) != 0 ? 0 : 1);
    }

    std::vector<const egb_lineage_process*> members_;
    bool whole_{true};
};

} // namespace

std::unique_ptr<EventSource> lineage_events(FdStore& store, std::uint32_t room) {
    return std::make_unique<BpfEvents>(image(room), store);
}

std::uint32_t room_for_processes(const ProcFs& procfs) {
    constexpr std::uint64_t least = 4096;
    constexpr std::uint64_t most = EGB_LINEAGE_PROCESSES;
    const auto limit = procfs.task_room().transform([](const TaskRoom& room) {
        return room.limit + room.limit / 2;
    });
    return static_cast<std::uint32_t>(std::clamp(limit.value_or(most), least, most));
}

ProcessIdentity BpfLineage::identity_of(std::uint64_t id) const {
    return {.boot_id = procfs_.boot_id(),
            .pid = static_cast<std::int32_t>(id & ((1U << EGB_LINEAGE_PID_BITS) - 1)),
            .start_ticks = id >> EGB_LINEAGE_PID_BITS};
}

Result<> BpfLineage::start() {
    auto started = events_->attach().and_then([this] {
        egb_lineage_query query{};
        return events_->call("egb_lineage_who_asks", bytes_of(query))
            .and_then([&](std::uint32_t) -> Result<> {
                if (procfs_.identity(query.pid) != identity_of(query.id)) {
                    return fail(ErrorCode::unsupported, "this /proc is not that of the machine");
                }
                return {};
            });
    });
    if (started) {
        lack_.clear();
        lost_ = events_->lost();
        started = be_complete_since(clock_.now()).or_else([this](const Error& /*not yet*/) {
            return reconcile();
        });
    }
    if (!started) {
        lack_ = started.error().message;
    }
    return started;
}

Result<> BpfLineage::drain() {
    bool died = false;
    const auto taken = events_->drain(batch, [&](EventSource::Record /*a death*/) {
        died = true;
    });
    if (died) {
        for (const OnDeath& listener : listeners_) {
            listener();
        }
    }
    return taken.transform([](std::size_t) {});
}

Result<BpfLineage::Processes> BpfLineage::list(std::string_view program) const {
    Processes found;
    const auto listed =
        events_->iterate(program, sizeof(egb_lineage_process), [&](EventSource::Record record) {
            std::memcpy(&found.emplace_back(), record.data(), sizeof(egb_lineage_process));
        });
    return listed ? Result<Processes>{std::move(found)} : std::unexpected(listed.error());
}

std::size_t BpfLineage::known() const {
    return list("egb_lineage_list").value_or(Processes{}).size();
}

/// Parents first, or their children would have none: a parent is never younger than its child. Where the
/// kernel finds nobody by his pid (before 6.2), who is older is met when he forks.
Result<> BpfLineage::adopt_all() {
    if (!events_->refusal(adopt_program).empty()) {
        return {};
    }
    std::vector<ProcessIdentity> all;
    for (const std::int32_t pid : procfs_.pids()) {
        if (auto process = procfs_.identity(pid)) {
            all.push_back(*std::move(process));
        }
    }
    std::ranges::sort(all, {}, &ProcessIdentity::start_ticks);
    for (const ProcessIdentity& process : all) {
        egb_lineage_query query{};
        query.pid = process.pid;
        if (const auto adopted = events_->call(adopt_program, bytes_of(query)); !adopted) {
            return std::unexpected(adopted.error());
        }
    }
    return {};
}

/// They are listed before /proc is looked into: whoever is not there then has been, and is no more.
Result<> BpfLineage::bury_the_missing() {
    const auto all = list("egb_lineage_list");
    if (!all) {
        return std::unexpected(all.error());
    }
    for (const egb_lineage_process& process : *all) {
        egb_lineage_query query{};
        query.id = process.id;
        const auto known = identity_of(process.id);
        const bool waits_for_children = process.died_ns != 0 && (process.flags & EGB_LINEAGE_REAPED) != 0;
        const auto there = waits_for_children ? Result<bool>{true} : is_there(known);
        if (!there) {
            return std::unexpected(there.error());
        }
        if (*there) {
            continue;
        }
        if (const auto buried = events_->call("egb_lineage_bury", bytes_of(query)); !buried) {
            return std::unexpected(buried.error());
        }
    }
    return {};
}

Result<> BpfLineage::reconcile() {
    const Instant begun = clock_.now();
    const std::uint64_t lost = events_->lost();
    return adopt_all()
        .and_then([this] {
            return bury_the_missing();
        })
        .and_then([&] {
            lost_ = lost;
            return set_complete_since(begun);
        });
}

Result<> BpfLineage::set_complete_since(Instant at) {
    const egb_lineage_since since{.complete_ns = nanoseconds(at)};
    return events_->control("egb_lineage_since", std::as_bytes(std::span{&since, 1}));
}

bool BpfLineage::incomplete() const {
    return lack_.empty() && !be_complete_since(clock_.now());
}

Result<> BpfLineage::be_complete_since(Instant at) const {
    egb_lineage_since since{};
    egb_lineage_loss loss{};
    if (const auto read = events_->read("egb_lineage_since", bytes_of(since)).and_then([&] {
            return events_->read("egb_lineage_loss", bytes_of(loss));
        });
        !read) {
        return read;
    }
    if (events_->lost() != lost_ || since.complete_ns == 0 || loss.last_ns >= since.complete_ns) {
        return fail(ErrorCode::lost, "not all processes are known for now");
    }
    if (nanoseconds(at) < since.complete_ns) {
        return fail(ErrorCode::lost, "not all processes were known then");
    }
    return {};
}

Result<std::vector<Unreaped>> BpfLineage::unreaped() {
    if (!lack_.empty()) {
        return fail(ErrorCode::unsupported, "{}", lack_);
    }
    const std::uint64_t none = 0;
    if (auto heard = events_->control("egb_lineage_news", std::as_bytes(std::span{&none, 1})); !heard) {
        return std::unexpected(heard.error());
    }
    return list("egb_lineage_list_dead").transform([this](const Processes& dead) {
        std::vector<Unreaped> found;
        for (const egb_lineage_process& process : dead) {
            found.push_back(
                {.process = identity_of(process.id),
                 .forked_by = process.parent == 0 ? std::nullopt : std::optional{identity_of(process.parent)},
                 .death = death_from(process.died_ns, process.wait_status, process.flags)});
        }
        return found;
    });
}

/// A list takes its time: a child that is forked meanwhile may be missing from it, when its parent, too, has
/// died before it was its turn. But then some of the family has died since the list was begun.
Result<std::vector<ProcessIdentity>> BpfLineage::heirs(const ProcessIdentity& of, Instant since) {
    if (!lack_.empty()) {
        return fail(ErrorCode::unsupported, "{}", lack_);
    }
    if (of.boot_id != procfs_.boot_id()) {
        return {};
    }
    for (int attempt = 0; attempt < tries; ++attempt) {
        const std::uint64_t begun = nanoseconds(clock_.now());
        const auto all = list("egb_lineage_list");
        const auto complete = all ? be_complete_since(since) : std::unexpected(all.error());
        if (!complete) {
            return std::unexpected(complete.error());
        }
        const Family family{*all, id_of(of), since};
        std::vector<ProcessIdentity> living;
        bool overtaken = !family.whole();
        for (const egb_lineage_process* process : family.members()) {
            overtaken = overtaken || process->died_ns >= begun;
            if (process->died_ns == 0) {
                living.push_back(identity_of(process->id));
            }
        }
        if (family.members().empty()) {
            // One that has no entry has no descendant, and may live: it has never forked since we look.
            const auto head = look_up(of);
            if (!head) {
                return std::unexpected(head.error());
            }
            overtaken = *head == Known::has_entry;
            if (*head == Known::lives) {
                living.push_back(of);
            }
        }
        if (!living.empty() || !overtaken) {
            return living;
        }
    }
    return fail(ErrorCode::busy, "its descendants come and go too fast");
}

/// Whether a process of which the list has nothing is there.
Result<BpfLineage::Known> BpfLineage::look_up(const ProcessIdentity& process) {
    egb_lineage_query query{};
    query.id = id_of(process);
    const auto answer = events_->call("egb_lineage_death_of", bytes_of(query));
    if (!answer) {
        return std::unexpected(answer.error());
    }
    if (*answer == EGB_LINEAGE_IS_ALIVE) {
        return Known::has_entry;
    }
    if (*answer == EGB_LINEAGE_IS_DEAD) {
        return Known::is_no_more;
    }
    return is_there(process).transform([](bool there) {
        return there ? Known::lives : Known::is_no_more;
    });
}

Result<bool> BpfLineage::is_there(const ProcessIdentity& process) const {
    const auto found = procfs_.identity(process.pid);
    if (!found && found.error().code != ErrorCode::not_found) {
        return std::unexpected(found.error());
    }
    return found && *found == process;
}

Result<std::optional<Death>> BpfLineage::death_of(const ProcessIdentity& process) {
    egb_lineage_query query{};
    query.id = id_of(process);
    const auto answer = events_->call("egb_lineage_death_of", bytes_of(query));
    if (!answer) {
        return std::unexpected(answer.error());
    }
    if (*answer == EGB_LINEAGE_IS_DEAD) {
        return death_from(query.death.died_ns, query.death.wait_status, query.death.flags);
    }
    const auto there = *answer == EGB_LINEAGE_IS_ALIVE ? Result<bool>{true} : is_there(process);
    if (!there) {
        return std::unexpected(there.error());
    }
    return *there ? Result<std::optional<Death>>{std::nullopt}
                  : fail(ErrorCode::lost, "how process {} has ended is not known", process.pid);
}

} // namespace egb::host
