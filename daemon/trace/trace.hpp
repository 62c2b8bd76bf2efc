// SPDX-License-Identifier: Apache-2.0
// The process monitor: for each watcher a socket with one line of JSON for each event that passes his filter.
// Who is slow loses events, and is told how many; he delays neither the daemon nor anybody else. A watcher
// ends when his end is closed. Owned by the daemon, runs on its loop, in bounded pieces of work.
#pragma once

#include "core/clock.hpp"
#include "core/result.hpp"
#include "host/fd.hpp"
#include "host/procfs.hpp"
#include "loop/event_loop.hpp"
#include "trace/cgroup_cache.hpp"
#include "trace/event.hpp"
#include "trace/filter.hpp"
#include "trace/tracer.hpp"
#include "trace/watcher.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace egb::trace {

class Trace {
public:
    static constexpr std::size_t most_watchers = 32;
    static constexpr std::size_t most_of_a_user = 8; ///< root may have all

    /// Between two looks at a ring in which there is always something. To be woken for each event costs many
    /// times as much as the event, here and in the process that it is about.
    static constexpr Span usual_rest = std::chrono::milliseconds{10};

    /// All of them outlive it.
    Trace(const Clock& clock, const host::ProcFs& procfs, loop::EventLoop& loop, Tracer::MakeEvents make,
          Span rest = usual_rest);
    ~Trace();
    Trace(const Trace&) = delete;
    Trace& operator=(const Trace&) = delete;

    /// The reader's end of a new socket. A JSON line written to it is a new filter in place of this one.
    /// `busy` when there are as many watchers as there may be.
    [[nodiscard]] Result<host::Fd> watch(const Filter& filter, std::uint32_t uid);

    [[nodiscard]] std::size_t watchers() const { return seats_.size(); }

private:
    using Number = std::uint64_t;

    /// A watcher, and what of the loop and of the kernel side is his.
    struct Seat {
        Watcher watcher;
        Slot slot{};
        Filter filter;
        loop::EventSource readable{};
        host::Fd duplicate{}; ///< while his socket is full
        loop::EventSource writable{};
    };

    /// The lines of one event, each made when it is first wanted.
    struct Lines {
        std::optional<std::string> plain;
        std::optional<std::string> with_cwd;
    };

    [[nodiscard]] Result<> check_limits(std::uint32_t uid) const;
    void listen(Number number);
    void on_events();
    void take_a_rest();
    void take(host::EventSource::Record record);
    void hand_out(const Event& event);
    const std::string& line_for(const Filter& filter, const Event& event, Lines& lines);
    [[nodiscard]] WallTime wall(Instant instant) const;
    void tell_kernel_losses();
    void on_readable(Number number);
    void obey(Seat& seat, std::string_view line);
    void flush_all();
    /// False when nobody is there any more.
    [[nodiscard]] bool flush(Number number, Seat& seat);
    void end(Number number);
    [[nodiscard]] std::string greeting() const;

    const Clock& clock_;
    const host::ProcFs& procfs_;
    loop::EventLoop& loop_;
    Span rest_;
    Tracer tracer_;
    CgroupCache cgroups_;
    std::map<Number, Seat> seats_;
    std::array<Number, EGB_TRACE_FILTERS> owners_{}; ///< who has each slot, or had it last
    Number last_number_{};
    Instant batch_began_; ///< the clocks are read once for many events, whose times keep their order so
    WallTime batch_began_wall_;
    std::uint64_t lost_{}; ///< in the kernel, of which everybody has been told
    loop::EventSource events_;
    loop::EventSource end_of_rest_;
};

} // namespace egb::trace
