// SPDX-License-Identifier: Apache-2.0
// The shapes that ghostctl(1) promises: what stands here must never change, only grow.
#include "json.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace egb::cli {

namespace {

constexpr WallTime then{std::chrono::microseconds{1'700'000'000'000'000}};

TEST(Json, Ghost) {
    const GhostRow row{.id = 17,
                       .kind = "tcp",
                       .grade = "proven",
                       .summary = "a socket",
                       .since = then,
                       .known = Known::at_least,
                       .pid = 1234,
                       .command = "java",
                       .unit = "shop.service",
                       .holders = 2,
                       .decision = "clean"};
    EXPECT_EQ(
        to_json(row).dump(),
        R"({"id":17,"kind":"tcp","grade":"proven","summary":"a socket","since":1700000000000000,)"
        R"("since_kind":"at-least","pid":1234,"comm":"java","unit":"shop.service","holders":2,"action":"clean"})");
}

TEST(Json, AGhostThatNobodyHolds) {
    const auto json = to_json(GhostRow{});
    EXPECT_TRUE(json["pid"].is_null());
    EXPECT_TRUE(json["comm"].is_null());
    EXPECT_TRUE(json["unit"].is_null());
    EXPECT_EQ(json["since_kind"], "observed");
}

TEST(Json, Incident) {
    const IncidentRow row{.sequence = 5,
                          .at = then,
                          .type = "acted",
                          .ghost = 17,
                          .kind = "tcp",
                          .grade = "proven",
                          .summary = "a socket",
                          .verdict = "cleaned",
                          .reason = "",
                          .actor = "policy"};
    EXPECT_EQ(
        to_json(row).dump(),
        R"({"sequence":5,"at":1700000000000000,"type":"acted","ghost":17,"kind":"tcp","grade":"proven",)"
        R"("summary":"a socket","verdict":"cleaned","reason":null,"actor":"policy"})");
}

TEST(Json, Outcome) {
    EXPECT_EQ(to_json(OutcomeRow{17, "refused", "it has changed"}).dump(),
              R"({"id":17,"verdict":"refused","reason":"it has changed"})");
}

TEST(Json, Option) {
    EXPECT_EQ(to_json(OptionRow{"Veto", "span", "30s", "How long"}).dump(),
              R"({"name":"Veto","type":"span","default":"30s","help":"How long"})");
}

TEST(Json, Kind) {
    KindView view;
    view.name = "tcp";
    view.summary = "Sockets";
    view.reach = "cleans";
    view.enabled = true;
    view.clean = "proven";
    view.veto = std::chrono::seconds{30};
    view.options = {{"Veto", "30s"}};
    view.capabilities = {{"tracking", true, "tp_btf"}};
    view.tracked = 3;
    view.suspected = 2;
    view.proven = 1;
    view.lost_events = 4;
    view.last_sweep_took = std::chrono::milliseconds{34};
    EXPECT_EQ(
        to_json(view).dump(),
        R"({"name":"tcp","summary":"Sockets","reach":"cleans","enabled":true,"trouble":null,"clean":"proven",)"
        R"("veto_usec":30000000,"options":{"Veto":"30s"},"tracked":3,"suspected":2,"proven":1,"lost_events":4,)"
        R"("last_sweep":null,"last_sweep_usec":34000,)"
        R"("capabilities":[{"name":"tracking","works":true,"detail":"tp_btf"}]})");
}

TEST(Json, Manager) {
    ManagerView view;
    view.version = "1.2.3";
    view.boot_id = "b";
    view.started = then;
    view.ghosts = 2;
    view.paused = true;
    view.troubles = {"no disk"};
    EXPECT_EQ(to_json(view).dump(),
              R"({"version":"1.2.3","boot_id":"b","started":1700000000000000,"ghosts":2,"paused":true,)"
              R"("dry_run":false,"troubles":["no disk"]})");
}

TEST(Json, Lists) {
    EXPECT_EQ(to_json(std::vector<CapabilityRow>{}).dump(), "[]");
    EXPECT_EQ(to_json(std::vector<CapabilityRow>{{"destroy", true, "as it should"}}).dump(),
              R"([{"name":"destroy","works":true,"detail":"as it should"}])");
}

} // namespace

} // namespace egb::cli
