// SPDX-License-Identifier: Apache-2.0
// A sink that keeps everything, and ids that count from one.
#pragma once

#include "engine/sink.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace egb::test {

class RecordingSink final : public engine::Sink {
public:
    void record(const Incident& incident) override { incidents_.push_back(incident); }
    void flush() override { ++flushes_; }

    [[nodiscard]] const std::vector<Incident>& incidents() const { return incidents_; }
    [[nodiscard]] const Incident& last() const { return incidents_.back(); }
    [[nodiscard]] std::size_t flushes() const { return flushes_; }
    void clear() { incidents_.clear(); }

    /// "appeared a", "pending a", "cleaned a"...: what happened to which key, in order.
    [[nodiscard]] std::vector<std::string> story() const {
        std::vector<std::string> lines;
        lines.reserve(incidents_.size());
        for (const Incident& incident : incidents_) {
            lines.push_back(std::string{incident.name()} + " " + incident.ghost->key);
        }
        return lines;
    }

private:
    std::vector<Incident> incidents_;
    std::size_t flushes_{};
};

class CountingIds final : public engine::IdSource {
public:
    [[nodiscard]] GhostId next() override { return ++last_; }

private:
    GhostId last_{};
};

} // namespace egb::test
