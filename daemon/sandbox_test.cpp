// SPDX-License-Identifier: Apache-2.0
// What the kinds say that they need is what the sandboxes of all packages give them: no less, and nothing
// else.
#include "kinds/catalog.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

namespace egb {
namespace {

using testing::ContainerEq;

using Names = std::set<std::string>;

const std::filesystem::path tree{EGB_TREE};

Names needed() {
    Names names;
    for (const auto& entry : kinds::catalog()) {
        names.insert(entry.info.capabilities.begin(), entry.info.capabilities.end());
    }
    return names;
}

/// The words behind all assignments of that name in a unit file.
Names assigned(const std::filesystem::path& file, std::string_view setting) {
    std::ifstream lines{tree / file};
    EXPECT_TRUE(lines) << file;
    Names names;
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(std::string{setting} + "=")) {
            continue;
        }
        std::istringstream words{line.substr(setting.size() + 1)};
        for (std::string word; words >> word;) {
            names.insert(word);
        }
    }
    return names;
}

TEST(SandboxTest, TheUnitGivesWhatTheKindsNeed) {
    const std::filesystem::path unit{"units/eghostbuster.service.in"};
    EXPECT_THAT(assigned(unit, "CapabilityBoundingSet"), ContainerEq(needed()));
    EXPECT_THAT(assigned(unit, "AmbientCapabilities"), ContainerEq(needed()));
}

TEST(SandboxTest, TheContainerGivesWhatTheKindsNeed) {
    const std::filesystem::path unit{"packaging/image/eghostbuster.container.in"};
    EXPECT_THAT(assigned(unit, "AddCapability"), ContainerEq(needed()));
    EXPECT_THAT(assigned(unit, "DropCapability"), ContainerEq(Names{"all"}));
}

} // namespace
} // namespace egb
