// SPDX-License-Identifier: Apache-2.0
// Hands that do no harm: they write down what they were asked, and answer what the test says.
#pragma once

#include "host/sys.hpp"

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
    [[nodiscard]] host::Ability nudging() override { return {}; }
    [[nodiscard]] host::Ability destroying() override { return {}; }

    /// Each further request gets this answer. Success at first.
    void answer(Result<> answer) { answer_ = std::move(answer); }
    void answer_of_peers(Result<host::PeerAnswer> answer) { peer_answer_ = std::move(answer); }
    void nudged_before(std::vector<host::SocketTarget> targets) { before_ = std::move(targets); }

    [[nodiscard]] const std::vector<Signal>& signals() const { return signals_; }
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
    std::vector<std::uint64_t> nudged_;
    std::vector<std::uint64_t> destroyed_;
    std::vector<host::SocketTarget> before_;
    Result<host::PeerAnswer> peer_answer_{host::PeerAnswer::none_yet};
    Result<> answer_;
};

} // namespace egb::test
