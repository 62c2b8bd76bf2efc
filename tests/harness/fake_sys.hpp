// SPDX-License-Identifier: Apache-2.0
// Hands that do no harm: they write down what they were asked, and answer what the test says.
#pragma once

#include "host/sys.hpp"

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

    /// Each further request gets this answer. Success at first.
    void answer(Result<> answer) { answer_ = std::move(answer); }

    [[nodiscard]] const std::vector<Signal>& signals() const { return signals_; }

private:
    std::vector<Signal> signals_;
    Result<> answer_;
};

} // namespace egb::test
