// SPDX-License-Identifier: Apache-2.0
// Hands that do no harm: they write down what they were asked, and answer what the test says.
#pragma once

#include "host/sys.hpp"

#include <fcntl.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace egb::test {

class FakeSys final : public host::Sys {
public:
    struct Signal {
        ProcessIdentity process;
        int signal{};

        bool operator==(const Signal&) const = default;
    };

    [[nodiscard]] Result<> signal_process(const ProcessIdentity& process, int signal) override {
        signals_.push_back({.process = process, .signal = signal});
        return answer_;
    }

    struct UnitRequest {
        std::string unit;
        ProcessIdentity process;
        Span every{};
        host::UnitAct act{};

        bool operator==(const UnitRequest&) const = default;
    };

    [[nodiscard]] Result<> ask_unit(const host::UnitTarget& target, host::UnitAct act) override {
        units_.push_back({.unit = target.unit, .process = target.process, .every = target.every, .act = act});
        return answer_;
    }

    [[nodiscard]] std::vector<Result<>> nudge_sockets(std::span<const host::SocketTarget> targets,
                                                      const host::NudgeTiming& /*timing*/) override {
        return note(nudged_, targets);
    }
    [[nodiscard]] std::vector<Result<host::PeerAnswer>>
    answers_of_sockets(std::span<const host::SocketTarget> targets, host::Release /*release*/) override {
        return std::vector<Result<host::PeerAnswer>>(targets.size(), peer_answer_);
    }
    [[nodiscard]] Result<std::vector<host::SocketTarget>> nudged_sockets() override { return before_; }
    [[nodiscard]] std::vector<Result<>>
    destroy_sockets(std::span<const host::SocketTarget> targets) override {
        return note(destroyed_, targets);
    }
    /// Asks what a real one asks, with a descriptor of something, and keeps a file of that name.
    [[nodiscard]] Result<> quarantine_file(const host::FileTarget& target, const host::LastLook& last_look,
                                           const host::Keeper& keeper) override {
        files_.push_back(target);
        if (!answer_) {
            return answer_;
        }
        const host::Fd something{::open("/dev/null", O_PATH | O_CLOEXEC)};
        return keeper.quarantine
            .keep(keeper.ghost, {.path = target.name.path, .mount_namespace = target.name.mount_namespace})
            .and_then([&] {
                return last_look(something.get());
            })
            .and_then([&] {
                return keeper.quarantine.settle(keeper.ghost.id);
            })
            .or_else([&](const Error& error) -> Result<> {
                return keeper.quarantine.drop(keeper.ghost.id).and_then([&] {
                    return Result<>{std::unexpected(error)};
                });
            });
    }
    [[nodiscard]] Result<std::string> restore_file(const QuarantinedFile& file) override {
        return answer_.transform([&] {
            restored_.push_back(file);
            return file.path;
        });
    }
    [[nodiscard]] Result<host::Whereabouts> recover_file(const QuarantinedFile& /*file*/) override {
        return answer_.transform([&] {
            return whereabouts_;
        });
    }

    [[nodiscard]] host::Ability nudging() override { return {.lack = lack_}; }
    [[nodiscard]] host::Ability destroying() override { return {.lack = lack_}; }

    /// As on a kernel that lets nothing be done to sockets.
    void lack(std::string why) { lack_ = std::move(why); }

    /// Each further request gets this answer. Success at first.
    void answer(Result<> answer) { answer_ = std::move(answer); }
    void answer_of_peers(Result<host::PeerAnswer> answer) { peer_answer_ = std::move(answer); }
    /// Where every file is that was left half way; in its place at first.
    void recovered(host::Whereabouts whereabouts) { whereabouts_ = whereabouts; }
    void nudged_before(std::vector<host::SocketTarget> targets) { before_ = std::move(targets); }

    [[nodiscard]] const std::vector<Signal>& signals() const { return signals_; }
    [[nodiscard]] const std::vector<host::FileTarget>& files() const { return files_; }
    [[nodiscard]] const std::vector<QuarantinedFile>& restored() const { return restored_; }
    [[nodiscard]] const std::vector<UnitRequest>& units() const { return units_; }
    /// Cookies.
    [[nodiscard]] const std::vector<std::uint64_t>& nudged() const { return nudged_; }
    [[nodiscard]] const std::vector<std::uint64_t>& destroyed() const { return destroyed_; }

private:
    std::vector<Result<>> note(std::vector<std::uint64_t>& list,
                               std::span<const host::SocketTarget> targets) {
        for (const auto& target : targets) {
            list.push_back(target.cookie);
        }
        return std::vector<Result<>>(targets.size(), answer_);
    }

    std::vector<Signal> signals_;
    std::vector<UnitRequest> units_;
    std::vector<host::FileTarget> files_;
    std::vector<QuarantinedFile> restored_;
    std::vector<std::uint64_t> nudged_;
    std::vector<std::uint64_t> destroyed_;
    std::vector<host::SocketTarget> before_;
    Result<host::PeerAnswer> peer_answer_{host::PeerAnswer::none_yet};
    host::Whereabouts whereabouts_{host::Whereabouts::in_place};
    std::string lack_;
    Result<> answer_;
};

} // namespace egb::test
