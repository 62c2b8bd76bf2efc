// SPDX-License-Identifier: Apache-2.0
#include "harness/call_32.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace egb::test {

#ifdef __x86_64__
int call_by_32_bits(Call32 call, const std::filesystem::path& path) {
    constexpr std::size_t length = 4096;
    constexpr long mode = 0700;
    // The name has to be where 32 bits lead to.
    void* low =
        ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (low == MAP_FAILED) {
        throw std::system_error{errno, std::generic_category(), "mmap"};
    }
    std::strncpy(static_cast<char*>(low), path.c_str(), length - 1);
    long result = static_cast<int>(call); // NOLINT(misc-const-correctness): the call writes to it
    asm volatile("int $0x80" : "+a"(result) : "b"(low), "c"(mode) : "memory", "r8", "r9", "r10", "r11");
    ::munmap(low, length);
    return static_cast<int>(result);
}
#else
int call_by_32_bits(Call32, const std::filesystem::path&) {
    return -ENOSYS;
}
#endif

} // namespace egb::test
