// SPDX-License-Identifier: Apache-2.0
// Says that whoever the test names holds whatever is asked about.
#pragma once

#include "host/holder_scan.hpp"

#include <utility>
#include <vector>

namespace egb::test {

class FakeHolderScan final : public host::HolderScan {
public:
    /// Nobody at first.
    void answer(Result<std::vector<Holder>> holders) { holders_ = std::move(holders); }

    [[nodiscard]] Result<std::vector<Holder>> find(int /*fd*/) override { return holders_; }

private:
    Result<std::vector<Holder>> holders_;
};

} // namespace egb::test
