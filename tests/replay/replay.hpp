// SPDX-License-Identifier: Apache-2.0
// Replays a recording: what a kind saw goes through its tracker and the engine, on a clock that the recording
// turns, and what comes of it is compared with what was expected. A recording is one JSON object per line;
// the same file is what a bug report should contain. Times are CLOCK_MONOTONIC, as time spans since boot, and
// never go back.
//
// The first line says what is replayed. Options stand as in the configuration files, and may be left out.
//   {"kind":"fake","about":"one
//   sentence","options":{"Clean":"proven","Veto":"30s"},"governor":{"Paused":"no"}}
//
// Each other line happens at its time:
//   {"at":"1h","sighting":"seen","source":"event","record":{...}}     or gone; the record in the codec's
//   words
//   {"at":"1h","sighting":"held","source":"event","record":{...},"process":{"pid":7,"comm":"app"}}
//   a seen one has a process, too, where the kind tells of one
//   {"at":"1h","sighting":"sweep_begin","source":"sweep"}             or sweep_end, or lost
//   {"at":"1h","cleaner":{"confirm":"changed","clean":"failed"}}      what the cleaner answers from then on
//   {"at":"1h 30s","expect":"cleaned","key":"a","grade":"proven"}     an incident; an act goes by its verdict
//   {"at":"2h"}                                                       until then, nothing else is to happen
//
// As in the daemon, lost events make the kind lossy until the end of the next sweep.
#pragma once

#include "replay/replay_kinds.hpp"

#include "core/result.hpp"

#include <istream>
#include <span>
#include <string>
#include <vector>

namespace egb::test {

/// Incidents, one per line: "1h 30s cleaned a proven".
struct Replayed {
    std::vector<std::string> expected;
    std::vector<std::string> happened;
};

/// A failure means that the recording itself is wrong; its message says in which line.
[[nodiscard]] Result<Replayed> replay(std::istream& recording,
                                      std::span<const ReplayKind> kinds = replay_kinds());

} // namespace egb::test
