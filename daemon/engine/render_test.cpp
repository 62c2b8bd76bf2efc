// SPDX-License-Identifier: Apache-2.0
#include "engine/render.hpp"

#include "harness/builders.hpp"
#include "harness/fake_clock.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <array>

namespace egb::engine {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr auto rules = std::to_array<EvidenceRule>({
    {.name = "silent",
     .weight = Weight::supports,
     .unit = EvidenceUnit::since,
     .text = "no byte has moved for {}",
     .change = "a single byte would end it"},
    {.name = "peer-gone",
     .weight = Weight::supports,
     .unit = EvidenceUnit::none,
     .text = "its peer is gone",
     .change = ""},
    {.name = "queued",
     .weight = Weight::opposes,
     .unit = EvidenceUnit::bytes,
     .text = "{} wait to be read",
     .change = "a single byte would end it"},
    {.name = "patience",
     .weight = Weight::opposes,
     .unit = EvidenceUnit::span,
     .text = "the application may wait for {}",
     .change = "waiting longer than that would support it"},
});

class RenderTest : public testing::Test {
protected:
    RenderTest() {
        ghost_ = test::make_ghost("cookie 7", clock_.now() - 90s);
        ghost_.id = 17;
        ghost_.grade = Grade::proven;
        ghost_.summary = "10.0.0.1:80 <- 10.0.0.2:4000";
        ghost_.holders = test::held_by({.pid = 42, .uid = 33, .comm = "nginx", .unit = "nginx.service"}, 5);
        ghost_.evidence = {{.rule = &rules.at(0), .value = (clock_.now() - 1min).time_since_epoch().count()},
                           {.rule = &rules.at(1), .value = 0},
                           {.rule = &rules.at(2), .value = 1536},
                           {.rule = &rules.at(3), .value = Span{2h}.count()}};
    }

    [[nodiscard]] json described(const Kinship& kinship = {}) const {
        return json::parse(to_json(ghost_, fields_, decision_, kinship, clock_));
    }
    [[nodiscard]] std::string explained() const { return explain(ghost_, fields_, decision_, clock_); }

    test::FakeClock clock_;
    Ghost ghost_;
    Fields fields_{{.name = "state", .value = std::string{"CLOSE_WAIT"}},
                   {.name = "mark", .value = std::uint64_t{UINT64_MAX}},
                   {.name = "delta", .value = std::int64_t{-3}},
                   {.name = "mapped", .value = true}};
    Decision decision_{.action = Action::clean, .reason = "it is proven, and Clean=proven"};
};

TEST_F(RenderTest, writes_a_ghost_as_json) {
    const auto ghost = described();
    EXPECT_EQ(ghost["id"], 17);
    EXPECT_EQ(ghost["kind"], "some");
    EXPECT_EQ(ghost["grade"], "proven");
    EXPECT_EQ(ghost["key"], "cookie 7");
    EXPECT_EQ(ghost["summary"], "10.0.0.1:80 <- 10.0.0.2:4000");
    EXPECT_EQ(ghost["since"], (clock_.wall_now() - 90s).time_since_epoch().count());
    EXPECT_EQ(ghost["since_kind"], "observed");
    EXPECT_EQ(ghost["age_usec"], 90'000'000);
    EXPECT_EQ(ghost["decision"],
              json::parse(R"({"action":"clean","reason":"it is proven, and Clean=proven"})"));
    EXPECT_EQ(ghost["fields"],
              json::parse(R"({"state":"CLOSE_WAIT","mark":18446744073709551615,"delta":-3,"mapped":true})"));
}

TEST_F(RenderTest, writes_whose_member_it_is_and_how_many_it_stands_for) {
    EXPECT_EQ(described()["group"], nullptr);
    EXPECT_EQ(described()["members_total"], 0);
    EXPECT_EQ(described({.group = 16, .members = 0})["group"], 16);
    EXPECT_EQ(described({.group = {}, .members = 340})["members_total"], 340);
}

TEST_F(RenderTest, writes_who_holds_it) {
    const auto holder = described()["holders"][0];
    EXPECT_EQ(holder["pid"], 42);
    EXPECT_EQ(holder["start_ticks"], 420);
    EXPECT_EQ(holder["uid"], 33);
    EXPECT_EQ(holder["comm"], "nginx");
    EXPECT_EQ(holder["exe"], "/usr/bin/app");
    EXPECT_EQ(holder["unit"], "nginx.service");
    EXPECT_EQ(holder["container"], "");
    EXPECT_EQ(holder["fd"], 5);
    EXPECT_EQ(described()["bond"], "held by");
    ghost_.holders.front().fd = -1;
    EXPECT_EQ(described()["holders"][0]["fd"], nullptr);
}

TEST_F(RenderTest, writes_the_evidence_with_times_in_microseconds) {
    const auto evidence = described()["evidence"];
    ASSERT_EQ(evidence.size(), 4);
    EXPECT_EQ(evidence[0]["name"], "silent");
    EXPECT_EQ(evidence[0]["weight"], "supports");
    EXPECT_EQ(evidence[0]["text"], "no byte has moved for 1min");
    EXPECT_EQ(evidence[0]["value"], (clock_.wall_now() - 1min).time_since_epoch().count());
    EXPECT_EQ(evidence[0]["change"], "a single byte would end it");
    EXPECT_EQ(evidence[2]["weight"], "opposes");
    EXPECT_EQ(evidence[2]["value"], 1536);
    EXPECT_EQ(evidence[3]["value"], 7'200'000'000);
}

TEST_F(RenderTest, writes_empty_lists_as_lists) {
    ghost_.holders.clear();
    ghost_.evidence.clear();
    fields_.clear();
    const auto ghost = described();
    EXPECT_EQ(ghost["holders"], json::array());
    EXPECT_EQ(ghost["evidence"], json::array());
    EXPECT_EQ(ghost["fields"], json::object());
}

TEST_F(RenderTest, survives_what_is_no_text) {
    ghost_.key = "\xff\"\n";
    ghost_.summary = "\x1b[2J\xfe";
    EXPECT_EQ(described()["id"], 17);
    EXPECT_THAT(explained(), Not(HasSubstr("\x1b")));
    EXPECT_THAT(explained(), HasSubstr("\\x1b[2J\\xfe"));
}

TEST_F(RenderTest, explains_in_words) {
    EXPECT_EQ(explained(), R"(Ghost 17: 10.0.0.1:80 <- 10.0.0.2:4000

Claim
  It is proven to be a ghost of the kind some, for 1min 30s.

Held by
  - nginx (pid 42, uid 33), descriptor 5, unit nginx.service

For it
  - no byte has moved for 1min
  - its peer is gone

Against it
  - 1.5 KiB wait to be read
  - the application may wait for 2h

What would change the verdict
  - a single byte would end it
  - waiting longer than that would support it

What will be done
  It will be cleaned, if a last look confirms all this: it is proven, and Clean=proven.

Facts
  - state: CLOSE_WAIT
  - mark: 18446744073709551615
  - delta: -3
  - mapped: yes
)");
}

TEST_F(RenderTest, explains_what_it_does_not_know) {
    ghost_.grade = Grade::suspected;
    ghost_.since_kind = SinceKind::at_least;
    ghost_.holders.clear();
    ghost_.evidence.clear();
    fields_.clear();
    decision_ = {.action = Action::report, .reason = "the kind some only reports"};
    EXPECT_EQ(explained(), R"(Ghost 17: 10.0.0.1:80 <- 10.0.0.2:4000

Claim
  It is suspected to be a ghost of the kind some, for at least 1min 30s.

Held by
  Nobody that could be found.

For it
  Nothing.

Against it
  Nothing that was found.

What would change the verdict
  Nothing that could be named.

What will be done
  Nothing but this report: the kind some only reports.
)");
}

TEST_F(RenderTest, explains_that_it_is_ignored) {
    decision_ = {.action = Action::ignore, .reason = "ignored for another 1h"};
    EXPECT_THAT(explained(), HasSubstr("on no list: ignored for another 1h."));
}

TEST_F(RenderTest, does_not_list_a_hundred_holders) {
    ghost_.holders.assign(100, ghost_.holders.front());
    EXPECT_THAT(explained(), HasSubstr("and 90 more"));
    EXPECT_EQ(described()["holders"].size(), 20);
    EXPECT_EQ(described()["holders_total"], 100);
}

TEST_F(RenderTest, names_the_container_of_a_holder) {
    ghost_.holders = test::held_by({.unit = "", .container = "0123456789ab"}, -1);
    EXPECT_THAT(explained(), HasSubstr("app (pid 100, uid 1000), container 0123456789ab\n"));
}

class RenderIncident : public RenderTest {
protected:
    [[nodiscard]] json written() const { return json::parse(to_json(incident_, clock_)); }

    Incident incident_{.type = IncidentType::appeared,
                       .at = clock_.wall_now(),
                       .ghost = std::make_shared<const Ghost>(ghost_),
                       .facts = [this] {
                           return fields_;
                       }};
};

TEST_F(RenderIncident, has_its_ghost_in_it) {
    const auto incident = written();
    EXPECT_EQ(incident["type"], "appeared");
    EXPECT_EQ(incident["at"], clock_.wall_now().time_since_epoch().count());
    EXPECT_EQ(incident["ghost"]["id"], 17);
    EXPECT_EQ(incident["ghost"]["fields"]["state"], "CLOSE_WAIT");
    EXPECT_FALSE(incident.contains("verdict"));
}

TEST_F(RenderIncident, says_how_long_there_is_to_object) {
    incident_.type = IncidentType::pending;
    incident_.action = Action::ask;
    incident_.until_act = 30s;
    EXPECT_EQ(written()["until_act_usec"], 30'000'000);
    EXPECT_EQ(written()["action"], "ask");
}

TEST_F(RenderIncident, says_what_came_of_an_act_and_who_wanted_it) {
    incident_.type = IncidentType::acted;
    incident_.outcome = {.verdict = Verdict::refused, .reason = "another is in its place"};
    incident_.actor = "uid 1000";
    const auto incident = written();
    EXPECT_EQ(incident["verdict"], "refused");
    EXPECT_EQ(incident["reason"], "another is in its place");
    EXPECT_EQ(incident["actor"], "uid 1000");
}

TEST_F(RenderIncident, says_why_a_ghost_vanished) {
    incident_.type = IncidentType::vanished;
    incident_.outcome = {.verdict = Verdict::gone, .reason = "it was closed"};
    EXPECT_EQ(written()["reason"], "it was closed");
}

TEST_F(RenderTest, writes_whose_a_file_is) {
    const auto creator = test::make_process({.pid = 7, .comm = "backup\xFF", .unit = "backup.service"});
    const FileOwners owners{
        .holders = test::held_by({.pid = 8, .comm = "vi"}, 4),
        .locks = {{.type = "FLOCK", .access = "WRITE", .holder = creator, .waits = false},
                  {.type = "POSIX", .access = "READ", .holder = nullptr, .waits = true}},
        .claims = {{.kind = &test::some_kind(),
                    .key = "key",
                    .summary = "a lock",
                    .verdict = OwnerVerdict::ownerless,
                    .since = clock_.wall_now() - 3min,
                    .claimants = {{.process = creator,
                                   .role = ClaimantRole::creator,
                                   .lives = false,
                                   .end = "killed by SIGKILL"}},
                    .unnamed = 2,
                    .evidence = {{.rule = &rules.at(1), .value = 0}},
                    .ghost = 17}},
        .unclaimed = {{.kind = &test::some_kind(), .reason = "data-file", .text = "it is data"}}};
    const auto written = json::parse(to_json(owners, clock_));
    EXPECT_EQ(written["unclaimed"],
              json::parse(R"([{"kind":"some","reason":"data-file","text":"it is data"}])"));
    EXPECT_EQ(written["holders"][0]["pid"], 8);
    EXPECT_EQ(written["holders"][0]["fd"], 4);
    EXPECT_EQ(written["holders"][0]["container"], nullptr);
    EXPECT_EQ(written["locks"][0]["holder"]["unit"], "backup.service");
    EXPECT_EQ(written["locks"][1],
              json::parse(R"({"type":"POSIX","access":"READ","waits":true,"holder":null})"));
    const auto claim = written["claims"][0];
    EXPECT_EQ(claim["kind"], "some");
    EXPECT_EQ(claim["verdict"], "ownerless");
    EXPECT_EQ(claim["age_usec"], 180'000'000);
    EXPECT_EQ(claim["since"], (clock_.wall_now() - 3min).time_since_epoch().count());
    EXPECT_EQ(claim["claimants"][0]["role"], "creator");
    EXPECT_EQ(claim["claimants"][0]["lives"], false);
    EXPECT_EQ(claim["claimants"][0]["end"], "killed by SIGKILL");
    EXPECT_EQ(claim["claimants_unnamed"], 2);
    EXPECT_EQ(claim["evidence"][0]["name"], "peer-gone");
    EXPECT_EQ(claim["ghost"], 17);
}

TEST_F(RenderTest, writes_null_for_what_nobody_knows_of_owners) {
    Process dead;
    dead.id.pid = 9;
    dead.known = false;
    const FileOwners owners{.holders = {},
                            .locks = {},
                            .claims = {{.kind = &test::some_kind(),
                                        .key = "key",
                                        .summary = "a lock",
                                        .since = std::nullopt,
                                        .claimants = {{.process = std::make_shared<const Process>(dead),
                                                       .role = ClaimantRole::creator,
                                                       .lives = false,
                                                       .end = {}}},
                                        .evidence = {}}}};
    const auto claim = json::parse(to_json(owners, clock_))["claims"][0];
    EXPECT_EQ(claim["since"], nullptr);
    EXPECT_EQ(claim["age_usec"], nullptr);
    EXPECT_EQ(claim["ghost"], nullptr);
    EXPECT_EQ(claim["claimants"][0]["end"], nullptr);
    EXPECT_EQ(claim["claimants"][0]["process"],
              json::parse(R"({"pid":9,"start_ticks":null,"uid":null,"comm":null,"exe":null,"unit":null,)"
                          R"("container":null})"));
}

} // namespace
} // namespace egb::engine
