// SPDX-License-Identifier: Apache-2.0
// The lines that a reader has not taken yet: whole lines only, up to a limit. What finds no room is counted,
// and told by a line of its own before the next that fits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace egb::trace {

class LineQueue {
public:
    explicit LineQueue(std::size_t most_bytes) : most_{most_bytes} {}

    /// An event. Without room it is lost.
    void add(std::string_view line);

    /// An answer to something that the reader has said, for which there is room beside that of the events.
    /// Who talks on and never reads gets none in the end, and nothing is counted.
    void answer(std::string_view line);

    /// So many events were lost before they came here.
    void lose_in_kernel(std::uint64_t events) { lost_in_kernel_ += events; }

    enum class Flow : std::uint8_t {
        done,    ///< all of it is with the reader
        blocked, ///< the reader does not keep up: go on when the socket is writable
        gone,    ///< there is no reader any more
    };

    /// Gives the non-blocking socket as much as it takes.
    [[nodiscard]] Flow flush(int socket);

    [[nodiscard]] bool empty() const { return taken_ == text_.size(); }
    [[nodiscard]] std::uint64_t lost() const { return lost_; }

private:
    static constexpr std::size_t room_for_answers = 8'192;

    [[nodiscard]] std::size_t waiting() const { return text_.size() - taken_; }
    [[nodiscard]] bool has_room(std::size_t bytes) const { return waiting() + bytes <= most_; }
    [[nodiscard]] std::string account_of_losses() const;
    [[nodiscard]] bool tell_losses(std::size_t bytes_behind);

    std::size_t most_;
    std::string text_;
    std::size_t taken_{}; ///< of its bytes, by the reader
    std::uint64_t lost_{};
    std::uint64_t lost_in_kernel_{};
};

} // namespace egb::trace
