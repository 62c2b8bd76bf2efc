// SPDX-License-Identifier: Apache-2.0
#include "harness/fake_events.hpp"

#include <sys/eventfd.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace egb::test {

FakeEvents::FakeEvents() : ready_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
    if (!ready_) {
        throw std::system_error{errno, std::generic_category(), "eventfd"};
    }
}

std::vector<std::byte> FakeEvents::controlled(std::string_view map) const {
    const auto value = controls_.find(map);
    return value == controls_.end() ? Bytes{} : value->second;
}

FakeEvents::Contents FakeEvents::replaced(std::string_view map) const {
    const auto contents = contents_.find(map);
    return contents == contents_.end() ? Contents{} : contents->second;
}

Result<> FakeEvents::attach() {
    if (attach_error_) {
        return std::unexpected{*attach_error_};
    }
    attached_ = true;
    return {};
}

void FakeEvents::push(Bytes record) {
    waiting_.push_back(std::move(record));
    if (::eventfd_write(ready_.get(), 1) != 0) {
        throw std::system_error{errno, std::generic_category(), "eventfd_write"};
    }
}

Result<std::size_t> FakeEvents::drain(std::size_t most, const OnRecord& on_record) {
    std::size_t taken = 0;
    for (; taken < most && !waiting_.empty(); ++taken) {
        const auto record = std::move(waiting_.front());
        waiting_.pop_front();
        if (record.empty()) {
            ++canaries_;
        } else {
            on_record(record);
        }
    }
    if (eventfd_t count{}; waiting_.empty()) {
        std::ignore = ::eventfd_read(ready_.get(), &count);
    }
    return taken;
}

Result<> FakeEvents::provoke_canary() {
    push({});
    return {};
}

Result<std::uint32_t> FakeEvents::call(std::string_view program, std::span<std::byte> context) {
    const auto answer = answers_.find(program);
    return answer == answers_.end() ? 0 : answer->second(context);
}

Result<> FakeEvents::read(std::string_view map, std::span<std::byte> value) const {
    const auto bytes = controlled(map);
    std::copy_n(bytes.begin(), std::min(bytes.size(), value.size()), value.begin());
    return {};
}

Result<> FakeEvents::iterate(std::string_view program, std::size_t record_size, const OnRecord& on_record) {
    if (const auto error = iterator_errors_.find(program); error != iterator_errors_.end()) {
        return std::unexpected{error->second};
    }
    const auto records = listed_.find(program);
    if (records == listed_.end()) {
        return {};
    }
    for (const Bytes& record : records->second) {
        if (record.size() != record_size) {
            return fail(ErrorCode::io, "iterator {}: a record of {} bytes in place of {}", program,
                        record.size(), record_size);
        }
        on_record(record);
    }
    return {};
}

Result<> FakeEvents::control(std::string_view map, std::span<const std::byte> value) {
    controls_.insert_or_assign(std::string{map}, Bytes{value.begin(), value.end()});
    return {};
}

Result<> FakeEvents::replace(std::string_view map, std::span<const std::byte> keys,
                             std::span<const std::byte> values) {
    contents_.insert_or_assign(std::string{map}, Contents{.keys = {keys.begin(), keys.end()},
                                                          .values = {values.begin(), values.end()}});
    return {};
}

std::string FakeEvents::refusal(std::string_view program) const {
    const auto refusal = refusals_.find(program);
    return refusal == refusals_.end() ? std::string{} : refusal->second;
}

} // namespace egb::test
