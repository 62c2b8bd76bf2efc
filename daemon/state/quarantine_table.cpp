// SPDX-License-Identifier: Apache-2.0
#include "state/quarantine_table.hpp"

#include <algorithm>
#include <array>
#include <ranges>
#include <utility>

namespace egb::state {

namespace {

constexpr std::string_view underway{"underway"};
constexpr std::string_view kept{"kept"};

/// What a row takes beside what is in the file.
constexpr std::uint64_t row_bytes = 512;

std::int64_t microseconds(WallTime time) {
    return time.time_since_epoch().count();
}

std::int64_t stored(std::uint64_t number) {
    return static_cast<std::int64_t>(number);
}

std::uint64_t bytes_of(const QuarantinedFile& file) {
    std::uint64_t bytes = row_bytes + file.path.size() + file.content.size();
    for (const auto& [name, value] : file.attributes) {
        bytes += name.size() + value.size();
    }
    return bytes;
}

Result<> be_room(const Database& db, GhostId ghost, std::uint64_t bytes, std::uint64_t most_bytes) {
    auto sum = db.prepare("SELECT coalesce(sum(bytes), 0) FROM quarantine WHERE ghost != ?1");
    const auto row = sum ? sum->bind(1, stored(ghost)).step() : std::unexpected(sum.error());
    if (!row) {
        return std::unexpected(row.error());
    }
    const auto used = static_cast<std::uint64_t>(sum->number(0));
    if (bytes > most_bytes || used > most_bytes - bytes) {
        return fail(
            ErrorCode::busy,
            "there is no room in the quarantine, which has {} bytes: raise QuarantineMax=, or restore "
            "what is in it (ghostctl quarantine)",
            used);
    }
    return {};
}

/// Parameters from `first` on.
void bind(Statement& statement, int first, const FileIdentity& id) {
    statement.bind(first, stored(id.device)).bind(first + 1, stored(id.inode)).bind(first + 2, id.born_ns);
}

Result<> insert_row(const Database& db, const QuarantineNote& note, const QuarantinedFile& file) {
    auto row = db.prepare(
        "INSERT OR REPLACE INTO quarantine (ghost, kind, at, custody, boot, mount_namespace, path, "
        "hidden_name, "
        "device, inode, born, directory_device, directory_inode, directory_born, type, mode, uid, gid, "
        "accessed, modified, content, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
        "?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)");
    if (!row) {
        return std::unexpected(row.error());
    }
    bind(*row, 9, file.id);
    bind(*row, 12, file.directory);
    return row->bind(1, stored(note.ghost))
        .bind(2, note.kind)
        .bind(3, microseconds(note.at))
        .bind(4, underway)
        .bind(5, note.boot)
        .bind(6, stored(file.mount_namespace))
        .bind(7, file.path)
        .bind(8, file.hidden_name)
        .bind(15, to_string(file.type))
        .bind(16, std::int64_t{file.mode})
        .bind(17, std::int64_t{file.uid})
        .bind(18, std::int64_t{file.gid})
        .bind(19, file.accessed_ns)
        .bind(20, file.modified_ns)
        .bind(21, file.content)
        .bind(22, stored(bytes_of(file)))
        .run();
}

Result<> insert_attributes(const Database& db, GhostId ghost, const QuarantinedFile& file) {
    auto row = db.prepare("INSERT INTO quarantine_attribute (ghost, name, value) VALUES (?1, ?2, ?3)");
    if (!row) {
        return std::unexpected(row.error());
    }
    for (const auto& [name, value] : file.attributes) {
        if (auto done = row->bind(1, stored(ghost)).bind(2, name).bind(3, value).run(); !done) {
            return done;
        }
    }
    return {};
}

constexpr std::string_view ward_columns =
    "ghost, custody, boot, mount_namespace, path, hidden_name, device, inode, born, directory_device, "
    "directory_inode, directory_born, type, mode, uid, gid, accessed, modified, content";

/// Columns from `first` on.
FileIdentity identity(const Statement& row, int first) {
    return {.device = static_cast<std::uint64_t>(row.number(first)),
            .inode = static_cast<std::uint64_t>(row.number(first + 1)),
            .born_ns = row.number(first + 2)};
}

Ward ward_of(const Statement& row, const std::string& boot) {
    const bool of_this_boot = row.text(2) == boot;
    QuarantinedFile file{.path = row.text(4),
                         .mount_namespace = of_this_boot ? static_cast<std::uint64_t>(row.number(3)) : 0,
                         .hidden_name = row.text(5),
                         .id = identity(row, 6),
                         .directory = identity(row, 9),
                         .type = parse_file_type(row.text(12)).value_or(FileType::other),
                         .mode = static_cast<std::uint32_t>(row.number(13)),
                         .uid = static_cast<std::uint32_t>(row.number(14)),
                         .gid = static_cast<std::uint32_t>(row.number(15)),
                         .accessed_ns = row.number(16),
                         .modified_ns = row.number(17),
                         .content = row.text(18)};
    return {.ghost = static_cast<GhostId>(row.number(0)),
            .custody = row.text(1) == kept ? Custody::kept : Custody::underway,
            .file = std::move(file)};
}

Result<> read_attributes(const Database& db, Ward& ward) {
    auto select = db.prepare("SELECT name, value FROM quarantine_attribute WHERE ghost = ?1");
    if (!select) {
        return std::unexpected(select.error());
    }
    select->bind(1, stored(ward.ghost));
    for (auto row = select->step();; row = select->step()) {
        if (!row || !*row) {
            return row.transform([](bool) {});
        }
        ward.file.attributes.emplace(select->text(0), select->text(1));
    }
}

/// All of a statement's.
Result<std::vector<Ward>> read_wards(const Database& db, Statement& select, const std::string& boot) {
    std::vector<Ward> wards;
    for (auto row = select.step();; row = select.step()) {
        if (!row) {
            return std::unexpected(row.error());
        }
        if (!*row) {
            return wards;
        }
        wards.push_back(ward_of(select, boot));
        if (const auto read = read_attributes(db, wards.back()); !read) {
            return std::unexpected(read.error());
        }
    }
}

Result<> change(const Database& db, std::string_view sql, std::int64_t number) {
    auto statement = db.prepare(sql);
    return statement ? statement->bind(1, number).run() : std::unexpected(statement.error());
}

QuarantineRow row_of(const Statement& row) {
    return {.ghost = static_cast<GhostId>(row.number(0)),
            .kind = row.text(1),
            .since = WallTime{std::chrono::microseconds{row.number(2)}},
            .path = row.text(3),
            .type = parse_file_type(row.text(4)).value_or(FileType::other),
            .size = static_cast<std::uint64_t>(row.number(5))};
}

} // namespace

Result<> write_ward(const Database& db, const QuarantineNote& note, const QuarantinedFile& file,
                    std::uint64_t most_bytes) {
    auto transaction = Transaction::begin(db);
    if (!transaction) {
        return std::unexpected(transaction.error());
    }
    return be_room(db, note.ghost, bytes_of(file), most_bytes)
        .and_then([&] {
            return insert_row(db, note, file);
        })
        .and_then([&] {
            return insert_attributes(db, note.ghost, file);
        })
        .and_then([&] {
            return transaction->commit();
        });
}

Result<> settle_ward(const Database& db, GhostId ghost) {
    return change(db, "UPDATE quarantine SET custody = 'kept' WHERE ghost = ?1", stored(ghost));
}

Result<> delete_ward(const Database& db, GhostId ghost) {
    return change(db, "DELETE FROM quarantine WHERE ghost = ?1", stored(ghost));
}

Result<> delete_wards_before(const Database& db, WallTime at) {
    return change(db, "DELETE FROM quarantine WHERE at < ?1 AND custody = 'kept'", microseconds(at));
}

Result<> delete_ward_before(const Database& db, GhostId ghost, WallTime at) {
    auto statement = db.prepare("DELETE FROM quarantine WHERE ghost = ?1 AND at < ?2");
    return statement ? statement->bind(1, stored(ghost)).bind(2, microseconds(at)).run()
                     : std::unexpected(statement.error());
}

Result<Ward> read_ward(const Database& db, GhostId ghost, const std::string& boot) {
    auto select = db.prepare(formatted("SELECT {} FROM quarantine WHERE ghost = ?1", ward_columns));
    auto wards = select ? read_wards(db, select->bind(1, stored(ghost)), boot)
                        : Result<std::vector<Ward>>{std::unexpected(select.error())};
    if (!wards) {
        return std::unexpected(wards.error());
    }
    if (wards->empty()) {
        return fail(ErrorCode::not_found, "nothing of ghost {} is in quarantine", ghost);
    }
    return std::move(wards->front());
}

Result<std::vector<Ward>> read_underway(const Database& db, const std::string& boot) {
    auto select = db.prepare(formatted("SELECT {} FROM quarantine WHERE custody = 'underway'", ward_columns));
    return select ? read_wards(db, *select, boot) : std::unexpected(select.error());
}

Result<QuarantinePage> read_page(const Database& db, std::uint32_t offset, std::uint32_t limit) {
    const auto total = db.number("SELECT count(*) FROM quarantine");
    auto select =
        db.prepare("SELECT ghost, kind, at, path, type, length(CAST(content AS BLOB)) FROM quarantine "
                   "ORDER BY ghost LIMIT ?2 OFFSET ?1");
    if (!total || !select) {
        return std::unexpected(!total ? total.error() : select.error());
    }
    QuarantinePage page{.total = static_cast<std::uint32_t>(*total), .rows = {}};
    select->bind(1, std::int64_t{offset}).bind(2, std::int64_t{limit});
    for (auto row = select->step();; row = select->step()) {
        if (!row) {
            return std::unexpected(row.error());
        }
        if (!*row) {
            return page;
        }
        page.rows.push_back(row_of(*select));
    }
}

} // namespace egb::state
