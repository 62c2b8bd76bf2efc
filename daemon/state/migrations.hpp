// SPDX-License-Identifier: Apache-2.0
// The schema's story, one step per version. Steps are added and never changed: each has been run on
// somebody's machine. The version a file is at stands in its user_version.
#pragma once

#include <array>

namespace egb::state {

inline constexpr std::array migrations{
    // 1. The narrow table is the one that filters scan; the incidents in full are kept out of their way.
    R"sql(
        CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        INSERT INTO counter VALUES ('next_ghost_id', 1);
        CREATE TABLE history (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            at INTEGER NOT NULL, -- microseconds since 1970
            type TEXT NOT NULL,
            ghost INTEGER NOT NULL,
            kind TEXT NOT NULL,
            grade TEXT NOT NULL,
            summary TEXT NOT NULL,
            verdict TEXT NOT NULL,
            reason TEXT NOT NULL,
            actor TEXT NOT NULL
        );
        CREATE INDEX history_of_ghost ON history (ghost);
        CREATE INDEX history_by_time ON history (at);
        CREATE TABLE incident (
            sequence INTEGER PRIMARY KEY REFERENCES history ON DELETE CASCADE,
            json TEXT NOT NULL
        );
    )sql",
    // 2. What people have decided.
    R"sql(
        CREATE TABLE hold (
            kind TEXT NOT NULL,
            key TEXT NOT NULL,
            boot TEXT NOT NULL,
            action TEXT NOT NULL,
            until INTEGER NOT NULL, -- CLOCK_MONOTONIC of that boot, in nanoseconds
            PRIMARY KEY (kind, key)
        ) WITHOUT ROWID;
    )sql",
    // 3. What was taken out of its place, and what kinds know of their resources.
    R"sql(
        CREATE TABLE quarantine (
            ghost INTEGER PRIMARY KEY,
            kind TEXT NOT NULL,
            at INTEGER NOT NULL, -- microseconds since 1970
            custody TEXT NOT NULL,
            boot TEXT NOT NULL, -- that of mount_namespace
            mount_namespace INTEGER NOT NULL,
            path TEXT NOT NULL,
            hidden_name TEXT NOT NULL,
            device INTEGER NOT NULL,
            inode INTEGER NOT NULL,
            born INTEGER NOT NULL, -- nanoseconds since 1970, as all below
            directory_device INTEGER NOT NULL,
            directory_inode INTEGER NOT NULL,
            directory_born INTEGER NOT NULL,
            type TEXT NOT NULL,
            mode INTEGER NOT NULL,
            uid INTEGER NOT NULL,
            gid INTEGER NOT NULL,
            accessed INTEGER NOT NULL,
            modified INTEGER NOT NULL,
            bytes INTEGER NOT NULL, -- all that the row takes
            content TEXT NOT NULL
        );
        CREATE TABLE quarantine_attribute (
            ghost INTEGER NOT NULL REFERENCES quarantine ON DELETE CASCADE,
            name TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (ghost, name)
        ) WITHOUT ROWID;
        CREATE TABLE memory (
            kind TEXT NOT NULL,
            key TEXT NOT NULL,
            boot TEXT NOT NULL,
            text TEXT NOT NULL,
            PRIMARY KEY (kind, key)
        ) WITHOUT ROWID;
    )sql",
};

} // namespace egb::state
