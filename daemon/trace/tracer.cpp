// SPDX-License-Identifier: Apache-2.0
#include "trace/tracer.hpp"

#include "host/cgroup_tree.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>
#include <ranges>
#include <utility>
#include <vector>

namespace egb::trace {

namespace {

constexpr std::uint64_t bit(Slot slot) {
    return std::uint64_t{1} << slot;
}

template <typename Context>
std::span<std::byte> bytes_of(Context& context) {
    return std::as_writable_bytes(std::span{&context, 1});
}

std::uint32_t wants_of(const Filter& filter) {
    std::uint32_t wants = 0;
    const auto want = [&wants](bool wanted, std::uint32_t what) {
        wants |= wanted ? what : 0;
    };
    want(filter.exec && !filter.only_ends(), EGB_TRACE_WANTS_EXEC);
    want(filter.fork && !filter.only_ends(), EGB_TRACE_WANTS_FORK);
    want(filter.exit, EGB_TRACE_WANTS_EXIT);
    want(filter.uid.has_value(), EGB_TRACE_OF_UID);
    want(!filter.comm.empty(), EGB_TRACE_OF_COMM);
    want(filter.failed, EGB_TRACE_FAILED);
    want(!filter.cgroup.empty(), EGB_TRACE_IN_CGROUP);
    want(!filter.unit.empty(), EGB_TRACE_IN_UNIT);
    want(filter.pid.has_value(), EGB_TRACE_OF_FOLLOWED);
    return wants;
}

egb_trace_filter kernel_filter(const Filter& filter) {
    egb_trace_filter kernel{};
    kernel.least_lived_ns = static_cast<std::uint64_t>(filter.min_duration.count());
    kernel.uid = filter.uid.value_or(0);
    kernel.wants = wants_of(filter);
    std::memcpy(kernel.comm, filter.comm.data(), std::min(filter.comm.size(), sizeof(kernel.comm)));
    return kernel;
}

} // namespace

Tracer::Tracer(const Clock& clock, const host::ProcFs& procfs, MakeEvents make)
    : clock_{clock}, procfs_{procfs}, make_{std::move(make)} {}

Result<> Tracer::attach() {
    if (attached()) {
        return {};
    }
    auto events = make_();
    if (auto ready = events->attach(); !ready) {
        return ready;
    }
    events_ = std::move(events);
    followed_ = false;
    return {};
}

void Tracer::detach_if_unused() {
    if (std::ranges::none_of(slots_, &State::used)) {
        events_.reset();
        slots_ = {};
    }
}

/// The one that was let go first: what it let pass has had the longest time to arrive.
std::optional<Slot> Tracer::find_free() const {
    std::optional<Slot> found;
    for (Slot slot = 0; slot < slots_.size(); ++slot) {
        if (!slots_[slot].used && (!found || slots_[slot].left < slots_[*found].left)) {
            found = slot;
        }
    }
    return found;
}

Result<Slot> Tracer::arm(const Filter& filter) {
    const auto slot = find_free();
    if (!slot) {
        return fail(ErrorCode::busy, "there are {} filters in force already", slots_.size());
    }
    std::uint64_t cgroup = 0;
    if (!filter.cgroup.empty()) {
        const auto id = host::cgroup_id(filter.cgroup);
        if (!id) {
            return std::unexpected(id.error());
        }
        cgroup = *id;
    }
    if (auto ready = attach(); !ready) {
        return std::unexpected(ready.error());
    }
    slots_[*slot] = {.used = true, .filter = filter, .cgroup = cgroup, .armed = {}, .left = 0};
    if (auto armed = put_in_force(*slot); !armed) {
        disarm(*slot);
        return std::unexpected(armed.error());
    }
    return *slot;
}

/// The filter first and its bit last. Who is to be followed can only be found once forks are seen.
Result<> Tracer::put_in_force(Slot slot) {
    followed_ = followed_ || slots_[slot].filter.pid.has_value();
    return write_filters()
        .and_then([this, slot] {
            return change_groups(slot, bit(slot), 0);
        })
        .and_then([this, slot] {
            slots_[slot].armed = clock_.now();
            return write_control();
        })
        .and_then([this, slot] {
            return slots_[slot].filter.pid ? follow(slot) : Result<>{};
        });
}

void Tracer::disarm(Slot slot) {
    slots_[slot].used = false;
    slots_[slot].left = ++lets_go_;
    // What cannot be taken back now goes with the programs; the bit alone lets nothing pass that is not ours.
    static_cast<void>(write_control());
    static_cast<void>(change_groups(slot, 0, bit(slot)));
    if (slots_[slot].filter.pid) {
        egb_trace_follow nobody{.filters = bit(slot), .start_ticks = 0, .pid = 0, .reserved = 0};
        static_cast<void>(run("egb_trace_unfollow", bytes_of(nobody)));
    }
    detach_if_unused();
}

Result<> Tracer::write_filters() {
    egb_trace_filters filters{};
    for (Slot slot = 0; slot < slots_.size(); ++slot) {
        filters.all[slot] = slots_[slot].used ? kernel_filter(slots_[slot].filter) : egb_trace_filter{};
    }
    return events_->control("egb_trace_filters", std::as_bytes(std::span{&filters, 1}));
}

Result<> Tracer::write_control() {
    egb_trace_control control{};
    for (Slot slot = 0; slot < slots_.size(); ++slot) {
        const auto& [used, filter, cgroup, armed, left] = slots_[slot];
        if (!used) {
            continue;
        }
        control.active |= bit(slot);
        control.by_cgroup |= filter.cgroup.empty() ? 0 : bit(slot);
        control.by_unit |= filter.unit.empty() ? 0 : bit(slot);
        control.with_cwd |= filter.cwd ? bit(slot) : 0;
    }
    control.following = followed_ ? control.active : 0;
    return run("egb_trace_arm", bytes_of(control));
}

/// Those of the two that the filter names.
Result<> Tracer::change_groups(Slot slot, std::uint64_t add, std::uint64_t remove) {
    const auto& state = slots_[slot];
    Result<> changed;
    if (state.cgroup != 0) {
        egb_trace_group group{.add = add, .remove = remove, .id = state.cgroup, .unit = {}};
        changed = run("egb_trace_group", bytes_of(group));
    }
    if (changed && !state.filter.unit.empty()) {
        egb_trace_group group{.add = add, .remove = remove, .id = 0, .unit = {}};
        std::memcpy(group.unit, state.filter.unit.data(),
                    std::min(state.filter.unit.size(), sizeof(group.unit) - 1));
        changed = run("egb_trace_group", bytes_of(group));
    }
    return changed;
}

/// Whoever is followed passes it on to each child from then on. A child that is older than that is found by
/// its parent, in as many passes as it takes until one finds nobody new: whoever that one did not list was
/// born to somebody who was followed already.
Result<> Tracer::follow(Slot slot) {
    const auto root = procfs_.link(*slots_[slot].filter.pid);
    if (!root) {
        return std::unexpected(root.error());
    }
    if (auto followed = follow_one(slot, *root); !followed) {
        return followed;
    }
    constexpr int most_passes = 16;
    std::map<std::int32_t, std::uint64_t> known{{root->pid, root->start_ticks}};
    for (int pass = 0; pass < most_passes; ++pass) {
        const auto found = follow_children(slot, known);
        if (!found) {
            return std::unexpected(found.error());
        }
        if (!*found) {
            return {};
        }
    }
    return {};
}

/// Whether there was anybody new.
Result<bool> Tracer::follow_children(Slot slot, std::map<std::int32_t, std::uint64_t>& known) {
    bool found = false;
    for (const std::int32_t pid : procfs_.pids()) {
        const auto process = procfs_.link(pid);
        if (!process || known.contains(pid) || !known.contains(process->parent)) {
            continue;
        }
        if (auto followed = follow_one(slot, *process); !followed) {
            return std::unexpected(followed.error());
        }
        known.emplace(pid, process->start_ticks);
        found = true;
    }
    return found;
}

/// One that has ended meanwhile would stay for ever: the kernel side removes who ends.
Result<> Tracer::follow_one(Slot slot, const host::ProcessLink& process) {
    egb_trace_follow wanted{
        .filters = bit(slot), .start_ticks = process.start_ticks, .pid = process.pid, .reserved = 0};
    if (auto followed = run("egb_trace_follow", bytes_of(wanted)); !followed) {
        return followed;
    }
    const auto now = procfs_.identity(process.pid);
    if (now && now->start_ticks == process.start_ticks) {
        return {};
    }
    return run("egb_trace_unfollow", bytes_of(wanted));
}

Result<> Tracer::run(std::string_view program, std::span<std::byte> context) {
    const auto returned = events_->call(program, context);
    if (!returned) {
        return std::unexpected(returned.error());
    }
    if (*returned != 0) {
        return fail(ErrorCode::busy, "the kernel side has no room: too many processes are followed");
    }
    return {};
}

} // namespace egb::trace
