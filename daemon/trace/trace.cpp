// SPDX-License-Identifier: Apache-2.0
#include "trace/trace.hpp"

#include "host/kernel_names.hpp"
#include "trace/json_line.hpp"

#include <fcntl.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <ranges>
#include <span>
#include <system_error>
#include <utility>

namespace egb::trace {

namespace {

/// Events at a time, before others have their turn.
constexpr std::size_t batch = 256;
constexpr std::size_t few = 8;

std::string complaint(const Error& error) {
    JsonLine line;
    line.text("event", "error");
    line.text("message", error.message);
    return std::move(line).finish();
}

} // namespace

Trace::Trace(const Clock& clock, const host::ProcFs& procfs, loop::EventLoop& loop, Tracer::MakeEvents make,
             Span rest)
    : clock_{clock},
      procfs_{procfs},
      loop_{loop},
      rest_{rest},
      tracer_{clock, procfs, std::move(make)},
      end_of_rest_{loop.timer(loop::Priority::events, [this] {
          if (events_) {
              loop_.resume(events_);
          }
      })} {}

Trace::~Trace() = default;

Result<> Trace::check_limits(std::uint32_t uid) const {
    if (seats_.size() >= most_watchers) {
        return fail(ErrorCode::busy, "there are {} watchers already: end one of them first", most_watchers);
    }
    const auto of_user = std::ranges::count_if(seats_ | std::views::values, [uid](const Seat& seat) {
        return seat.watcher.uid() == uid;
    });
    if (uid != 0 && of_user >= std::ptrdiff_t{most_of_a_user}) {
        return fail(ErrorCode::busy, "uid {} has {} watchers already: end one of them first", uid, of_user);
    }
    return {};
}

std::string Trace::greeting() const {
    JsonLine line;
    line.text("event", "watching");
    line.number("time", clock_.wall_now().time_since_epoch().count());
    line.text("boot_id", procfs_.boot_id());
    return std::move(line).finish();
}

Result<host::Fd> Trace::watch(const Filter& filter, std::uint32_t uid) {
    if (const auto sound = check(filter).and_then([this, uid] {
            return check_limits(uid);
        });
        !sound) {
        return std::unexpected(sound.error());
    }
    auto ends = make_ends();
    if (!ends) {
        return std::unexpected(ends.error());
    }
    const auto slot = tracer_.arm(filter);
    if (!slot) {
        return std::unexpected(slot.error());
    }
    const Number number = ++last_number_;
    owners_[*slot] = number;
    seats_.emplace(number,
                   Seat{.watcher = Watcher{std::move(ends->ours), uid}, .slot = *slot, .filter = filter});
    try {
        listen(number);
    } catch (const std::system_error& error) {
        end(number);
        return fail(ErrorCode::io, "the watcher cannot be served: {}", error.what());
    }
    return std::move(ends->theirs);
}

void Trace::listen(Number number) {
    Seat& seat = seats_.at(number);
    if (!events_) {
        lost_ = 0;
        events_ = loop_.on_readable(tracer_.poll_fd(), loop::Priority::events, [this] {
            on_events();
        });
    }
    seat.readable = loop_.on_readable(seat.watcher.fd(), loop::Priority::events, [this, number] {
        on_readable(number);
    });
    seat.watcher.out().answer(greeting());
    // Nobody can have left: the other end is still here.
    static_cast<void>(flush(number, seat));
}

void Trace::on_events() {
    batch_began_ = clock_.now();
    batch_began_wall_ = clock_.wall_now();
    const auto taken = tracer_.drain(batch, [this](host::EventSource::Record record) {
        take(record);
    });
    if (!taken) {
        // The descriptor would stay readable for ever. Who watches sees the end, and may begin again.
        while (!seats_.empty()) {
            end(seats_.begin()->first);
        }
        return;
    }
    // A ring that was full is not drained in a few.
    if (*taken >= few) {
        tell_kernel_losses();
    }
    if (*taken < batch) {
        take_a_rest();
    }
    flush_all();
}

/// One that comes alone was told at once; many come together after this.
void Trace::take_a_rest() {
    if (rest_ > Span::zero()) {
        loop_.pause(events_);
        loop_.arm(end_of_rest_, later(clock_.now(), rest_));
    }
}

void Trace::take(host::EventSource::Record record) {
    if (const auto event = read_event(record)) {
        hand_out(*event);
    } else if (const auto cgroup = read_cgroup(record)) {
        cgroups_.learn(cgroup->id, host::path_of_names(cgroup->names));
    }
}

/// Each watcher once, although the event may pass both the filter that he has and the one that he had.
void Trace::hand_out(const Event& event) {
    const Instant at = instant_of(event.head.header.time_ns);
    std::array<Number, EGB_TRACE_FILTERS> served{};
    std::size_t count = 0;
    Lines lines;
    for (std::uint64_t left = event.head.filters; left != 0; left &= left - 1) {
        const auto slot = static_cast<Slot>(std::countr_zero(left));
        if (!tracer_.is_of(slot, at)) {
            continue;
        }
        const Number owner = owners_[slot];
        const auto seat = seats_.find(owner);
        if (seat != seats_.end() && !std::ranges::contains(std::span{served}.first(count), owner)) {
            served[count++] = owner;
            seat->second.watcher.out().add(line_for(seat->second.filter, event, lines));
        }
    }
}

const std::string& Trace::line_for(const Filter& filter, const Event& event, Lines& lines) {
    auto& line = filter.cwd ? lines.with_cwd : lines.plain;
    if (!line) {
        const Setting setting{.at = wall(instant_of(event.head.header.time_ns)),
                              .boot_id = procfs_.boot_id(),
                              .names = cgroups_.names(event.head.cgroup)};
        line = render(event, setting, filter.cwd ? WithCwd::yes : WithCwd::no);
    }
    return *line;
}

WallTime Trace::wall(Instant instant) const {
    return batch_began_wall_ - std::chrono::duration_cast<std::chrono::microseconds>(batch_began_ - instant);
}

void Trace::tell_kernel_losses() {
    const std::uint64_t lost = tracer_.lost();
    if (lost == lost_) {
        return;
    }
    for (auto& [number, seat] : seats_) {
        seat.watcher.out().lose_in_kernel(lost - lost_);
    }
    lost_ = lost;
}

void Trace::on_readable(Number number) {
    Seat& seat = seats_.at(number);
    const auto heard = seat.watcher.hear();
    if (heard.line) {
        obey(seat, *heard.line);
    }
    if (!heard.there || !flush(number, seat)) {
        end(number);
    }
}

/// The new filter is in force before the old one is not: nothing that passes both is missed.
void Trace::obey(Seat& seat, std::string_view line) {
    const auto filter = parse_filter(line);
    const auto slot = filter ? tracer_.arm(*filter) : std::unexpected(filter.error());
    if (!slot) {
        seat.watcher.out().answer(complaint(slot.error()));
        return;
    }
    owners_[*slot] = owners_[seat.slot];
    tracer_.disarm(std::exchange(seat.slot, *slot));
    seat.filter = *filter;
    seat.watcher.out().answer(greeting());
}

void Trace::flush_all() {
    std::vector<Number> gone;
    for (auto& [number, seat] : seats_) {
        if (!flush(number, seat)) {
            gone.push_back(number);
        }
    }
    for (const Number number : gone) {
        end(number);
    }
}

bool Trace::flush(Number number, Seat& seat) {
    const auto flow = seat.watcher.flush();
    if (flow == LineQueue::Flow::done) {
        seat.writable.reset();
        seat.duplicate.reset();
    } else if (flow == LineQueue::Flow::blocked && !seat.writable) {
        seat.duplicate = host::Fd{::fcntl(seat.watcher.fd(), F_DUPFD_CLOEXEC, 0)};
        if (!seat.duplicate) {
            return false;
        }
        seat.writable = loop_.on_writable(seat.duplicate.get(), loop::Priority::events, [this, number] {
            if (!flush(number, seats_.at(number))) {
                end(number);
            }
        });
    }
    return flow != LineQueue::Flow::gone;
}

/// The source of the events before the events themselves, which the last one takes along.
void Trace::end(Number number) {
    const auto node = seats_.extract(number);
    if (seats_.empty()) {
        events_.reset();
    }
    tracer_.disarm(node.mapped().slot);
}

} // namespace egb::trace
