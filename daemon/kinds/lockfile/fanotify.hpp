// SPDX-License-Identifier: Apache-2.0
// The mechanism `fanotify`: hears of names that files get and lose, picks out those that a lock may have, and
// has the kernel side (bpf/lockfile_fanotify.bpf.c) tell of them as all mechanisms do. That a file was made
// exclusively is not to be heard, and each record says so.
#pragma once

#include "bpf/lockfile.h"
#include "core/clock.hpp"
#include "host/events.hpp"
#include "host/name_watch.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace egb::lockfile {

class FanotifyEvents final : public host::EventSource {
public:
    FanotifyEvents(std::unique_ptr<host::EventSource> kernel, std::unique_ptr<host::NameWatch> names,
                   const Clock& clock)
        : kernel_{std::move(kernel)}, names_{std::move(names)}, clock_{clock} {}

    [[nodiscard]] Result<> attach() override;
    [[nodiscard]] int poll_fd() const override { return names_->poll_fd(); }
    [[nodiscard]] Result<std::size_t> drain(std::size_t most, const OnRecord& on_record) override;
    /// An overflow of the queue is one more, however much was in it.
    [[nodiscard]] std::uint64_t lost() const override { return kernel_->lost() + overflows_; }
    [[nodiscard]] Result<> provoke_canary() override { return kernel_->provoke_canary(); }
    [[nodiscard]] std::uint64_t canaries() const override { return kernel_->canaries(); }
    [[nodiscard]] Result<std::uint32_t> call(std::string_view program, std::span<std::byte> context) override;
    [[nodiscard]] Result<> iterate(std::string_view program, std::size_t record_size,
                                   const OnRecord& on_record) override {
        return kernel_->iterate(program, record_size, on_record);
    }
    [[nodiscard]] Result<> control(std::string_view map, std::span<const std::byte> value) override {
        return kernel_->control(map, value);
    }
    [[nodiscard]] Result<> replace(std::string_view map, std::span<const std::byte> keys,
                                   std::span<const std::byte> values) override;
    [[nodiscard]] Result<> read(std::string_view map, std::span<std::byte> value) const override {
        return kernel_->read(map, value);
    }
    [[nodiscard]] Result<> values(std::string_view map, std::size_t value_size, std::size_t most,
                                  const OnRecord& on_value) const override {
        return kernel_->values(map, value_size, most, on_value);
    }
    [[nodiscard]] std::string refusal(std::string_view program) const override {
        return kernel_->refusal(program);
    }

    [[nodiscard]] std::string extent() const { return names_->extent(); }

private:
    using FileKey = std::pair<std::uint64_t, std::uint32_t>; ///< inode and device, of an egb_lock_key

    [[nodiscard]] Result<std::size_t> hear(std::size_t most);
    void take(const host::NameNews& news, std::uint32_t makers);
    void meet(const host::NameNews& news, std::uint32_t maker);
    void leave(const host::NamePlace& place);
    void touch(const FileKey& file);
    void forget(const FileKey& file);
    void forget_all();
    [[nodiscard]] bool wants(std::string_view name) const;
    [[nodiscard]] std::uint64_t birth_of(const host::FileStatus& status);

    std::unique_ptr<host::EventSource> kernel_;
    std::unique_ptr<host::NameWatch> names_;
    const Clock& clock_;
    std::map<std::string, bool, std::less<>> patterns_; ///< ends of names, backwards: whether they are wanted
    /// Those that the kernel side watches, which has room for EGB_LOCKS of them.
    std::map<host::NamePlace, FileKey> by_place_;
    std::map<FileKey, host::NamePlace> by_file_;
    std::set<FileKey>
        strays_; ///< of an earlier run, or of before an overflow: under which names is not known
    std::uint64_t overflows_{};
    std::uint64_t last_stamp_{};
};

} // namespace egb::lockfile
