// SPDX-License-Identifier: Apache-2.0
// A kernel side made of vectors: the test puts in what the real one would send.
#pragma once

#include "host/events.hpp"
#include "host/fd.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace egb::test {

/// The bytes of a record, as they would arrive from the ring.
template <typename T>
[[nodiscard]] std::vector<std::byte> bytes_of(const T& record) {
    static_assert(std::is_trivially_copyable_v<T>);
    const auto bytes = std::as_bytes(std::span{&record, 1});
    return {bytes.begin(), bytes.end()};
}

class FakeEvents final : public host::EventSource {
public:
    FakeEvents();

    /// An event that waits to be drained.
    template <typename T>
    void send(const T& record) {
        push(bytes_of(record));
    }

    /// The same for one whose length is not that of a type.
    void send_bytes(std::vector<std::byte> record) { push(std::move(record)); }

    /// One more record that the iterator `program` finds.
    template <typename T>
    void list(std::string_view program, const T& record) {
        listed_[std::string{program}].push_back(bytes_of(record));
    }
    void clear_list(std::string_view program) { listed_.erase(std::string{program}); }

    void lose(std::uint64_t events) { lost_ += events; }

    /// attach(), or an iterator by name, fails from now on.
    void fail_attach(Error error) { attach_error_ = std::move(error); }
    void fail_iterator(std::string_view program, Error error) {
        iterator_errors_[std::string{program}] = std::move(error);
    }
    void refuse(std::string_view program, std::string_view why) { refusals_[std::string{program}] = why; }

    /// What the program returns and writes into its context.
    using Answer = std::function<std::uint32_t(std::span<std::byte> context)>;
    void answer(std::string_view program, Answer answer) {
        answers_[std::string{program}] = std::move(answer);
    }

    /// What the control map was last set to; empty when it never was.
    [[nodiscard]] std::vector<std::byte> controlled(std::string_view map) const;
    /// What a map was last made to hold.
    struct Contents {
        std::vector<std::byte> keys;
        std::vector<std::byte> values;
    };
    [[nodiscard]] Contents replaced(std::string_view map) const;
    [[nodiscard]] bool attached() const { return attached_; }
    [[nodiscard]] bool is_suspended(std::string_view program) const { return suspended_.contains(program); }

    [[nodiscard]] Result<> attach() override;
    void suspend(std::string_view program) override { suspended_.emplace(program); }
    [[nodiscard]] Result<> resume(std::string_view program) override {
        suspended_.erase(std::string{program});
        return {};
    }
    [[nodiscard]] int poll_fd() const override { return ready_.get(); }
    [[nodiscard]] Result<std::size_t> drain(std::size_t most, const OnRecord& on_record) override;
    [[nodiscard]] std::uint64_t lost() const override { return lost_; }
    [[nodiscard]] Result<> provoke_canary() override;
    [[nodiscard]] std::uint64_t canaries() const override { return canaries_; }
    [[nodiscard]] Result<std::uint32_t> call(std::string_view program, std::span<std::byte> context) override;
    [[nodiscard]] Result<> iterate(std::string_view program, std::size_t record_size,
                                   const OnRecord& on_record) override;
    [[nodiscard]] Result<> control(std::string_view map, std::span<const std::byte> value) override;
    [[nodiscard]] Result<> replace(std::string_view map, std::span<const std::byte> keys,
                                   std::span<const std::byte> values) override;
    [[nodiscard]] Result<> read(std::string_view map, std::span<std::byte> value) const override;
    [[nodiscard]] Result<> values(std::string_view /*map*/, std::size_t /*value_size*/, std::size_t /*most*/,
                                  const OnRecord& /*on_value*/) const override {
        return {}; // nobody who uses it is tested with these
    }
    [[nodiscard]] std::string refusal(std::string_view program) const override;

private:
    using Bytes = std::vector<std::byte>;

    void push(Bytes record);

    host::Fd ready_;
    bool attached_{};
    std::set<std::string, std::less<>> suspended_;
    std::deque<Bytes> waiting_; ///< an empty one is a canary
    std::map<std::string, std::vector<Bytes>, std::less<>> listed_;
    std::map<std::string, Bytes, std::less<>> controls_;
    std::map<std::string, Contents, std::less<>> contents_;
    std::map<std::string, std::string, std::less<>> refusals_;
    std::map<std::string, Error, std::less<>> iterator_errors_;
    std::optional<Error> attach_error_;
    std::map<std::string, Answer, std::less<>> answers_;
    std::uint64_t lost_{};
    std::uint64_t canaries_{};
};

} // namespace egb::test
