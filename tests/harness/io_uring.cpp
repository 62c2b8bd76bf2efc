// SPDX-License-Identifier: Apache-2.0
#include "harness/io_uring.hpp"

#include "host/fd.hpp"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace egb::test {

namespace {

/// What has become of it, once it is done.
int carry_out(const io_uring_sqe& request) {
    io_uring_params params{};
    const host::Fd ring{static_cast<int>(::syscall(SYS_io_uring_setup, 4, &params))};
    if (!ring) {
        return -errno;
    }
    const std::size_t size = std::max(params.sq_off.array + params.sq_entries * sizeof(__u32),
                                      params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe));
    auto* memory = static_cast<std::byte*>(
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring.get(), IORING_OFF_SQ_RING));
    auto* requests =
        static_cast<io_uring_sqe*>(::mmap(nullptr, params.sq_entries * sizeof(io_uring_sqe),
                                          PROT_READ | PROT_WRITE, MAP_SHARED, ring.get(), IORING_OFF_SQES));
    *requests = request;
    const auto word = [memory](std::size_t at) {
        return std::atomic_ref{*reinterpret_cast<__u32*>(memory + at)};
    };
    word(params.sq_off.array).store(0);
    word(params.sq_off.tail).fetch_add(1);
    ::syscall(SYS_io_uring_enter, ring.get(), 1, 1, IORING_ENTER_GETEVENTS, nullptr, 0);
    const int result = reinterpret_cast<io_uring_cqe*>(memory + params.cq_off.cqes)->res;
    ::munmap(requests, params.sq_entries * sizeof(io_uring_sqe));
    ::munmap(memory, size);
    return result;
}

io_uring_sqe request_for(io_uring_op what, const std::filesystem::path& path, unsigned request_flags) {
    io_uring_sqe request{};
    request.opcode = static_cast<__u8>(what);
    request.flags = static_cast<__u8>(request_flags);
    request.fd = AT_FDCWD;
    request.addr = std::bit_cast<std::uintptr_t>(path.c_str());
    return request;
}

} // namespace

int open_by_io_uring(const std::filesystem::path& path, int flags, unsigned request_flags) {
    io_uring_sqe request = request_for(IORING_OP_OPENAT, path, request_flags);
    request.open_flags = static_cast<__u32>(flags);
    request.len = 0600;
    return carry_out(request);
}

int unlink_by_io_uring(const std::filesystem::path& path, unsigned request_flags) {
    return carry_out(request_for(IORING_OP_UNLINKAT, path, request_flags));
}

} // namespace egb::test
