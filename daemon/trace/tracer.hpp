// SPDX-License-Identifier: Apache-2.0
// The kernel side of the process monitor: which filters are in force there, and the events that pass them.
// Its programs are attached while some filter is, and cost nothing otherwise. Owned by Trace, runs on the
// loop.
#pragma once

#include "bpf/trace.h"
#include "core/clock.hpp"
#include "core/result.hpp"
#include "host/events.hpp"
#include "host/procfs.hpp"
#include "trace/filter.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace egb::trace {

/// The number of a filter that is in force: the bit by which events say that they pass it.
using Slot = unsigned;

class Tracer {
public:
    using MakeEvents = std::function<std::unique_ptr<host::EventSource>()>;
    using OnRecord = host::EventSource::OnRecord;

    /// `make` is asked each time that somebody is the first to watch.
    Tracer(const Clock& clock, const host::ProcFs& procfs, MakeEvents make);

    /// Puts a filter in force. What it follows is followed with all its descendants when this returns. `busy`
    /// when there are as many as there can be.
    [[nodiscard]] Result<Slot> arm(const Filter& filter);

    /// Takes it out of force; the last one takes the programs out of the kernel. Events that were on their
    /// way still come, for as long as the slot is not used again.
    void disarm(Slot slot);

    /// Whether an event with this slot's bit is of the filter that is there now, or was there last.
    [[nodiscard]] bool is_of(Slot slot, Instant at) const { return at >= slots_[slot].armed; }

    [[nodiscard]] bool attached() const { return events_ != nullptr; }

    // While it is attached.
    [[nodiscard]] int poll_fd() const { return events_->poll_fd(); }
    [[nodiscard]] Result<std::size_t> drain(std::size_t most, const OnRecord& on_record) {
        return events_->drain(most, on_record);
    }
    /// Events that found no room, since somebody was the first to watch.
    [[nodiscard]] std::uint64_t lost() const { return events_->lost(); }

private:
    struct State {
        bool used{};
        Filter filter;
        std::uint64_t cgroup{}; ///< the id of filter.cgroup
        Instant armed;
        std::uint64_t left{}; ///< when it was last let go, counted
    };

    [[nodiscard]] Result<> attach();
    void detach_if_unused();
    [[nodiscard]] std::optional<Slot> find_free() const;
    [[nodiscard]] Result<> put_in_force(Slot slot);
    [[nodiscard]] Result<> write_filters();
    [[nodiscard]] Result<> write_control();
    [[nodiscard]] Result<> change_groups(Slot slot, std::uint64_t add, std::uint64_t remove);
    [[nodiscard]] Result<> follow(Slot slot);
    [[nodiscard]] Result<bool> follow_children(Slot slot, std::map<std::int32_t, std::uint64_t>& known);
    [[nodiscard]] Result<> follow_one(Slot slot, const host::ProcessLink& process);
    [[nodiscard]] Result<> run(std::string_view program, std::span<std::byte> context);

    const Clock& clock_;
    const host::ProcFs& procfs_;
    MakeEvents make_;
    std::unique_ptr<host::EventSource> events_;
    std::array<State, EGB_TRACE_FILTERS> slots_;
    std::uint64_t lets_go_{};
    bool followed_{}; ///< since it is attached: there may be entries of the ended to remove
};

/// The real kernel side.
[[nodiscard]] std::unique_ptr<host::EventSource> kernel_events();

} // namespace egb::trace
