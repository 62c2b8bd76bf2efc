// SPDX-License-Identifier: Apache-2.0
#include "state/hold_table.hpp"

namespace egb::state {

namespace {

std::int64_t nanoseconds(Instant instant) {
    return instant.time_since_epoch().count();
}

} // namespace

Result<> write_holds(const Database& db, std::span<const engine::Hold> holds, const std::string& boot,
                     Instant now) {
    auto transaction = Transaction::begin(db);
    if (!transaction) {
        return std::unexpected(transaction.error());
    }
    auto write = db.prepare("INSERT OR REPLACE INTO hold (kind, key, boot, action, until) "
                            "VALUES (?1, ?2, ?3, ?4, ?5)");
    auto end = db.prepare("DELETE FROM hold WHERE kind = ?1 AND key = ?2");
    if (!write || !end) {
        return std::unexpected(!write ? write.error() : end.error());
    }
    for (const engine::Hold& hold : holds) {
        write->bind(3, boot).bind(4, to_string(hold.action)).bind(5, nanoseconds(hold.until));
        Statement& change = hold.until <= now ? *end : *write;
        if (const auto done = change.bind(1, hold.kind).bind(2, hold.key).run(); !done) {
            return done;
        }
    }
    return transaction->commit();
}

Result<> delete_ended_holds(const Database& db, const std::string& boot, Instant now) {
    auto ended = db.prepare("DELETE FROM hold WHERE until <= ?1 OR (kind != '' AND boot != ?2)");
    return ended ? ended->bind(1, nanoseconds(now)).bind(2, boot).run() : std::unexpected(ended.error());
}

Result<std::vector<engine::Hold>> read_holds(const Database& db, const std::string& boot, Instant now) {
    auto select = db.prepare("SELECT kind, key, action, until FROM hold "
                             "WHERE until > ?1 AND (kind = '' OR boot = ?2)");
    if (!select) {
        return std::unexpected(select.error());
    }
    select->bind(1, nanoseconds(now)).bind(2, boot);
    std::vector<engine::Hold> holds;
    for (auto row = select->step();; row = select->step()) {
        if (!row) {
            return std::unexpected(row.error());
        }
        if (!*row) {
            return holds;
        }
        const bool ignored = select->text(2) == to_string(Action::ignore);
        holds.push_back({.kind = select->text(0),
                         .key = select->text(1),
                         .action = ignored ? Action::ignore : Action::report,
                         .until = Instant{Span{select->number(3)}}});
    }
}

} // namespace egb::state
