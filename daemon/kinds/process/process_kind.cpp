// SPDX-License-Identifier: Apache-2.0
#include "kinds/process/process_kind.hpp"

#include "host/task_room.hpp"
#include "kinds/process/process.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace egb::process {

namespace {

template <typename T>
std::span<const std::byte> bytes_of(const T& value) {
    return std::as_bytes(std::span{&value, 1});
}

template <typename Record>
Record record_of_type(RecordType type) {
    Record record{};
    record.header = {.type = std::to_underlying(type), .size = sizeof(Record), .reserved = 0, .time_ns = 0};
    return record;
}

} // namespace

const KindInfo& ProcessKind::info() const {
    return process::info();
}

void ProcessKind::configure(const OptionValues& options) {
    after_ = options.span("ZombieAfter");
    restarts_ = options.text("ParentUnit") == "restart";
    tracker_.set_after(after_);
    tracker_.set_nudge(options.flag("Nudge"));
    tracker_.set_ripe_within(restarts_ ? std::optional{options.span("ParentUnitWithin")} : std::nullopt);
    cleaner_.set_restart_every(restarts_ ? std::optional{options.span("ParentUnitEvery")} : std::nullopt);
}

Result<> ProcessKind::start() {
    if (const auto lack = surroundings_.lineage.lack(); !lack.empty()) {
        return fail(ErrorCode::unsupported, "who forks whom cannot be followed: {}", lack);
    }
    surroundings_.lineage.listen([this] {
        on_death();
    });
    return {};
}

std::vector<Capability> ProcessKind::capabilities() const {
    const auto lack = surroundings_.lineage.lack();
    return {
        {.name = "lineage",
         .works = lack.empty(),
         .detail = lack.empty()
                       ? "tp_btf/sched_process_{fork,exit,free} follow who forks whom, and who dies how"
                       : lack},
        {.name = "nudge",
         .works = true,
         .detail =
             surroundings_.procfs.has_our_pids()
                 ? "a parent is told again by SIGCHLD, through a pidfd"
                 : "a parent is told again by SIGCHLD, through a pidfd, if it lives in our pid namespace"},
        {.name = "units",
         .works = !restarts_ || cleaner_.unit_refusal().empty(),
         .detail = !restarts_ ? "ParentUnit=no: no unit is restarted"
                   : cleaner_.unit_refusal().empty()
                       ? "systemd is asked to restart the unit of a parent that uses "
                         "up its pids; polkit must let us (eghostbusterd(8))"
                       : cleaner_.unit_refusal()},
    };
}

void ProcessKind::tell(SightingType type, Source source, std::span<const std::byte> record,
                       ProcessPtr process) {
    tracker_.observe({.type = type,
                      .source = source,
                      .at = surroundings_.clock.now(),
                      .record = record,
                      .process = std::move(process)});
}

void ProcessKind::on_death() {
    const egb_header record{.type = std::to_underlying(RecordType::death),
                            .size = sizeof(egb_header),
                            .reserved = 0,
                            .time_ns = 0};
    tell(SightingType::seen, Source::event, bytes_of(record));
}

Result<> ProcessKind::sweep(SweepReason /*reason*/) {
    const auto dead = surroundings_.lineage.unreaped();
    if (!dead) {
        return std::unexpected(dead.error());
    }
    host::ProcessLookup lookup{surroundings_.procfs};
    parents_.clear();
    tell(SightingType::sweep_begin, Source::sweep);
    for (const host::Unreaped& one : *dead) {
        tell_zombie(one, lookup);
    }
    for (const ProcessPtr& parent : std::exchange(parents_, {})) {
        tell_parent(*parent);
    }
    for (const ProcessPtr& parent : tracker_.missing()) {
        tell_if_ended(parent->id);
    }
    tell(SightingType::sweep_end, Source::sweep);
    return {};
}

/// Whether it is dead is looked up once more: /proc is the second source.
void ProcessKind::tell_zombie(const host::Unreaped& dead, host::ProcessLookup& lookup) {
    const auto& procfs = surroundings_.procfs;
    auto record = record_of_type<ZombieRecord>(RecordType::zombie);
    record.died_ns = static_cast<std::uint64_t>(dead.death.at.time_since_epoch().count());
    record.start_ticks = dead.process.start_ticks;
    record.pid = dead.process.pid;
    record.wait_status = dead.death.wait_status;
    record.flags = dead.death.seen ? 0U : dead_before_us;
    if (later(dead.death.at, after_) > surroundings_.clock.now()) {
        tell(SightingType::held, Source::sweep, bytes_of(record));
        return;
    }
    const auto state = procfs.state(dead.process.pid);
    if (!state || state->start_ticks != dead.process.start_ticks || state->state != 'Z' ||
        state->threads > 1) {
        return; // while a thread of it hangs on its way out, nobody can wait for it
    }
    const auto parent = procfs.identity(state->parent);
    if (!parent) {
        return; // it ends at this moment, and init takes its children over
    }
    record.flags |= state->tracer != 0 ? is_traced : 0U;
    record.flags |= dead.forked_by && *dead.forked_by != *parent ? is_inherited : 0U;
    state->comm.copy(record.comm, sizeof(record.comm) - 1);
    const ProcessPtr process = lookup.find(parent->pid, parent->start_ticks);
    parents_.insert(process);
    tell(SightingType::held, Source::sweep, bytes_of(record), process);
}

/// Its children went to init then, whatever it was told.
void ProcessKind::tell_if_ended(const ProcessIdentity& parent) {
    if (surroundings_.procfs.identity(parent.pid) != parent) {
        auto record = record_of_type<ParentRecord>(RecordType::parent);
        record.start_ticks = parent.start_ticks;
        record.pid = parent.pid;
        tell(SightingType::gone, Source::sweep, bytes_of(record));
    }
}

void ProcessKind::tell_parent(const Process& parent) {
    const auto& procfs = surroundings_.procfs;
    const auto state = procfs.state(parent.id.pid);
    if (!state || state->start_ticks != parent.id.start_ticks) {
        return;
    }
    auto record = record_of_type<ParentRecord>(RecordType::parent);
    record.start_ticks = parent.id.start_ticks;
    record.pid = parent.id.pid;
    const bool waits_for_kernel = state->state == 'D';
    const bool stops = state->state == 'T' || state->state == 't';
    record.flags = (waits_for_kernel || stops || host::is_frozen(procfs, parent.id.pid) ? is_stopped : 0U) |
                   (state->is_container_init ? is_container_init : 0U) | (parent.id.pid == 1 ? is_init : 0U) |
                   (procfs.our_pid_of(parent.id.pid) ? can_be_told : 0U);
    const auto room = host::task_room_of(procfs, parent.id.pid);
    record.tasks_used = room ? room->used : 0;
    record.task_limit = room ? room->limit : UINT64_MAX;
    tell(SightingType::seen, Source::sweep, bytes_of(record));
}

} // namespace egb::process
