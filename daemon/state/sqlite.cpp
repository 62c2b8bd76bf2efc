// SPDX-License-Identifier: Apache-2.0
#include "state/sqlite.hpp"

#include <sqlite3.h>

#include <new>

namespace egb::state {

namespace {

ErrorCode code_of(int status) {
    switch (status & 0xff) { // the rest of an extended code is detail
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ErrorCode::invalid;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ErrorCode::busy;
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return ErrorCode::denied;
    default:
        return ErrorCode::io;
    }
}

std::unexpected<Error> failure(sqlite3* db, int status) {
    return fail(code_of(status), "{}", db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(status));
}

} // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

Statement& Statement::bind(int index, std::int64_t value) {
    if (const int status = sqlite3_bind_int64(statement_.get(), index, value); status != SQLITE_OK) {
        bind_failure_ = status;
    }
    return *this;
}

Statement& Statement::bind(int index, std::string_view value) {
    // An empty view may have no data, which SQLite would read as NULL.
    const char* data = value.empty() ? "" : value.data();
    const int status =
        sqlite3_bind_text64(statement_.get(), index, data, value.size(), SQLITE_STATIC, SQLITE_UTF8);
    if (status != SQLITE_OK) {
        bind_failure_ = status;
    }
    return *this;
}

Result<bool> Statement::step() {
    sqlite3* db = sqlite3_db_handle(statement_.get());
    if (bind_failure_ != SQLITE_OK) {
        return failure(db, bind_failure_);
    }
    switch (const int status = sqlite3_step(statement_.get())) {
    case SQLITE_ROW:
        return true;
    case SQLITE_DONE:
        return false;
    default:
        return failure(db, status);
    }
}

Result<> Statement::run() {
    Result<bool> more = true;
    while (more && *more) {
        more = step();
    }
    sqlite3_reset(statement_.get());
    return more.transform([](bool) {});
}

std::int64_t Statement::number(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
}

std::string Statement::text(int column) const {
    const void* data = sqlite3_column_text(statement_.get(), column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
    return data != nullptr ? std::string{static_cast<const char*>(data), size} : std::string{};
}

void Database::Close::operator()(sqlite3* db) const {
    sqlite3_close_v2(db);
}

Result<Database> Database::open(const std::filesystem::path& file) {
    sqlite3* raw = nullptr;
    // One thread uses it, so it needs no mutex.
    const int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    const int status = sqlite3_open_v2(file.c_str(), &raw, flags, nullptr);
    Database database{raw};
    if (status != SQLITE_OK) {
        return failure(raw, status);
    }
    return database;
}

Database Database::in_memory() {
    auto database = open(":memory:");
    if (!database) {
        throw std::bad_alloc{};
    }
    return std::move(*database);
}

Result<Statement> Database::prepare(std::string_view sql) const {
    sqlite3_stmt* statement = nullptr;
    const int status =
        sqlite3_prepare_v2(db_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
    if (status != SQLITE_OK) {
        return failure(db_.get(), status);
    }
    return Statement{statement};
}

Result<> Database::execute(const char* sql) const {
    if (const int status = sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr); status != SQLITE_OK) {
        return failure(db_.get(), status);
    }
    return {};
}

namespace {

Result<Statement> first_row(Statement statement) {
    const auto row = statement.step();
    if (!row) {
        return std::unexpected(row.error());
    }
    if (!*row) {
        return fail(ErrorCode::not_found, "no such row");
    }
    return statement;
}

} // namespace

Result<std::int64_t> Database::number(std::string_view sql) const {
    return prepare(sql).and_then(first_row).transform([](const Statement& row) {
        return row.number(0);
    });
}

Result<std::string> Database::text(std::string_view sql) const {
    return prepare(sql).and_then(first_row).transform([](const Statement& row) {
        return row.text(0);
    });
}

bool Database::read_only() const {
    return sqlite3_db_readonly(db_.get(), "main") == 1;
}

void Database::close_untouched() {
    sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    db_.reset();
}

Result<Transaction> Transaction::begin(const Database& database) {
    // IMMEDIATE: to be refused now rather than half way.
    return database.execute("BEGIN IMMEDIATE").transform([&] {
        return Transaction{database};
    });
}

Transaction::~Transaction() {
    if (database_ != nullptr) {
        // Some failures have rolled back already; then there is nothing to undo, and saying so is no news.
        [[maybe_unused]] const auto undone = database_->execute("ROLLBACK");
    }
}

Result<> Transaction::commit() {
    auto committed = database_->execute("COMMIT");
    if (committed) {
        database_ = nullptr;
    }
    return committed;
}

} // namespace egb::state
