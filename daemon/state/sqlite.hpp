// SPDX-License-Identifier: Apache-2.0
// SQLite with owners, and with Results in place of codes. For state/ alone; runs on the loop.
// A failure's code says what may be done about it: invalid: the file is damaged; denied: it cannot be
// written; busy: another process holds it; io: the disk is full, broken or away.
#pragma once

#include "core/result.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace egb::state {

/// A prepared statement. Indices of parameters begin at 1, those of columns at 0, as SQLite has them.
class Statement {
public:
    Statement& bind(int index, std::int64_t value);
    /// The text must live until the statement is reset, bound anew or gone.
    Statement& bind(int index, std::string_view value);

    /// True when there is a row to read. A statement that writes is not carried out before this says false.
    [[nodiscard]] Result<bool> step();
    /// Steps to the end, for statements without rows, and makes it ready to be bound again.
    [[nodiscard]] Result<> run();

    [[nodiscard]] std::int64_t number(int column) const;
    [[nodiscard]] std::string text(int column) const;

private:
    friend class Database;
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };

    explicit Statement(sqlite3_stmt* statement) : statement_{statement} {}

    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
    int bind_failure_{};
};

class Database {
public:
    /// Opens the file, or makes it. One that cannot be written is opened for reading.
    [[nodiscard]] static Result<Database> open(const std::filesystem::path& file);

    /// Throws std::bad_alloc when there is no memory even for that.
    [[nodiscard]] static Database in_memory();

    [[nodiscard]] Result<Statement> prepare(std::string_view sql) const;
    [[nodiscard]] Result<> execute(const char* sql) const;
    /// The first column of the first row; not_found when there is no row.
    [[nodiscard]] Result<std::int64_t> number(std::string_view sql) const;
    [[nodiscard]] Result<std::string> text(std::string_view sql) const;

    [[nodiscard]] bool read_only() const;

    /// The files are evidence: closing shall not write the log back into them.
    void close_untouched();

private:
    struct Close {
        void operator()(sqlite3* db) const;
    };

    explicit Database(sqlite3* db) : db_{db} {}

    std::unique_ptr<sqlite3, Close> db_;
};

/// Undoes what was not committed.
class Transaction {
public:
    [[nodiscard]] static Result<Transaction> begin(const Database& database);
    Transaction(Transaction&& other) noexcept : database_{std::exchange(other.database_, nullptr)} {}
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();

    [[nodiscard]] Result<> commit();

private:
    explicit Transaction(const Database& database) : database_{&database} {}

    const Database* database_;
};

} // namespace egb::state
