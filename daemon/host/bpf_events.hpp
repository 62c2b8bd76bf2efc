// SPDX-License-Identifier: Apache-2.0
// The real EventSource: a BPF object with the ring, the drop counter and the canary of bpf/common.bpf.h.
#pragma once

#include "host/bpf_object.hpp"
#include "host/events.hpp"

#include <memory>

struct ring_buffer;

namespace egb::host {

class BpfEvents final : public EventSource {
public:
    BpfEvents(const BpfImage& image, FdStore& store) : object_{image, store} {}

    [[nodiscard]] Result<> attach() override;
    void suspend(std::string_view program) override { object_.suspend(program); }
    [[nodiscard]] Result<> resume(std::string_view program) override { return object_.resume(program); }
    [[nodiscard]] int poll_fd() const override;
    [[nodiscard]] Result<std::size_t> drain(std::size_t most, const OnRecord& on_record) override;
    [[nodiscard]] std::uint64_t lost() const override;
    [[nodiscard]] Result<> provoke_canary() override;
    [[nodiscard]] std::uint64_t canaries() const override { return canaries_; }
    [[nodiscard]] Result<std::uint32_t> call(std::string_view program, std::span<std::byte> context) override;
    [[nodiscard]] Result<> iterate(std::string_view program, std::size_t record_size,
                                   const OnRecord& on_record) override;
    [[nodiscard]] Result<> iterate_at_once(std::span<const std::string_view> programs,
                                           std::size_t record_size, const OnRecord& on_record) override;
    [[nodiscard]] Result<> control(std::string_view map, std::span<const std::byte> value) override;
    [[nodiscard]] Result<> replace(std::string_view map, std::span<const std::byte> keys,
                                   std::span<const std::byte> values) override;
    [[nodiscard]] Result<> read(std::string_view map, std::span<std::byte> value) const override;
    [[nodiscard]] Result<> values(std::string_view map, std::size_t value_size, std::size_t most,
                                  const OnRecord& on_value) const override;
    [[nodiscard]] std::string refusal(std::string_view program) const override;

private:
    struct FreeRing {
        void operator()(ring_buffer* ring) const;
    };

    static int on_sample(void* self, void* data, std::size_t size);
    void take(Record record);

    BpfObject object_;
    std::unique_ptr<ring_buffer, FreeRing> ring_;
    const OnRecord* on_record_{}; ///< set during drain()
    std::exception_ptr failure_;
    std::uint64_t canaries_{};
    mutable std::uint64_t lost_{}; ///< as last read
};

} // namespace egb::host
