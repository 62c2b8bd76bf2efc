// SPDX-License-Identifier: Apache-2.0
// What must outlive the daemon: ghost ids, holds, history, quarantine, what kinds remember. SQLite with WAL
// in the state directory; owned by the daemon, used on the loop, where each call takes milliseconds at most.
// Nothing in here is fatal. A corrupt file is set aside and named. A disk that is full, read-only or broken
// makes the database fall back on memory or fall silent: it says so, once, through `degraded()` and
// OnTrouble, counts what it has to drop, and retry() brings it back.
#pragma once

#include "core/clock.hpp"
#include "core/incident.hpp"
#include "core/kind_memory.hpp"
#include "core/quarantine.hpp"
#include "core/result.hpp"
#include "engine/hold_store.hpp"
#include "engine/sink.hpp"
#include "state/memory_book.hpp"
#include "state/sqlite.hpp"

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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
    std::string json; ///< the whole incident; history() leaves it out

    bool operator==(const HistoryRow&) const = default;
};

struct HistoryFilter {
    std::string kind{};
    std::string type{};
    std::string verdict{};
    std::optional<GhostId> ghost{};
    std::optional<WallTime> since{};
    std::optional<WallTime> until{};
};

class StateDb final : public engine::IdSource,
                      public engine::HoldStore,
                      public Quarantine,
                      public KindMemory {
public:
    /// Told about each loss of durability and each recovery, once per change; the sentence is for the log.
    using OnTrouble = std::function<void(std::string_view)>;

    /// Opens or makes the database and brings its schema up to date. Where that is impossible it works in
    /// memory, and says so.
    StateDb(const std::filesystem::path& directory, const Clock& clock, std::string boot,
            OnTrouble on_trouble);
    ~StateDb() override;
    StateDb(const StateDb&) = delete;
    StateDb& operator=(const StateDb&) = delete;

    /// Ids are reserved a thousand at a time, so that a crash skips some and repeats none. When nothing
    /// durable says which ids were given before, they go on from the wall clock's microseconds, which no
    /// count reaches.
    [[nodiscard]] GhostId next() override;

    /// Written at once. While the disk refuses, they wait for it, and go into whatever file is opened then.
    void keep(const engine::Hold& hold) override;
    /// A failure as long as there has been no file to read them from.
    [[nodiscard]] Result<std::vector<engine::Hold>> holds() const override;

    /// Fails while the state is not durable: then nothing may be taken out of its place.
    [[nodiscard]] Result<> keep(const Ghost& ghost, const QuarantinedFile& file) override;
    [[nodiscard]] Result<> settle(GhostId ghost) override;
    [[nodiscard]] Result<> drop(GhostId ghost) override;
    [[nodiscard]] Result<> give_up(GhostId ghost) override;
    [[nodiscard]] Result<Ward> find(GhostId ghost) const override;
    [[nodiscard]] Result<std::vector<Ward>> underway() const override;
    /// In the order of ids.
    [[nodiscard]] Result<QuarantinePage> quarantined(std::uint32_t offset, std::uint32_t limit) const;

    /// Written at the next flush(). While the disk refuses, it waits for it.
    void remember(std::string_view kind, std::string_view key, std::string_view text) override;
    void forget(std::string_view kind, std::string_view key) override;
    [[nodiscard]] Result<std::vector<Memory>> recall(std::string_view kind) const override;

    /// Collected until flush(), written in one transaction. While the disk refuses, the first thousand wait
    /// for it; the rest are dropped and counted.
    void append(const Incident& incident, std::string json);
    void flush();

    /// The newest first.
    [[nodiscard]] Result<std::vector<HistoryRow>> history(const HistoryFilter& filter,
                                                          std::uint32_t limit) const;

    /// How much of the history is kept. Without limits, all of it is.
    void set_limits(std::uint64_t most_rows, Span most_age);
    /// How long a file stays in quarantine, and how much there may be in it.
    void set_quarantine_limits(Span most_age, std::uint64_t most_bytes);

    /// Deletes the oldest beyond the limits, of the history some thousands at a time, as each flush() that
    /// writes does. True when there may be more of them.
    [[nodiscard]] bool prune();

    /// Tries to become durable again. Worth calling every minute or so while degraded().
    void retry();

    /// Why the state is not durable at the moment; empty when it is.
    [[nodiscard]] const std::string& degraded() const { return degraded_; }

    /// Incidents that found no place since the trouble began.
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

    [[nodiscard]] static constexpr int schema_version() { return 3; }

private:
    enum class Home : std::uint8_t { file, memory };

    [[nodiscard]] Result<Database> open_file();
    [[nodiscard]] Result<> set_aside(const Error& damage);
    void settle(Result<Database> file);
    void survive(const Error& error);
    [[nodiscard]] Result<> return_to_file();
    void replenish_ids();
    [[nodiscard]] Result<> reserve_ids();
    void return_unused_ids();
    void leave_given_ids();
    [[nodiscard]] Result<> carry_over();
    [[nodiscard]] Result<> carry_holds_over();
    [[nodiscard]] Result<> read_holds();
    [[nodiscard]] Result<> write_holds();
    [[nodiscard]] Result<> write_pending();
    [[nodiscard]] Result<> write_memories();
    [[nodiscard]] Result<bool> delete_old() const;
    [[nodiscard]] WallTime end_of_quarantine() const;
    [[nodiscard]] Result<> know_quarantine() const;
    [[nodiscard]] Result<> in_quarantine(const std::function<Result<>()>& change);
    [[nodiscard]] Result<> write_durably(const std::function<Result<>()>& write) const;
    void trouble(const Error& why);

    const std::filesystem::path file_;
    const Clock& clock_;
    const std::string boot_;
    OnTrouble on_trouble_;
    Database db_;
    Home home_{Home::memory};
    std::string degraded_;
    std::deque<HistoryRow> pending_;
    std::map<std::pair<std::string, std::string>, engine::Hold> holds_; ///< by kind and key; over, too
    bool holds_read_{};
    bool holds_written_{true};
    MemoryBook memories_;
    std::uint64_t dropped_{};
    std::uint64_t most_rows_{std::numeric_limits<std::int64_t>::max()};
    Span most_age_{forever};
    Span quarantine_age_{forever};
    std::uint64_t quarantine_bytes_{std::numeric_limits<std::int64_t>::max()};
    GhostId next_id_{1};
    GhostId reserved_until_{1}; ///< the first id that is not reserved
};

} // namespace egb::state
