// SPDX-License-Identifier: Apache-2.0
#include "host/kernel_locks.hpp"

#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <linux/magic.h>

#include <algorithm>
#include <charconv>
#include <ranges>
#include <utility>

namespace egb::host {

namespace {

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    for (const auto part : line | std::views::split(' ')) {
        if (const std::string_view word{part}; !word.empty()) {
            words.push_back(word);
        }
    }
    return words;
}

template <typename Number>
std::optional<Number> number(std::string_view text, int base) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional{value} : std::nullopt;
}

/// "fd:01:123": the device's numbers in hexadecimal, the inode in decimal.
std::optional<FileNumber> parse_file(std::string_view text) {
    const auto first = text.find(':');
    const auto last = text.rfind(':');
    if (first == last) {
        return std::nullopt;
    }
    const auto major = number<unsigned>(text.substr(0, first), 16);
    const auto minor = number<unsigned>(text.substr(first + 1, last - first - 1), 16);
    const auto inode = number<std::uint64_t>(text.substr(last + 1), 10);
    if (!major || !minor || !inode) {
        return std::nullopt;
    }
    return FileNumber{.device = makedev(*major, *minor), .inode = *inode};
}

/// Where stat(2) tells another device than the kernel has.
bool has_devices_of_its_own(int fd) {
    struct statfs file_system{};
    return ::fstatfs(fd, &file_system) == 0 &&
           (file_system.f_type == BTRFS_SUPER_MAGIC || file_system.f_type == OVERLAYFS_SUPER_MAGIC);
}

/// Those by the descriptors of holders, each naming the holder.
std::vector<KernelLock> locks_of(const ProcFs& procfs, std::span<const Holder> holders) {
    std::vector<KernelLock> found;
    for (const Holder& holder : holders) {
        for (const auto& line : procfs.lock_lines_of(holder.process->id.pid, holder.fd)) {
            if (auto lock = parse_kernel_lock(line)) {
                lock->pid = holder.process->id.pid;
                found.push_back(std::move(*lock));
            }
        }
    }
    return found;
}

} // namespace

std::optional<KernelLock> parse_kernel_lock(std::string_view line) {
    auto words = words_of(line);
    const bool waits = words.size() > 1 && words[1] == "->";
    if (waits) {
        words.erase(words.begin() + 1);
    }
    constexpr std::size_t least_words = 6;
    if (words.size() < least_words) {
        return std::nullopt;
    }
    const auto pid = number<std::int32_t>(words[4], 10);
    const auto file = parse_file(words[5]);
    if (!pid || !file) {
        return std::nullopt;
    }
    return KernelLock{.type = std::string{words[1]},
                      .access = std::string{words[3]},
                      .pid = std::max(*pid, 0), // of an open file description: -1
                      .file = *file,
                      .waits = waits};
}

namespace {

enum class Device : std::uint8_t { as_asked, any };

Result<std::vector<KernelLock>> find_locks(const ProcFs& procfs, int fd, std::span<const Holder> holders,
                                           Device device) {
    const auto asked = file_number(fd);
    const auto lines = procfs.lock_lines();
    if (!asked || !lines) {
        return std::unexpected(!asked ? asked.error() : lines.error());
    }
    auto found = locks_of(procfs, holders);
    const auto by_holders = std::ranges::ssize(found);
    for (const auto& line : *lines) {
        auto lock = parse_kernel_lock(line);
        if (!lock || lock->file.inode != asked->inode ||
            (lock->file.device != asked->device && device != Device::any)) {
            continue;
        }
        const bool told_already =
            !lock->waits &&
            std::ranges::any_of(found | std::views::take(by_holders), [&](const KernelLock& other) {
                return other.type == lock->type && other.access == lock->access && other.file == lock->file;
            });
        if (!told_already) {
            found.push_back(std::move(*lock));
        }
    }
    return found;
}

} // namespace

Result<std::vector<KernelLock>> locks_on(const ProcFs& procfs, int fd, std::span<const Holder> holders) {
    return find_locks(procfs, fd, holders, has_devices_of_its_own(fd) ? Device::any : Device::as_asked);
}

Result<std::vector<KernelLock>> locks_by_number(const ProcFs& procfs, int fd,
                                                std::span<const Holder> holders) {
    return find_locks(procfs, fd, holders, Device::as_asked);
}

} // namespace egb::host
