// SPDX-License-Identifier: Apache-2.0
#include "state/state_db.hpp"

#include "core/format.hpp"
#include "core/kind_info.hpp"
#include "state/hold_table.hpp"
#include "state/migrations.hpp"
#include "state/quarantine_table.hpp"

#include <algorithm>
#include <limits>
#include <ranges>
#include <system_error>
#include <variant>

namespace egb::state {

namespace {

static_assert(migrations.size() == StateDb::schema_version());

constexpr std::int64_t ids_at_once = 1000;
constexpr std::size_t most_pending = 1024;     // rows between two transactions
constexpr std::uint64_t most_in_memory = 2000; // rows, while there is no file

// Rows to delete in one go: more than are written in one, and not so many that the loop is held up.
constexpr std::int64_t most_deleted = 5000;
static_assert(most_deleted > most_pending);

std::int64_t microseconds(WallTime time) {
    return time.time_since_epoch().count();
}

WallTime wall_time(std::int64_t microseconds) {
    return WallTime{std::chrono::microseconds{microseconds}};
}

HistoryRow row_of(const Incident& incident, std::string json) {
    const Ghost& ghost = *incident.ghost;
    const bool acted = incident.type == IncidentType::acted;
    return {.sequence = 0,
            .at = incident.at,
            .type = std::string{to_string(incident.type)},
            .ghost = ghost.id,
            .kind = std::string{ghost.kind->name},
            .grade = std::string{to_string(ghost.grade)},
            .summary = ghost.summary,
            .verdict = std::string{acted ? to_string(incident.outcome.verdict) : std::string_view{}},
            .reason = incident.outcome.reason,
            .actor = incident.actor,
            .json = std::move(json)};
}

HistoryRow read_row(const Statement& row) {
    return {.sequence = row.number(0),
            .at = wall_time(row.number(1)),
            .type = row.text(2),
            .ghost = static_cast<GhostId>(row.number(3)),
            .kind = row.text(4),
            .grade = row.text(5),
            .summary = row.text(6),
            .verdict = row.text(7),
            .reason = row.text(8),
            .actor = row.text(9),
            .json = row.text(10)};
}

Result<> insert(const Database& db, const std::deque<HistoryRow>& rows) {
    auto transaction = Transaction::begin(db);
    if (!transaction) {
        return std::unexpected(transaction.error());
    }
    auto line =
        db.prepare("INSERT INTO history (at, type, ghost, kind, grade, summary, verdict, reason, actor) "
                   "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
    auto full = db.prepare("INSERT INTO incident VALUES (last_insert_rowid(), ?1)");
    if (!line || !full) {
        return std::unexpected(!line ? line.error() : full.error());
    }
    for (const HistoryRow& row : rows) {
        line->bind(1, microseconds(row.at))
            .bind(2, row.type)
            .bind(3, static_cast<std::int64_t>(row.ghost))
            .bind(4, row.kind)
            .bind(5, row.grade)
            .bind(6, row.summary)
            .bind(7, row.verdict)
            .bind(8, row.reason)
            .bind(9, row.actor);
        full->bind(1, row.json);
        if (const auto done = line->run().and_then([&] {
                return full->run();
            });
            !done) {
            return done;
        }
    }
    return transaction->commit();
}

// Two statements, each over its index: an OR would have the whole table scanned for nothing.
constexpr std::string_view delete_by_count =
    "DELETE FROM history WHERE sequence IN (SELECT sequence FROM history "
    "WHERE sequence <= (SELECT max(sequence) FROM history) - ?1 ORDER BY sequence LIMIT ?2)";
constexpr std::string_view delete_by_age =
    "DELETE FROM history WHERE sequence IN (SELECT sequence FROM history "
    "WHERE at < ?1 ORDER BY at LIMIT ?2)";

/// True when there may be more to delete.
Result<bool> delete_some(const Database& db, std::string_view sql, std::int64_t bound) {
    auto statement = db.prepare(sql);
    if (!statement) {
        return std::unexpected(statement.error());
    }
    return statement->bind(1, bound)
        .bind(2, most_deleted)
        .run()
        .and_then([&] {
            return db.number("SELECT changes()");
        })
        .transform([](std::int64_t deleted) {
            return deleted == most_deleted;
        });
}

Result<std::vector<HistoryRow>> read_rows(Statement& select) {
    std::vector<HistoryRow> rows;
    for (auto row = select.step();; row = select.step()) {
        if (!row) {
            return std::unexpected(row.error());
        }
        if (!*row) {
            return rows;
        }
        rows.push_back(read_row(select));
    }
}

/// The newest first, with their incidents in full.
Result<std::vector<HistoryRow>> whole_rows(const Database& db, std::int64_t limit) {
    auto select =
        db.prepare("SELECT sequence, at, type, ghost, kind, grade, summary, verdict, reason, actor, json "
                   "FROM history LEFT JOIN incident USING (sequence) ORDER BY sequence DESC LIMIT ?1");
    if (!select) {
        return std::unexpected(select.error());
    }
    return read_rows(select->bind(1, limit));
}

/// The WHERE of a filter. What is not asked for is not in it, so that SQLite can choose the index.
class Conditions {
public:
    explicit Conditions(const HistoryFilter& filter) {
        equals("kind", filter.kind);
        equals("type", filter.type);
        equals("verdict", filter.verdict);
        if (filter.ghost) {
            add("ghost =", static_cast<std::int64_t>(*filter.ghost));
        }
        if (filter.since) {
            add("at >=", microseconds(*filter.since));
        }
        if (filter.until) {
            add("at <=", microseconds(*filter.until));
        }
    }

    [[nodiscard]] const std::string& sql() const { return sql_; }

    void bind(Statement& statement) const {
        int index = first_parameter;
        for (const auto& value : values_) {
            std::visit(
                [&](auto known) {
                    statement.bind(index, known);
                },
                value);
            ++index;
        }
    }

private:
    using Value = std::variant<std::int64_t, std::string_view>;
    static constexpr int first_parameter = 2;

    void equals(std::string_view column, std::string_view text) {
        if (!text.empty()) {
            add(formatted("{} =", column), text);
        }
    }

    void add(std::string_view comparison, Value value) {
        const auto parameter = values_.size() + first_parameter;
        sql_ += formatted(" {} {} ?{}", values_.empty() ? "WHERE" : "AND", comparison, parameter);
        values_.push_back(value);
    }

    std::string sql_;
    std::vector<Value> values_; ///< views of the filter
};

Result<> check(const Database& db) {
    const auto verdict = db.text("PRAGMA quick_check(1)");
    if (!verdict) {
        return std::unexpected(verdict.error());
    }
    if (*verdict != "ok") {
        return fail(ErrorCode::invalid, "{}", *verdict);
    }
    return {};
}

Result<std::int64_t> version_of(const Database& db) {
    const auto version = db.number("PRAGMA user_version");
    if (version && *version > StateDb::schema_version()) {
        return fail(ErrorCode::unsupported, "schema {} is of a newer version than this, which knows {}",
                    *version, StateDb::schema_version());
    }
    return version;
}

/// One step of the schema, unless another process has just taken it.
Result<> migrate_one(const Database& db) {
    auto transaction = Transaction::begin(db);
    if (!transaction) {
        return std::unexpected(transaction.error());
    }
    const auto version = version_of(db);
    if (!version) {
        return std::unexpected(version.error());
    }
    const auto step = static_cast<std::size_t>(*version);
    if (step == migrations.size()) {
        return {};
    }
    const std::string mark = formatted("PRAGMA user_version = {}", step + 1);
    return db.execute(migrations.at(step))
        .and_then([&] {
            return db.execute(mark.c_str());
        })
        .and_then([&] {
            return transaction->commit();
        });
}

Result<> migrate(const Database& db) {
    for (auto version = version_of(db);; version = version_of(db)) {
        if (!version) {
            return std::unexpected(version.error());
        }
        if (*version == StateDb::schema_version()) {
            return {};
        }
        if (const auto taken = migrate_one(db); !taken) {
            return taken;
        }
    }
}

// The timeout bounds how long an administrator's sqlite3 can hold up the loop.
constexpr auto set_up = "PRAGMA busy_timeout = 250; PRAGMA foreign_keys = ON; PRAGMA cache_size = -256;";
constexpr auto set_up_writing = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;";

Result<> make_ready(const Database& db) {
    if (const auto done = db.execute(set_up); !done) {
        return done;
    }
    // The version comes first: nothing may be written into a file that is newer than we are.
    if (const auto version = version_of(db); !version) {
        return std::unexpected(version.error());
    }
    if (const auto sound = check(db); !sound) {
        return sound;
    }
    if (db.read_only()) {
        return {};
    }
    return db.execute(set_up_writing).and_then([&] {
        return migrate(db);
    });
}

} // namespace

StateDb::StateDb(const std::filesystem::path& directory, const Clock& clock, std::string boot,
                 OnTrouble on_trouble)
    : file_{directory / "state.db"},
      clock_{clock},
      boot_{std::move(boot)},
      on_trouble_{std::move(on_trouble)},
      db_{Database::in_memory()} {
    std::error_code why_not; // opening the file will tell
    std::filesystem::create_directories(directory, why_not);
    settle(open_file().or_else([this](const Error& error) -> Result<Database> {
        if (error.code != ErrorCode::invalid) {
            return std::unexpected(error);
        }
        return set_aside(error).and_then([this] {
            return open_file();
        });
    }));
}

StateDb::~StateDb() {
    flush();
    return_unused_ids();
}

Result<Database> StateDb::open_file() {
    std::error_code ignored;
    const bool found = std::filesystem::exists(file_, ignored);
    auto db = Database::open(file_);
    if (!db) {
        return db;
    }
    const auto version = db->number("PRAGMA user_version");
    if (const auto ready = make_ready(*db); !ready) {
        if (ready.error().code == ErrorCode::invalid) {
            db->close_untouched();
        }
        return std::unexpected(ready.error());
    }
    if (found && version == 0) {
        leave_given_ids(); // a file that lost its content may have given any
    }
    return db;
}

Result<> StateDb::set_aside(const Error& damage) {
    const std::string kept = formatted("{}.corrupt-{:%Y%m%dT%H%M%S}", file_.native(), clock_.wall_now());
    std::error_code failure;
    std::filesystem::rename(file_, kept, failure);
    if (failure) {
        return fail_errno(formatted("it is damaged ({}) and cannot be set aside", damage.message),
                          failure.value());
    }
    for (const auto* companion : {"-wal", "-shm"}) {
        std::error_code absent;
        std::filesystem::rename(file_.native() + companion, kept + companion, absent);
    }
    leave_given_ids();
    on_trouble_(formatted("{} is damaged ({}); it is kept as {}, and a new one is begun{}", file_.native(),
                          damage.message, kept,
                          holds_read_ ? ", which knows nothing of what is in quarantine"
                                      : ", which knows nothing of what was held or paused, and is in "
                                        "quarantine"));
    return {};
}

/// Goes on with the file, or else in memory.
void StateDb::settle(Result<Database> file) {
    home_ = file ? Home::file : Home::memory;
    db_ = file ? std::move(*file) : Database::in_memory();
    if (!file) {
        [[maybe_unused]] const auto made = make_ready(db_); // nothing but malloc() could fail
        trouble(file.error());
        return;
    }
    holds_written_ = holds_.empty();
    memories_.begin_anew();
    const auto ready = carry_over().and_then([this] {
        return reserve_ids();
    });
    if (!ready) {
        trouble(ready.error());
    }
}

/// Damage is set aside, anything else is waited out.
void StateDb::survive(const Error& error) {
    if (error.code != ErrorCode::invalid || home_ == Home::memory) {
        trouble(error);
        return;
    }
    db_.close_untouched();
    settle(set_aside(error).and_then([this] {
        return open_file();
    }));
}

void StateDb::retry() {
    if (degraded_.empty()) {
        return;
    }
    const bool away = home_ == Home::memory || db_.read_only();
    const auto durable = (away ? return_to_file() : Result<>{})
                             .and_then([this] {
                                 return reserve_ids();
                             })
                             .and_then([this] {
                                 return carry_over();
                             })
                             .and_then([this] {
                                 return write_pending();
                             });
    if (!durable) {
        trouble(durable.error());
        return;
    }
    degraded_.clear();
    on_trouble_(formatted("{} works again; {} incidents were dropped meanwhile", file_.native(),
                          std::exchange(dropped_, 0)));
}

Result<> StateDb::return_to_file() {
    auto file = open_file();
    if (!file) {
        return std::unexpected(file.error());
    }
    if (home_ == Home::memory) {
        const auto remembered = whole_rows(db_, most_in_memory);
        if (!remembered) {
            return std::unexpected(remembered.error());
        }
        if (const auto kept = insert(*file, {remembered->rbegin(), remembered->rend()}); !kept) {
            return kept;
        }
    }
    db_ = std::move(*file);
    home_ = Home::file;
    return {};
}

GhostId StateDb::next() {
    if (next_id_ == reserved_until_) {
        replenish_ids();
    }
    return next_id_++;
}

void StateDb::replenish_ids() {
    if (degraded_.empty()) {
        const auto reserved = reserve_ids();
        if (reserved) {
            return;
        }
        survive(reserved.error());
    }
    if (next_id_ == reserved_until_) {
        leave_given_ids();
        reserved_until_ += ids_at_once;
    }
}

/// Beyond every id that any process can have given.
void StateDb::leave_given_ids() {
    next_id_ = std::max(next_id_, static_cast<GhostId>(microseconds(clock_.wall_now())));
    reserved_until_ = next_id_;
}

Result<> StateDb::reserve_ids() {
    // An id must survive a power cut, which history need not.
    if (const auto set = db_.execute("PRAGMA synchronous = FULL"); !set) {
        return set;
    }
    auto reserve = db_.prepare("UPDATE counter SET value = max(value, ?1) + ?2 WHERE name = 'next_ghost_id' "
                               "RETURNING value");
    if (!reserve) {
        return std::unexpected(reserve.error());
    }
    reserve->bind(1, static_cast<std::int64_t>(next_id_)).bind(2, ids_at_once);
    const auto row = reserve->step();
    if (!row) {
        return std::unexpected(row.error());
    }
    const auto until = static_cast<GhostId>(reserve->number(0));
    if (const auto committed = reserve->run(); !committed) {
        return committed;
    }
    next_id_ = until - ids_at_once;
    reserved_until_ = until;
    return db_.execute("PRAGMA synchronous = NORMAL");
}

void StateDb::return_unused_ids() {
    auto give_back = db_.prepare("UPDATE counter SET value = ?1 WHERE name = 'next_ghost_id' AND value = ?2");
    if (give_back) {
        give_back->bind(1, static_cast<std::int64_t>(next_id_));
        give_back->bind(2, static_cast<std::int64_t>(reserved_until_));
        [[maybe_unused]] const auto done = give_back->run(); // without it, some ids are skipped, no more
    }
}

void StateDb::keep(const engine::Hold& hold) {
    holds_.insert_or_assign({hold.kind, hold.key}, hold);
    const bool refused = home_ == Home::memory || !degraded_.empty();
    holds_written_ = holds_written_ && !refused;
    if (refused) {
        return;
    }
    if (const auto written = state::write_holds(db_, {&hold, 1}, boot_, clock_.now()); !written) {
        holds_written_ = false;
        survive(written.error());
    }
}

/// As long as there is no file, nobody knows what is in it.
Result<> StateDb::know_quarantine() const {
    if (home_ == Home::memory) {
        return fail(ErrorCode::io, "the quarantine is not to be had: {}", degraded_);
    }
    return {};
}

/// Must survive a power cut, which history need not.
Result<> StateDb::write_durably(const std::function<Result<>()>& write) const {
    if (auto strict = db_.execute("PRAGMA synchronous = FULL"); !strict) {
        return strict;
    }
    auto written = write();
    auto usual = db_.execute("PRAGMA synchronous = NORMAL");
    return written ? usual : written;
}

/// Damage is found here as anywhere, and the caller hears of it.
Result<> StateDb::in_quarantine(const std::function<Result<>()>& change) {
    if (!degraded_.empty()) {
        return fail(ErrorCode::io, "nothing can be kept: {}", degraded_);
    }
    auto changed = change();
    if (!changed && changed.error().code != ErrorCode::busy) {
        survive(changed.error());
        changed = fail(ErrorCode::io, "the quarantine cannot be written: {}", changed.error().message);
    }
    return changed;
}

Result<> StateDb::keep(const Ghost& ghost, const QuarantinedFile& file) {
    return in_quarantine([&] {
        const QuarantineNote note{
            .ghost = ghost.id, .kind = std::string{ghost.kind->name}, .at = clock_.wall_now(), .boot = boot_};
        return write_durably([&] {
            return write_ward(db_, note, file, quarantine_bytes_);
        });
    });
}

Result<> StateDb::settle(GhostId ghost) {
    return in_quarantine([&] {
        return settle_ward(db_, ghost);
    });
}

Result<> StateDb::drop(GhostId ghost) {
    return in_quarantine([&] {
        return delete_ward(db_, ghost);
    });
}

Result<> StateDb::give_up(GhostId ghost) {
    return in_quarantine([&] {
        return delete_ward_before(db_, ghost, end_of_quarantine());
    });
}

Result<Ward> StateDb::find(GhostId ghost) const {
    return know_quarantine().and_then([&] {
        return read_ward(db_, ghost, boot_);
    });
}

Result<std::vector<Ward>> StateDb::underway() const {
    return know_quarantine().and_then([this] {
        return read_underway(db_, boot_);
    });
}

Result<QuarantinePage> StateDb::quarantined(std::uint32_t offset, std::uint32_t limit) const {
    return know_quarantine().and_then([&] {
        return read_page(db_, offset, limit);
    });
}

void StateDb::set_quarantine_limits(Span most_age, std::uint64_t most_bytes) {
    constexpr std::uint64_t countable = std::numeric_limits<std::int64_t>::max();
    quarantine_age_ = most_age;
    quarantine_bytes_ = std::min(most_bytes, countable);
}

void StateDb::remember(std::string_view kind, std::string_view key, std::string_view text) {
    memories_.remember(kind, {.key = std::string{key}, .boot = boot_, .text = std::string{text}});
}

void StateDb::forget(std::string_view kind, std::string_view key) {
    memories_.forget(kind, key);
}

Result<std::vector<Memory>> StateDb::recall(std::string_view kind) const {
    if (!memories_.was_read()) {
        return fail(ErrorCode::io, "what was remembered cannot be read: {}", degraded_);
    }
    return memories_.of(kind);
}

Result<> StateDb::write_memories() {
    const bool writable = home_ == Home::file && memories_.has_news();
    return writable ? memories_.write(db_) : Result<>{};
}

/// What was taken before is not kept any longer.
WallTime StateDb::end_of_quarantine() const {
    return clock_.wall_now() - std::chrono::duration_cast<std::chrono::microseconds>(quarantine_age_);
}

Result<std::vector<engine::Hold>> StateDb::holds() const {
    if (!holds_read_) {
        return fail(ErrorCode::io, "what is held cannot be read: {}", degraded_);
    }
    std::vector<engine::Hold> lasting;
    for (const auto& [subject, hold] : holds_) {
        if (hold.until > clock_.now()) {
            lasting.push_back(hold);
        }
    }
    return lasting;
}

/// What only the file knows, and what only we know.
Result<> StateDb::carry_over() {
    return carry_holds_over().and_then([this] {
        return memories_.was_read() ? Result<>{} : memories_.read(db_);
    });
}

Result<> StateDb::carry_holds_over() {
    return (holds_read_ ? Result<>{} : read_holds()).and_then([this] {
        return holds_written_ ? Result<>{} : write_holds();
    });
}

/// From the file. What was decided meanwhile counts more.
Result<> StateDb::read_holds() {
    const auto deleted = delete_ended_holds(db_, boot_, clock_.now());
    auto kept = state::read_holds(db_, boot_, clock_.now());
    if (!kept) {
        return std::unexpected(kept.error());
    }
    for (const engine::Hold& hold : *kept) {
        holds_.try_emplace({hold.kind, hold.key}, hold);
    }
    holds_read_ = true;
    return deleted;
}

/// All of them, into a file that may be another.
Result<> StateDb::write_holds() {
    const auto all = holds_ | std::views::values | std::ranges::to<std::vector>();
    return state::write_holds(db_, all, boot_, clock_.now()).transform([this] {
        holds_written_ = true;
        std::erase_if(holds_, [this](const auto& item) {
            return item.second.until <= clock_.now();
        });
    });
}

void StateDb::append(const Incident& incident, std::string json) {
    if (pending_.size() == most_pending) {
        flush();
    }
    if (pending_.size() == most_pending) {
        ++dropped_;
        return;
    }
    pending_.push_back(row_of(incident, std::move(json)));
}

void StateDb::flush() {
    const bool refused = home_ == Home::file && !degraded_.empty();
    if ((pending_.empty() && !memories_.has_news()) || refused) {
        return;
    }
    if (const auto written = write_pending(); !written) {
        survive(written.error());
    }
}

Result<> StateDb::write_pending() {
    if (const auto written = insert(db_, pending_); !written) {
        return written;
    }
    pending_.clear();
    return write_memories()
        .and_then([this] {
            return delete_old();
        })
        .transform([](bool) {});
}

Result<bool> StateDb::delete_old() const {
    const auto most = home_ == Home::memory ? std::min(most_rows_, most_in_memory) : most_rows_;
    const auto age = std::chrono::duration_cast<std::chrono::microseconds>(most_age_);
    const auto by_count = delete_some(db_, delete_by_count, static_cast<std::int64_t>(most));
    if (!by_count) {
        return by_count;
    }
    return delete_wards_before(db_, end_of_quarantine())
        .and_then([&] {
            return delete_some(db_, delete_by_age, microseconds(clock_.wall_now() - age));
        })
        .transform([&by_count](bool more) {
            return more || *by_count;
        });
}

Result<std::vector<HistoryRow>> StateDb::history(const HistoryFilter& filter, std::uint32_t limit) const {
    const Conditions conditions{filter};
    auto select =
        db_.prepare("SELECT sequence, at, type, ghost, kind, grade, summary, verdict, reason, actor, '' "
                    "FROM history" +
                    conditions.sql() + " ORDER BY sequence DESC LIMIT ?1");
    if (!select) {
        return std::unexpected(select.error());
    }
    conditions.bind(select->bind(1, static_cast<std::int64_t>(limit)));
    return read_rows(*select);
}

void StateDb::set_limits(std::uint64_t most_rows, Span most_age) {
    constexpr std::uint64_t countable = std::numeric_limits<std::int64_t>::max();
    most_rows_ = std::min(most_rows, countable);
    most_age_ = most_age;
}

bool StateDb::prune() {
    const bool refused = home_ == Home::file && !degraded_.empty();
    if (refused) {
        return false;
    }
    const auto more = delete_old();
    if (!more) {
        survive(more.error());
    }
    return more.value_or(false);
}

void StateDb::trouble(const Error& why) {
    const bool news = degraded_.empty();
    degraded_ =
        formatted("{}: {}; {}", file_.native(), why.message,
                  home_ == Home::memory ? "ids, holds and history live in memory only, and no file is taken"
                                        : "history waits in memory");
    if (news) {
        on_trouble_(degraded_);
    }
}

} // namespace egb::state
