// SPDX-License-Identifier: Apache-2.0
// org.freedesktop.PolicyKit1 as a test wants it: it answers what it was told to, or nothing at all, and
// writes down every question. It runs on a thread of its own, as the real one does in a process of its own.
#pragma once

#include "contract/private_bus.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

namespace egb::test {

class MockPolkit {
public:
    enum class Mood : std::uint8_t {
        allow,
        deny,
        challenge, ///< yes, if somebody could be asked for a password
        dismissed, ///< somebody was asked, and closed the dialogue
        fail,      ///< does not know the action
        silent,    ///< somebody is still looking for the password
    };

    struct Question {
        std::string subject; ///< unique name
        std::string action;
        std::map<std::string, std::string> details;
        std::uint32_t flags{};
        std::string cancellation_id;
    };

    MockPolkit(const PrivateBus& bus, Mood mood);
    ~MockPolkit();
    MockPolkit(const MockPolkit&) = delete;
    MockPolkit& operator=(const MockPolkit&) = delete;

    void be(Mood mood);

    /// Answers every question that is still open.
    void answer_open(bool authorized);

    [[nodiscard]] std::vector<Question> questions() const;
    [[nodiscard]] std::vector<std::string> cancelled() const; ///< ids

    /// False when there are not so many within `patience`.
    [[nodiscard]] bool wait_for_questions(std::size_t count) const;
    [[nodiscard]] bool wait_for_cancelled(std::size_t count) const;

private:
    using Subject = sdbus::Struct<std::string, std::map<std::string, sdbus::Variant>>;
    using Answer = sdbus::Struct<bool, bool, std::map<std::string, std::string>>;
    using Reply = sdbus::Result<Answer>;
    using Details = std::map<std::string, std::string>;

    void ask(Reply&& reply, const Subject& subject, const std::string& action, const Details& details,
             std::uint32_t flags, const std::string& cancellation_id);
    void cancel(const std::string& id);

    mutable std::mutex mutex_;
    Mood mood_;
    std::vector<Question> questions_;
    std::vector<std::string> cancelled_;
    std::unique_ptr<sdbus::IConnection> connection_;
    std::unique_ptr<sdbus::IObject> object_;
    std::map<std::string, Reply> open_; ///< by cancellation id
};

} // namespace egb::test
