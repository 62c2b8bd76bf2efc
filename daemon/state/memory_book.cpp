// SPDX-License-Identifier: Apache-2.0
#include "state/memory_book.hpp"

namespace egb::state {

void MemoryBook::remember(std::string_view kind, Memory memory) {
    Name name{kind, memory.key};
    const auto known = rows_.find(name);
    if (known != rows_.end() && known->second == memory) {
        return;
    }
    news_.insert(name);
    rows_.insert_or_assign(std::move(name), std::move(memory));
}

void MemoryBook::forget(std::string_view kind, std::string_view key) {
    Name name{kind, key};
    const bool known = rows_.erase(name) > 0;
    if (known || !was_read_) {
        news_.insert(std::move(name));
    }
}

std::vector<Memory> MemoryBook::of(std::string_view kind) const {
    std::vector<Memory> found;
    for (auto at = rows_.lower_bound({std::string{kind}, ""}); at != rows_.end() && at->first.first == kind;
         ++at) {
        found.push_back(at->second);
    }
    return found;
}

Result<> MemoryBook::read(const Database& db) {
    auto select = db.prepare("SELECT kind, key, boot, text FROM memory");
    if (!select) {
        return std::unexpected(select.error());
    }
    for (auto row = select->step();; row = select->step()) {
        if (!row) {
            return std::unexpected(row.error());
        }
        if (!*row) {
            was_read_ = true;
            return {};
        }
        Name name{select->text(0), select->text(1)};
        if (!news_.contains(name)) {
            Memory memory{.key = name.second, .boot = select->text(2), .text = select->text(3)};
            rows_.insert_or_assign(std::move(name), std::move(memory));
        }
    }
}

Result<> MemoryBook::write(const Database& db) {
    auto transaction = Transaction::begin(db);
    if (!transaction) {
        return std::unexpected(transaction.error());
    }
    auto put = db.prepare("INSERT OR REPLACE INTO memory (kind, key, boot, text) VALUES (?1, ?2, ?3, ?4)");
    auto end = db.prepare("DELETE FROM memory WHERE kind = ?1 AND key = ?2");
    if (!put || !end) {
        return std::unexpected(!put ? put.error() : end.error());
    }
    for (const Name& name : news_) {
        const auto row = rows_.find(name);
        if (row != rows_.end()) {
            put->bind(3, row->second.boot).bind(4, row->second.text);
        }
        Statement& change = row == rows_.end() ? *end : *put;
        if (auto done = change.bind(1, name.first).bind(2, name.second).run(); !done) {
            return done;
        }
    }
    return transaction->commit().transform([this] {
        news_.clear();
    });
}

void MemoryBook::begin_anew() {
    for (const auto& [name, memory] : rows_) {
        news_.insert(name);
    }
}

} // namespace egb::state
