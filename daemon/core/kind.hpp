// SPDX-License-Identifier: Apache-2.0
// One kind of ghost. A kind knows core and the interfaces of host, and nothing of loops, buses or logs.
#pragma once

#include "core/cleaner.hpp"
#include "core/identity.hpp"
#include "core/kind_info.hpp"
#include "core/ownership.hpp"
#include "core/tracker.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace egb {

/// Why a sweep is made. A start-up sweep also looks for what is older than the observation.
enum class SweepReason : std::uint8_t { startup, timer, loss, request };

class Kind {
public:
    virtual ~Kind() = default;

    [[nodiscard]] virtual const KindInfo& info() const = 0;

    /// Takes new option values, before start() and at each reload.
    virtual void configure(const OptionValues& options) = 0;

    /// Begins to observe. What could not be had is in capabilities(); an error means: nothing at all.
    [[nodiscard]] virtual Result<> start() = 0;

    /// What works here and what does not. Meaningful after start().
    [[nodiscard]] virtual std::vector<Capability> capabilities() const = 0;

    /// The descriptor that becomes readable when events wait; -1 for a kind without events.
    [[nodiscard]] virtual int event_fd() const = 0;

    /// Takes a bounded number of waiting events to the tracker. True when more may wait.
    [[nodiscard]] virtual Result<bool> drain() = 0;

    /// Looks at the whole kernel and tells the tracker everything.
    [[nodiscard]] virtual Result<> sweep(SweepReason reason) = 0;

    /// Whether there is more to look at than a turn of the loop has room for: the rest comes bit by bit, with
    /// drain() and timed sweeps. Until then nothing that was lost is put right.
    [[nodiscard]] virtual bool is_sweeping() const { return false; }

    /// Nobody observes from now on, and what is remembered is to say so: the daemon ends in order, or this
    /// kind does not run. What is killed does not come to it.
    virtual void let_go() {}

    /// Events lost since the start; when it grows, a sweep is owed.
    [[nodiscard]] virtual std::uint64_t lost() const = 0;

    /// Provokes one event that must come back through drain(): the proof that the kernel path lives.
    [[nodiscard]] virtual Result<> provoke_canary() = 0;
    /// Canaries that came back so far.
    [[nodiscard]] virtual std::uint64_t canaries() const = 0;

    [[nodiscard]] virtual Tracker& tracker() = 0;
    [[nodiscard]] virtual const Tracker& tracker() const = 0;

    /// nullptr for a kind that only reports.
    [[nodiscard]] virtual Cleaner* cleaner() = 0;

    /// Whose that file is, by a look at this moment; nothing when it is none of this kind's.
    [[nodiscard]] virtual std::optional<OwnerReport> owners_of(const FileIdentity& /*file*/) {
        return std::nullopt;
    }

    /// Why it is none, where it might be one; asked when it is none.
    [[nodiscard]] virtual std::optional<Disclaimer> why_not(const AskedFile& /*file*/) const {
        return std::nullopt;
    }
};

using KindPtr = std::unique_ptr<Kind>;

} // namespace egb
