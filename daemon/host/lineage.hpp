// SPDX-License-Identifier: Apache-2.0
// Who forked whom, and who died how: one facility that the kernel side keeps for all kinds
// (bpf/lineage.bpf.c). No kind traces fork and exit for itself. Used on the loop.
#pragma once

#include "core/clock.hpp"
#include "core/identity.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace egb::host {

/// How a process ended.
struct Death {
    Instant at;        ///< of the whole process, not of a thread
    int wait_status{}; ///< as wait(2) tells it
    bool seen{true};   ///< false: it was dead already when it was first met
    bool was_left{};   ///< one whom it had forked, at any depth, has outlived it and ended by itself

    [[nodiscard]] bool by_signal() const;
    [[nodiscard]] int signal() const;
    [[nodiscard]] int exit_status() const;
    [[nodiscard]] bool dumped_core() const;
    /// It has exited; or nobody has read any more what it wrote, as it happens to a part of a script.
    [[nodiscard]] bool by_itself() const;

    bool operator==(const Death&) const = default;
};

/// "exited with 3", "killed by SIGSEGV (core dumped)"
[[nodiscard]] std::string to_string(const Death& death);

/// A process that has died, and that its parent has not waited for.
struct Unreaped {
    ProcessIdentity process;
    std::optional<ProcessIdentity> forked_by; ///< where that is known
    Death death;

    bool operator==(const Unreaped&) const = default;
};

class Lineage {
public:
    using OnDeath = std::function<void()>;

    virtual ~Lineage() = default;

    /// Why there is none; empty when there is.
    [[nodiscard]] virtual std::string lack() const = 0;

    /// Forks and deaths that were missed. Never falls.
    [[nodiscard]] virtual std::uint64_t lost() const = 0;

    /// Called, soon after, when somebody has died for the first time since unreaped() was last asked. The
    /// listener must live as long as this.
    virtual void listen(OnDeath on_death) = 0;

    using OnEnd = std::function<void(const ProcessIdentity&)>;

    /// Called, soon after, when one who is watched has died. The listener must live as long as this.
    virtual void on_end(OnEnd on_end) = 0;

    /// Watches it until it dies; one that has died already is told of, too.
    virtual void watch(const ProcessIdentity& process) = 0;

    /// Everybody who is dead and not yet waited for.
    [[nodiscard]] virtual Result<std::vector<Unreaped>> unreaped() = 0;

    /// The process and those that it has forked since then, at any depth, as far as they live: none means
    /// that all of them are dead, for certain. It must have been alive at `since`. ErrorCode::lost when that
    /// is not known, because something about that time was missed.
    [[nodiscard]] virtual Result<std::vector<ProcessIdentity>> heirs(const ProcessIdentity& of,
                                                                     Instant since) = 0;

    /// Nothing while it lives; ErrorCode::lost when it has died, and how is not known (any more).
    [[nodiscard]] virtual Result<std::optional<Death>> death_of(const ProcessIdentity& process) = 0;

    /// Who has forked it, whoever its parent is now. After its death, too, for as long as that is remembered;
    /// ErrorCode::lost when it is not known (any more).
    [[nodiscard]] virtual Result<ProcessIdentity> forker_of(const ProcessIdentity& process) = 0;

    /// The pid of the leader of its session, now or when it died. Once nobody is left in that session, the
    /// pid may be another's. ErrorCode::lost when it is not known (any more).
    [[nodiscard]] virtual Result<std::int32_t> session_of(const ProcessIdentity& process) = 0;

    /// Which process had this pid at a moment that has just passed, alive or dead by now. ErrorCode::lost
    /// when that is not known (any more).
    [[nodiscard]] virtual Result<ProcessIdentity> identity_at(std::int32_t pid, Instant at) = 0;
};

} // namespace egb::host
