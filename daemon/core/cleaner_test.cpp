// SPDX-License-Identifier: Apache-2.0
#include "core/cleaner.hpp"

#include <gmock/gmock.h>

namespace egb {
namespace {

class KeepsNothing final : public Cleaner {
public:
    Result<> confirm(const Ghost& /*ghost*/) override { return {}; }
    Outcome clean(const Ghost& /*ghost*/) override { return {}; }
};

TEST(Cleaner, without_a_quarantine_cannot_put_back) {
    KeepsNothing cleaner;
    const auto restored = cleaner.restore(17);
    ASSERT_FALSE(restored);
    EXPECT_EQ(restored.error().code, ErrorCode::unsupported);
    EXPECT_THAT(restored.error().message, testing::HasSubstr("17"));
}

} // namespace
} // namespace egb
