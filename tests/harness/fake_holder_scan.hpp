// SPDX-License-Identifier: Apache-2.0
// Says that we ourselves and whoever the test names hold whatever is asked about.
#pragma once

#include "harness/builders.hpp"
#include "host/holder_scan.hpp"

#include <utility>
#include <vector>

namespace egb::test {

class FakeHolderScan final : public host::HolderScan {
public:
    /// Nobody else at first.
    void answer(Result<std::vector<Holder>> holders) { holders_ = std::move(holders); }

    [[nodiscard]] Result<std::vector<Holder>> find(int fd) override {
        auto all = holders_;
        if (all) {
            all->insert(all->begin(), {.process = ourselves_, .fd = fd});
        }
        return all;
    }

private:
    const ProcessPtr ourselves_{make_process({.pid = 1, .comm = "eghostbusterd"})};
    Result<std::vector<Holder>> holders_;
};

} // namespace egb::test
