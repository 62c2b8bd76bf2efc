// SPDX-License-Identifier: Apache-2.0
#include "sinks/state_sink.hpp"

#include "harness/builders.hpp"
#include "harness/fake_clock.hpp"
#include "harness/temp_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace egb::sinks {
namespace {

TEST(StateSink, KeepsTheIncidentWithItsGhostInJson) {
    const test::TempFolder folder;
    const test::FakeClock clock;
    state::StateDb db{folder.path(), clock, "boot", [](std::string_view trouble) {
                          FAIL() << trouble;
                      }};
    StateSink sink{db, clock};
    Ghost ghost = test::make_ghost("cookie 42", clock.now());
    ghost.id = db.next();
    Incident incident;
    incident.at = clock.wall_now();
    incident.ghost = std::make_shared<const Ghost>(std::move(ghost));

    sink.record(incident);
    EXPECT_THAT(db.history({}, 10).value(), testing::IsEmpty()) << "it waits for the end of its batch";
    sink.flush();

    const auto rows = db.history({}, 10).value();
    ASSERT_THAT(rows, testing::SizeIs(1));
    EXPECT_EQ(rows.front().type, "appeared");
    const auto file = state::Database::open(folder.path() / "state.db").value();
    EXPECT_THAT(file.text("SELECT json FROM incident").value(), testing::HasSubstr("cookie 42"));
}

} // namespace
} // namespace egb::sinks
