// SPDX-License-Identifier: Apache-2.0
// The rows of a BPF array that the kernel side and we have in common: what one writes is there for the other,
// without a system call for each.
#pragma once

#include "core/result.hpp"

#include <cstddef>
#include <memory>
#include <span>

namespace egb::host {

class MapRows {
public:
    /// The map has the flag BPF_F_MMAPABLE, and that many bytes.
    [[nodiscard]] static Result<MapRows> of(int map, std::size_t bytes);

    template <typename Row>
    [[nodiscard]] std::span<Row> as() const {
        return {static_cast<Row*>(memory_.get()), memory_.get_deleter().bytes / sizeof(Row)};
    }

private:
    struct Unmap {
        std::size_t bytes{};
        void operator()(void* address) const;
    };
    using Memory = std::unique_ptr<void, Unmap>;

    explicit MapRows(Memory memory) : memory_{std::move(memory)} {}

    Memory memory_;
};

} // namespace egb::host
