// SPDX-License-Identifier: Apache-2.0
#include "core/result.hpp"

#include <gtest/gtest.h>

namespace egb {
namespace {

struct ErrnoCase {
    int error;
    ErrorCode code;
};

class FailErrno : public testing::TestWithParam<ErrnoCase> {};

TEST_P(FailErrno, carries_the_code_that_fits) {
    const Result<> result = fail_errno("open x", GetParam().error);
    EXPECT_EQ(result.error().code, GetParam().code);
    EXPECT_TRUE(result.error().message.starts_with("open x: ")) << result.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    errors, FailErrno,
    testing::Values(ErrnoCase{EPERM, ErrorCode::denied}, ErrnoCase{EACCES, ErrorCode::denied},
                    ErrnoCase{ENOENT, ErrorCode::not_found}, ErrnoCase{ESRCH, ErrorCode::not_found},
                    ErrnoCase{EOPNOTSUPP, ErrorCode::unsupported}, ErrnoCase{EINVAL, ErrorCode::invalid},
                    ErrnoCase{EBUSY, ErrorCode::busy}, ErrnoCase{EIO, ErrorCode::io}));

TEST(Fail, formats_its_message) {
    const Result<int> result = fail(ErrorCode::busy, "{} of {}", 3, 5);
    EXPECT_EQ(result.error(), (Error{ErrorCode::busy, "3 of 5"}));
}

} // namespace
} // namespace egb
