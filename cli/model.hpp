// SPDX-License-Identifier: Apache-2.0
// What the daemon tells, as plain types: the client's side of daemon/bus/control.hpp.
#pragma once

#include "core/clock.hpp"
#include "time.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace egb::cli {

using Json = nlohmann::ordered_json;
using GhostId = std::uint64_t;

/// Which ghosts are asked for. Empty members select everything.
struct Filter {
    std::string kind;
    std::string grade;
    std::optional<std::int32_t> pid;
    std::optional<std::uint32_t> uid;
    std::string unit;
    std::string container;
    std::string command;
    std::optional<Span> min_age;
    bool members{}; ///< also those that a summary ghost stands for

    [[nodiscard]] bool empty() const { return *this == Filter{}; }
    bool operator==(const Filter&) const = default;
};

struct GhostRow {
    GhostId id{};
    std::string kind;
    std::string grade;
    std::string summary;
    WallTime since;
    Known known{Known::exactly};
    std::int32_t pid{}; ///< of the first holder; 0 when nobody holds it
    std::string command;
    std::string unit;
    std::uint32_t holders{};
    std::string decision; ///< ignore, report or clean
};

/// One of those that a summary ghost stands for.
struct MemberRow {
    GhostId id{};
    std::int32_t fd{}; ///< of its first holder; -1 when there is none
    WallTime since;
    Known known{Known::exactly};
    std::string summary;
};

/// Which events `trace` is to be told of.
struct TraceFilter {
    Span min_duration{};
    std::optional<std::uint32_t> uid;
    std::string command;
    std::string unit;
    std::string cgroup;
    std::optional<std::int32_t> pid;
    bool failed{};
    bool fork{};
    bool cwd{};
};

struct HistoryFilter {
    std::string kind;
    std::string type;
    std::string verdict;
    std::optional<GhostId> ghost;
    std::optional<WallTime> since;
    std::optional<WallTime> until;
};

struct IncidentRow {
    std::int64_t sequence{};
    WallTime at;
    std::string type;
    GhostId ghost{};
    std::string kind;
    std::string grade;
    std::string summary;
    std::string verdict;
    std::string reason;
    std::string actor;
};

struct QuarantinedRow {
    GhostId ghost{};
    std::string kind;
    WallTime since;
    std::string path;
    std::string type;
    std::uint64_t size{};
};

struct Explanation {
    GhostId id{};
    std::string text;
};

/// What is back, and where.
struct Restored {
    GhostId id{};
    std::string path;
};

struct OutcomeRow {
    GhostId id{};
    std::string verdict; ///< cleaned, gone, refused, failed or asked
    std::string reason;
};

struct CapabilityRow {
    std::string name;
    bool works{};
    std::string detail;
};

struct OptionRow {
    std::string name;
    std::string type;
    std::string preset;
    std::string help;
};

struct KindView {
    std::string name;
    std::string summary;
    std::string reach; ///< reports or cleans
    bool enabled{};
    std::string trouble;
    std::string clean; ///< never, proven or suspected
    Span veto{};
    std::vector<OptionRow> option_table;
    std::map<std::string, std::string> options;
    std::vector<CapabilityRow> capabilities;
    std::uint64_t tracked{};
    std::uint64_t suspected{};
    std::uint64_t proven{};
    std::uint64_t lost_events{};
    std::optional<WallTime> last_sweep; ///< nothing before the first
    Span last_sweep_took{};
};

struct ManagerView {
    std::string version;
    std::string boot_id;
    WallTime started;
    std::vector<std::string> kinds;
    bool dry_run{};
    bool paused{};
    std::uint64_t ghosts{};
    std::vector<std::string> troubles;
};

/// What systemd knows of the daemon's unit.
struct UnitView {
    std::string active;  ///< ActiveState: active, failed...
    std::string sub;     ///< SubState: running, dead...
    std::string enabled; ///< UnitFileState: enabled, disabled...
    bool found{};        ///< there is such a unit
};

} // namespace egb::cli
