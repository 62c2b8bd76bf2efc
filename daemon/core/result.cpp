// SPDX-License-Identifier: Apache-2.0
#include "core/result.hpp"

#include <system_error>

namespace egb {

namespace {

ErrorCode code_of(int error) {
    switch (error) {
    case EPERM:
    case EACCES:
        return ErrorCode::denied;
    case ENOENT:
    case ESRCH:
    case ENXIO:
        return ErrorCode::not_found;
    case ENOSYS:
    case EOPNOTSUPP:
        return ErrorCode::unsupported;
    case EINVAL:
        return ErrorCode::invalid;
    case EBUSY:
    case EAGAIN:
        return ErrorCode::busy;
    default:
        return ErrorCode::io;
    }
}

} // namespace

std::string_view to_string(ErrorCode code) {
    switch (code) {
    case ErrorCode::invalid:
        return "invalid";
    case ErrorCode::not_found:
        return "not-found";
    case ErrorCode::unsupported:
        return "unsupported";
    case ErrorCode::denied:
        return "denied";
    case ErrorCode::changed:
        return "changed";
    case ErrorCode::busy:
        return "busy";
    case ErrorCode::lost:
        return "lost";
    case ErrorCode::io:
        return "io";
    }
    std::unreachable();
}

std::unexpected<Error> fail_errno(std::string_view what, int error) {
    return fail(code_of(error), "{}: {}", what, std::generic_category().message(error));
}

} // namespace egb
