// SPDX-License-Identifier: Apache-2.0
#include "host/bpf_events.hpp"

#include "bpf/wire.h"
#include "core/record_front.hpp"

#include <bpf/libbpf.h>

namespace egb::host {

void BpfEvents::FreeRing::operator()(ring_buffer* ring) const {
    ring_buffer__free(ring);
}

Result<> BpfEvents::attach() {
    if (auto loaded = object_.load(); !loaded) {
        return loaded;
    }
    ring_.reset(ring_buffer__new(object_.map_fd("egb_ring"), &BpfEvents::on_sample, this, nullptr));
    if (!ring_) {
        return fail_errno("mapping the event ring");
    }
    return {};
}

int BpfEvents::poll_fd() const {
    return ring_ ? ring_buffer__epoll_fd(ring_.get()) : -1;
}

Result<std::size_t> BpfEvents::drain(std::size_t most, const OnRecord& on_record) {
    on_record_ = &on_record;
    const int taken = ring_buffer__consume_n(ring_.get(), most);
    on_record_ = nullptr;
    // An exception of the consumer's waited here until libbpf's C frames were left behind.
    if (failure_) {
        std::rethrow_exception(std::exchange(failure_, nullptr));
    }
    if (taken < 0) {
        return fail_errno("reading the event ring", -taken);
    }
    return static_cast<std::size_t>(taken);
}

int BpfEvents::on_sample(void* self, void* data, std::size_t size) {
    auto& events = *static_cast<BpfEvents*>(self);
    try {
        events.take(Record{static_cast<const std::byte*>(data), size});
    } catch (...) {
        events.failure_ = std::current_exception();
        return -ECANCELED;
    }
    return 0;
}

void BpfEvents::take(Record record) {
    const auto header = front_of<egb_header>(record);
    if (!header) {
        return;
    }
    if (header->type == EGB_RECORD_CANARY) {
        ++canaries_;
    } else {
        (*on_record_)(record);
    }
}

std::uint64_t BpfEvents::lost() const {
    // What cannot be read has not changed as far as we know.
    if (const auto dropped = object_.sum("egb_drops")) {
        lost_ = *dropped + object_.skipped();
    }
    return lost_;
}

Result<> BpfEvents::provoke_canary() {
    return object_.run("egb_canary");
}

Result<std::uint32_t> BpfEvents::call(std::string_view program, std::span<std::byte> context) {
    return object_.call(program, context);
}

Result<> BpfEvents::iterate(std::string_view program, std::size_t record_size, const OnRecord& on_record) {
    return object_.iterate(program, record_size, on_record);
}

Result<> BpfEvents::iterate_at_once(std::span<const std::string_view> programs, std::size_t record_size,
                                    const OnRecord& on_record) {
    return object_.iterate_at_once(programs, record_size, on_record);
}

Result<> BpfEvents::control(std::string_view map, std::span<const std::byte> value) {
    return object_.control(map, value);
}

Result<> BpfEvents::replace(std::string_view map, std::span<const std::byte> keys,
                            std::span<const std::byte> values) {
    return object_.replace(map, keys, values);
}

Result<> BpfEvents::read(std::string_view map, std::span<std::byte> value) const {
    return object_.read(map, value);
}

Result<> BpfEvents::values(std::string_view map, std::size_t value_size, std::size_t most,
                           const OnRecord& on_value) const {
    return object_.values(map, value_size, most, on_value);
}

std::string BpfEvents::refusal(std::string_view program) const {
    return object_.refusal(program);
}

} // namespace egb::host
