// SPDX-License-Identifier: Apache-2.0
// A quarantine that lasts as long as the test.
#pragma once

#include "core/quarantine.hpp"

#include <map>
#include <utility>
#include <vector>

namespace egb::test {

class FakeQuarantine final : public Quarantine {
public:
    /// What keep() says from now on, in place of keeping anything.
    void refuse(Error why) { answer_ = std::unexpected(std::move(why)); }

    [[nodiscard]] const std::map<GhostId, Ward>& wards() const { return wards_; }

    [[nodiscard]] Result<> keep(const Ghost& ghost, const QuarantinedFile& file) override {
        if (answer_) {
            wards_.insert_or_assign(ghost.id,
                                    Ward{.ghost = ghost.id, .custody = Custody::underway, .file = file});
        }
        return answer_;
    }

    [[nodiscard]] Result<> settle(GhostId ghost) override {
        const auto found = wards_.find(ghost);
        if (found == wards_.end()) {
            return fail(ErrorCode::not_found, "nothing of ghost {} is in quarantine", ghost);
        }
        found->second.custody = Custody::kept;
        return {};
    }

    [[nodiscard]] Result<> drop(GhostId ghost) override {
        wards_.erase(ghost);
        return {};
    }

    /// All that were given up.
    [[nodiscard]] const std::vector<GhostId>& given_up() const { return given_up_; }

    [[nodiscard]] Result<> give_up(GhostId ghost) override {
        given_up_.push_back(ghost);
        return {};
    }

    [[nodiscard]] Result<Ward> find(GhostId ghost) const override {
        const auto found = wards_.find(ghost);
        return found == wards_.end()
                   ? fail(ErrorCode::not_found, "nothing of ghost {} is in quarantine", ghost)
                   : Result<Ward>{found->second};
    }

    [[nodiscard]] Result<std::vector<Ward>> underway() const override {
        std::vector<Ward> found;
        for (const auto& [ghost, ward] : wards_) {
            if (ward.custody == Custody::underway) {
                found.push_back(ward);
            }
        }
        return found;
    }

private:
    std::map<GhostId, Ward> wards_;
    std::vector<GhostId> given_up_;
    Result<> answer_;
};

} // namespace egb::test
