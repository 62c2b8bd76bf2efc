// SPDX-License-Identifier: Apache-2.0
// What must outlive the daemon: ghost ids, history. SQLite with WAL in the state directory.
// Nothing in here is fatal: a corrupt file is set aside and named, a full disk makes the database fall silent
// (and say so, once, through `degraded()`) until it works again.
#pragma once

#include "core/incident.hpp"
#include "core/result.hpp"
#include "engine/sink.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;

namespace egb::state {

/// One line of the history.
struct HistoryRow {
    std::int64_t sequence{}; ///< grows by one per incident, for ever
    WallTime at;
    std::string type; ///< appeared, changed, pending, acted, vanished
    GhostId ghost{};
    std::string kind;
    std::string grade;
    std::string summary;
    std::string verdict; ///< for acted
    std::string reason;
    std::string actor;
    std::string json; ///< the whole incident

    bool operator==(const HistoryRow&) const = default;
};

struct HistoryFilter {
    std::string kind;
    std::string type;
    std::string verdict;
    std::optional<GhostId> ghost;
    std::optional<WallTime> since;
    std::optional<WallTime> until;
};

class StateDb final : public engine::IdSource {
public:
    /// Told about each loss of durability and each recovery, once per change; the sentence is for the log.
    using OnTrouble = std::function<void(std::string_view)>;

    /// Opens or makes the database and brings its schema up to date. Where that is impossible it works in
    /// memory, and says so.
    StateDb(const std::filesystem::path& directory, OnTrouble on_trouble);
    ~StateDb() override;
    StateDb(const StateDb&) = delete;
    StateDb& operator=(const StateDb&) = delete;

    /// Ids are reserved a thousand at a time, so that a crash skips some and repeats none.
    [[nodiscard]] GhostId next() override;

    /// Collected until flush(), written in one transaction. What a full disk refuses is dropped and counted.
    void append(const Incident& incident, std::string json);
    void flush();

    /// The newest first.
    [[nodiscard]] Result<std::vector<HistoryRow>> history(const HistoryFilter& filter, std::uint32_t limit) const;

    /// Deletes the oldest beyond the limits.
    void prune(std::uint64_t most_rows, WallTime oldest);

    /// Why the state is not durable at the moment; empty when it is.
    [[nodiscard]] const std::string& degraded() const { return degraded_; }

    [[nodiscard]] static constexpr int schema_version() { return 1; }

private:
    struct Close {
        void operator()(sqlite3* db) const;
    };
    struct Pending {
        HistoryRow row;
    };

    void open(const std::filesystem::path& file);
    Result<> migrate();
    Result<> write_pending();
    Result<> reserve_ids();
    void trouble(std::string_view what);
    void recovered();

    std::unique_ptr<sqlite3, Close> db_;
    OnTrouble on_trouble_;
    std::string degraded_;
    std::vector<Pending> pending_;
    std::uint64_t dropped_{};
    GhostId next_id_{1};
    GhostId reserved_until_{1};
};

} // namespace egb::state
