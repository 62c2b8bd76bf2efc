// SPDX-License-Identifier: Apache-2.0
#include "kind_runner.hpp"

#include "core/format.hpp"
#include "host/privileges.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <span>
#include <utility>

namespace egb {

namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Span between_timed_sweeps = milliseconds{100};
/// Of a CPU's time, those that the clock asks for take no more than this part.
constexpr int sweeping_part = 50;
constexpr Span longest_between_timed_sweeps = minutes{5};
constexpr Span between_loss_sweeps = seconds{2};
constexpr Span first_retry = seconds{5};
constexpr Span last_retry = minutes{5};

Span retry_after(unsigned failures) {
    Span span = first_retry;
    for (unsigned failure = 1; failure < failures && span < last_retry; ++failure) {
        span *= 2;
    }
    return std::min(span, last_retry);
}

/// It goes by what a sweep costs: on a busy machine it waits for a CPU, which is no reason to look the more
/// rarely. But the loop waits meanwhile, whatever for, and others have their turn for as long.
Span pause_after(Span worked, Span took) {
    return std::clamp(std::max(worked * (sweeping_part - 1), took), between_timed_sweeps,
                      longest_between_timed_sweeps);
}

/// A timed sweep looks at what is known; all others also look for what was missed.
bool is_as_thorough(SweepReason one, SweepReason other) {
    return one != SweepReason::timer || other == SweepReason::timer;
}

std::string listed(std::span<const std::string_view> names) {
    std::string list;
    for (const auto name : names) {
        list += formatted("{}{}", list.empty() ? "" : " ", name);
    }
    return list;
}

Capability privileges(std::span<const std::string_view> wanted) {
    const auto missing = host::missing_privileges(wanted);
    return {.name = "privileges",
            .works = missing.empty(),
            .detail = missing.empty() ? listed(wanted)
                                      : formatted("{} is missing, of {}", listed(missing), listed(wanted))};
}

} // namespace

KindRunner::KindRunner(KindPtr kind, OptionValues section, const Clock& clock, loop::EventLoop& loop,
                       engine::Pipeline& pipeline, OnNews on_news)
    : kind_{std::move(kind)},
      section_{std::move(section)},
      clock_{clock},
      loop_{loop},
      pipeline_{pipeline},
      on_news_{std::move(on_news)},
      sweep_timer_{loop.timer(loop::Priority::sweeps, [this] {
          if (const auto reason = std::exchange(owed_, std::nullopt)) {
              pay_sweep(*reason);
          }
      })} {
    kind_->configure(section_);
}

void KindRunner::start() {
    if (!section_.flag("Enabled")) {
        state_ = State::disabled;
        let_go();
        return;
    }
    if (const auto started = kind_->start(); !started) {
        state_ = State::broken;
        failure_ = started.error().message;
        spdlog::error("{} does not start: {}", info().name, failure_);
        let_go();
        return;
    }
    state_ = State::running;
    for (const Capability& capability : kind_->capabilities()) {
        if (!capability.works) {
            spdlog::warn("{} without {}: {}", info().name, capability.name, capability.detail);
        }
    }
    pipeline_.add(*kind_, engine::kind_policy(section_));
    if (const int fd = kind_->event_fd(); fd >= 0) {
        events_ = loop_.on_readable(fd, loop::Priority::events, [this] {
            on_events();
        });
    }
    lost_ = kind_->lost();
    [[maybe_unused]] const auto noted = sweep(SweepReason::startup);
}

void KindRunner::configure(const OptionValues& section) {
    if (section == section_) {
        return;
    }
    section_ = section;
    kind_->configure(section_);
    if (running()) {
        pipeline_.set_policy(info().name, engine::kind_policy(section_));
        owe_sweep(SweepReason::request, clock_.now());
    }
}

void KindRunner::on_events() {
    pulse_.hear();
    if (const auto drained = kind_->drain(); !drained) {
        // The descriptor would stay readable for ever. The watchdog, if there is one, makes an end of this.
        events_.reset();
        failure_ = "its events cannot be read: " + drained.error().message;
        spdlog::error("{}: {}", info().name, failure_);
        lossy_ = true;
        pipeline_.set_health(info().name, engine::Health::lossy);
    }
    note_losses();
    on_news_();
}

void KindRunner::note_losses() {
    const std::uint64_t lost = kind_->lost();
    if (lost == lost_) {
        return;
    }
    if (!std::exchange(lossy_, true)) {
        spdlog::warn("{}: {} events were lost; it only reports until a sweep has put that right", info().name,
                     lost - lost_);
    }
    lost_ = lost;
    reconciled_ = false;
    pipeline_.set_health(info().name, engine::Health::lossy);
    owe_sweep(SweepReason::loss, later(swept_, between_loss_sweeps));
}

/// A sweep that is owed already is not put off; the more thorough reason stays.
void KindRunner::owe_sweep(SweepReason reason, Instant at) {
    if (!owed_) {
        loop_.arm(sweep_timer_, std::max(at, next_sweep_));
    }
    owed_ = owed_ && is_as_thorough(*owed_, reason) ? *owed_ : reason;
}

void KindRunner::pay_sweep(SweepReason reason) {
    [[maybe_unused]] const auto noted = sweep(reason);
    on_news_();
}

Result<> KindRunner::sweep(SweepReason reason) {
    if (!running()) {
        return fail(ErrorCode::unsupported, "the kind {} does not run: {}", info().name,
                    state_ == State::broken ? failure_ : "it is disabled");
    }
    const std::uint64_t lost_before = kind_->lost();
    const Instant begun = clock_.now();
    const Span worked_before = clock_.cpu_time();
    const auto swept = kind_->sweep(reason);
    if (!swept) {
        sweep_failed(reason, swept.error());
        return swept;
    }
    if (!std::exchange(sweep_failure_, {}).empty()) {
        spdlog::info("{}: sweeps succeed again", info().name);
    }
    failed_sweeps_ = 0;
    last_sweep_ = clock_.wall(begun);
    swept_ = clock_.now();
    last_sweep_took_ = swept_ - begun;
    next_sweep_ = later(swept_, between_timed_sweeps);
    next_timed_sweep_ = later(swept_, pause_after(clock_.cpu_time() - worked_before, last_sweep_took_));
    const bool pays = !owed_ || is_as_thorough(reason, *owed_);
    if (pays) {
        owed_.reset();
    }
    note_losses();
    reconciled_ = pays && lossy_ && failure_.empty() && lost_before == lost_;
    return {};
}

void KindRunner::sweep_failed(SweepReason reason, const Error& error) {
    if (sweep_failure_.empty()) {
        spdlog::error("{}: a sweep failed: {}", info().name, error.message);
    }
    sweep_failure_ = error.message;
    lossy_ = true;
    reconciled_ = false;
    pipeline_.set_health(info().name, engine::Health::lossy);
    next_sweep_ = later(clock_.now(), retry_after(++failed_sweeps_));
    owe_sweep(reason, next_sweep_);
}

void KindRunner::sweep_if_due() {
    const auto deadline = running() ? kind_->tracker().deadline() : std::nullopt;
    const Instant now = clock_.now();
    if (deadline && *deadline <= now && std::max(next_sweep_, next_timed_sweep_) <= now) {
        [[maybe_unused]] const auto noted = sweep(SweepReason::timer);
    }
}

void KindRunner::settle_health() {
    if (reconciled_ && !kind_->is_sweeping()) {
        reconciled_ = false;
        lossy_ = false;
        spdlog::info("{}: a sweep has put right what was lost", info().name);
        pipeline_.set_health(info().name, engine::Health::whole);
    }
}

bool KindRunner::has_waiting() const {
    return kind_->event_fd() >= 0 && has_events(kind_->event_fd());
}

/// One that is deaf would say so each time that somebody asks.
void KindRunner::catch_up() {
    if (running() && failure_.empty() && has_waiting()) {
        on_events();
    }
}

bool KindRunner::beat() {
    if (!running() || kind_->event_fd() < 0) {
        return true;
    }
    // A busy bus may have kept the loop from the ring: what waits there is heard before anything is judged.
    if (has_waiting()) {
        on_events();
    }
    return pulse_.beat(info().name, {.canaries = kind_->canaries(), .lost = kind_->lost()}, [this] {
        return kind_->provoke_canary();
    });
}

std::string KindRunner::trouble() const {
    if (!failure_.empty()) {
        return failure_;
    }
    if (!sweep_failure_.empty()) {
        return "it only reports for now, because sweeps fail: " + sweep_failure_;
    }
    return lossy_ ? "it only reports for now, because events were lost" : "";
}

std::string_view KindRunner::condition() const {
    switch (state_) {
    case State::waiting:
        return "starting";
    case State::disabled:
        return "off";
    case State::broken:
        return "failed";
    case State::running:
        return trouble().empty() ? "ok" : "only reports";
    }
    std::unreachable();
}

bus::KindStatus KindRunner::status() const {
    bus::KindStatus status;
    status.info = &info();
    status.enabled = section_.flag("Enabled");
    status.trouble = trouble();
    status.policy = engine::kind_policy(section_);
    for (const OptionSpec& option : section_.table()) {
        status.options.emplace(option.name, to_text(section_.value(option.name)));
    }
    status.last_sweep = last_sweep_;
    status.last_sweep_took = last_sweep_took_;
    if (state_ == State::running || state_ == State::broken) {
        status.capabilities = kind_->capabilities();
        if (!info().capabilities.empty()) {
            status.capabilities.push_back(privileges(info().capabilities));
        }
    }
    if (running()) {
        status.tracked = kind_->tracker().tracked();
        status.lost_events = kind_->lost();
    }
    return status;
}

KindRunner* KindRunners::find(std::string_view kind) const {
    const auto found = std::ranges::find(runners_, kind, [](const auto& runner) {
        return runner->info().name;
    });
    return found == runners_.end() ? nullptr : found->get();
}

} // namespace egb
