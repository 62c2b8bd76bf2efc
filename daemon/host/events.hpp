// SPDX-License-Identifier: Apache-2.0
// A kind's window on the kernel: a stream of events, programs that list what there is, maps to talk back.
// BpfEvents is the real one; tests put their own behind the same interface.
#pragma once

#include "core/result.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace egb::host {

class EventSource {
public:
    using Record = std::span<const std::byte>;
    using OnRecord = std::function<void(Record)>;

    virtual ~EventSource() = default;

    /// Loads and attaches the programs; takes over what an earlier process left in the descriptor store.
    [[nodiscard]] virtual Result<> attach() = 0;

    /// Takes away a program that need not be there all the time, and attaches it again. What it is already,
    /// it stays.
    virtual void suspend(std::string_view /*program*/) {}
    [[nodiscard]] virtual Result<> resume(std::string_view /*program*/) { return {}; }

    /// Readable while events wait.
    [[nodiscard]] virtual int poll_fd() const = 0;

    /// Hands over at most `most` waiting events; canaries are counted, not handed over. Returns how many it
    /// took: `most` means that there may be more.
    [[nodiscard]] virtual Result<std::size_t> drain(std::size_t most, const OnRecord& on_record) = 0;

    /// Events that found no room in the ring, and those that the kernel did not run a program for. Never
    /// falls while the programs are attached.
    [[nodiscard]] virtual std::uint64_t lost() const = 0;

    [[nodiscard]] virtual Result<> provoke_canary() = 0;
    [[nodiscard]] virtual std::uint64_t canaries() const = 0;

    /// Runs a program that attaches to nothing, with a context that it may answer in, and hands back what it
    /// returns.
    [[nodiscard]] virtual Result<std::uint32_t> call(std::string_view program,
                                                     std::span<std::byte> context) = 0;

    /// Runs an iterator program over everything it can see and hands over each record it writes.
    [[nodiscard]] virtual Result<> iterate(std::string_view program, std::size_t record_size,
                                           const OnRecord& on_record) = 0;

    /// The same by several programs, at once where there are threads for it. Records are handed over one at a
    /// time, in whatever order.
    [[nodiscard]] virtual Result<> iterate_at_once(std::span<const std::string_view> programs,
                                                   std::size_t record_size, const OnRecord& on_record) {
        for (const std::string_view program : programs) {
            if (auto listed = iterate(program, record_size, on_record); !listed) {
                return listed;
            }
        }
        return {};
    }

    /// Sets the one element of a map.
    [[nodiscard]] virtual Result<> control(std::string_view map, std::span<const std::byte> value) = 0;

    /// Makes these all that a map holds: keys of the map's size one after the other, and their values.
    [[nodiscard]] virtual Result<> replace(std::string_view map, std::span<const std::byte> keys,
                                           std::span<const std::byte> values) = 0;

    /// Reads the one element of a map.
    [[nodiscard]] virtual Result<> read(std::string_view map, std::span<std::byte> value) const = 0;

    /// Hands over the values of a map, the first `most` of an array. Of a hash, each that is there all the
    /// while.
    [[nodiscard]] virtual Result<> values(std::string_view map, std::size_t value_size, std::size_t most,
                                          const OnRecord& on_value) const = 0;

    /// Why an optional program is not there; empty when it is.
    [[nodiscard]] virtual std::string refusal(std::string_view program) const = 0;
};

} // namespace egb::host
