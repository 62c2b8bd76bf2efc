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
};

} // namespace egb::state
