// SPDX-License-Identifier: Apache-2.0
// All the harm this project can do, in one interface. A cleaner has no other hands.
//   RealSys  does it.
//   DrySys   checks everything that RealSys checks and stops right before the harm (`--dry-run`).
//   FakeSys  (tests/harness) writes down what it was asked.
// It grows by one method per kind of harm, each of which takes an identity that the kernel cannot recycle and
// checks it itself.
#pragma once

#include "core/identity.hpp"
#include "core/result.hpp"
#include "host/fd_store.hpp"
#include "host/file_acts.hpp"
#include "host/procfs.hpp"
#include "host/socket_acts.hpp"
#include "host/unit_acts.hpp"

#include <span>
#include <vector>

namespace egb::host {

class Sys {
public:
    virtual ~Sys() = default;

    /// Sends a signal to exactly this process: through a pidfd, opened before its identity is checked.
    /// `changed` when the pid is another process's by now, `unsupported` when it is of another pid namespace.
    [[nodiscard]] virtual Result<> signal_process(const ProcessIdentity& process, int signal) = 0;

    /// See host/unit_acts.hpp.
    [[nodiscard]] virtual Result<> ask_unit(const UnitTarget& target, UnitAct act) = 0;

    /// See host/socket_acts.hpp for what these do and answer.
    [[nodiscard]] virtual std::vector<Result<>> nudge_sockets(std::span<const SocketTarget> targets,
                                                              const NudgeTiming& timing) = 0;
    [[nodiscard]] virtual std::vector<Result<PeerAnswer>>
    answers_of_sockets(std::span<const SocketTarget> targets, Release release) = 0;
    [[nodiscard]] virtual Result<std::vector<SocketTarget>> nudged_sockets() = 0;
    [[nodiscard]] virtual std::vector<Result<>> destroy_sockets(std::span<const SocketTarget> targets) = 0;

    /// Takes a file out of its place and into quarantine. `not_found` when it is gone by itself, `changed`
    /// when it is not what was judged; after any error it is in its place, or the error says where else. See
    /// host/file_acts.hpp.
    [[nodiscard]] virtual Result<> quarantine_file(const FileTarget& target, const LastLook& last_look,
                                                   const Keeper& keeper) = 0;
    /// Makes it again where it was, and says where that is; `busy` when there is something of that name.
    [[nodiscard]] virtual Result<std::string> restore_file(const QuarantinedFile& file) = 0;
    /// Looks for a file that was underway when the daemon ended, and puts it back if it is between the two.
    [[nodiscard]] virtual Result<Whereabouts> recover_file(const QuarantinedFile& file) = 0;

    [[nodiscard]] virtual Ability nudging() = 0;
    [[nodiscard]] virtual Ability destroying() = 0;
};

class RealSys : public Sys {
public:
    RealSys(const ProcFs& procfs, FdStore& store, bool programs = true)
        : procfs_{procfs}, sockets_{procfs, store, programs}, units_{procfs}, files_{procfs} {}

    [[nodiscard]] Result<> signal_process(const ProcessIdentity& process, int signal) override;
    [[nodiscard]] Result<> ask_unit(const UnitTarget& target, UnitAct act) override {
        return units_.ask(target, act, earnest());
    }
    [[nodiscard]] std::vector<Result<>> nudge_sockets(std::span<const SocketTarget> targets,
                                                      const NudgeTiming& timing) override;
    [[nodiscard]] std::vector<Result<PeerAnswer>> answers_of_sockets(std::span<const SocketTarget> targets,
                                                                     Release release) override;
    [[nodiscard]] Result<std::vector<SocketTarget>> nudged_sockets() override;
    [[nodiscard]] std::vector<Result<>> destroy_sockets(std::span<const SocketTarget> targets) override;
    [[nodiscard]] Result<> quarantine_file(const FileTarget& target, const LastLook& last_look,
                                           const Keeper& keeper) override {
        return files_.quarantine(target, last_look, keeper, earnest());
    }
    [[nodiscard]] Result<std::string> restore_file(const QuarantinedFile& file) override {
        return files_.restore(file, earnest());
    }
    [[nodiscard]] Result<Whereabouts> recover_file(const QuarantinedFile& file) override {
        return files_.recover(file, earnest());
    }
    [[nodiscard]] Ability nudging() override { return sockets_.nudging(); }
    [[nodiscard]] Ability destroying() override { return sockets_.destroying(); }

protected:
    /// The one step that cannot be taken back; DrySys takes its place.
    [[nodiscard]] virtual Result<> deliver(int pidfd, int signal);
    [[nodiscard]] virtual Earnest earnest() const { return Earnest::real; }

private:
    const ProcFs& procfs_;
    SocketActs sockets_;
    UnitActs units_;
    FileActs files_;
};

class DrySys final : public RealSys {
public:
    using RealSys::RealSys;

protected:
    [[nodiscard]] Result<> deliver(int pidfd, int signal) override;
    [[nodiscard]] Earnest earnest() const override { return Earnest::rehearsal; }
};

} // namespace egb::host
