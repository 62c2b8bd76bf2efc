// SPDX-License-Identifier: Apache-2.0
// The daemon's interfaces with canned answers, on a real bus: what ghostctl talks to in its tests. Serves in
// a thread of its own; everything public may be called from the test's.
#pragma once

#include <sdbus-c++/sdbus-c++.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

namespace egb::test {

using FakeGhost = sdbus::Struct<std::uint64_t, std::string, std::string, std::string, std::uint64_t, bool,
                                std::int32_t, std::string, std::string, std::uint32_t, std::string>;
using FakeMember = sdbus::Struct<std::uint64_t, std::int32_t, std::uint64_t, bool, std::string>;
using FakeIncident = sdbus::Struct<std::int64_t, std::uint64_t, std::string, std::uint64_t, std::string,
                                   std::string, std::string, std::string, std::string, std::string>;
using FakeQuarantined =
    sdbus::Struct<std::uint64_t, std::string, std::uint64_t, std::string, std::string, std::uint64_t>;
using FakeHolder = sdbus::Struct<std::int32_t, std::uint32_t, std::string, std::string, std::string,
                                 std::string, std::int32_t>;
using FakeOutcome = sdbus::Struct<std::uint64_t, std::string, std::string>;
using FakeCapability = sdbus::Struct<std::string, bool, std::string>;

/// What it answers. Set before the daemon serves.
struct Script {
    std::string version{"1.2.3"};
    bool paused{};
    bool dry_run{};
    std::vector<std::string> troubles;
    std::string kind_trouble;
    bool kind_enabled{true};
    std::vector<FakeCapability> capabilities{{"tracking", true, "tp_btf/inet_sock_set_state"}};
    std::vector<FakeGhost> ghosts;
    std::vector<FakeMember> members;                   ///< of any ghost that is asked about
    std::map<std::uint64_t, std::string> descriptions; ///< JSON by id; others are unknown
    std::vector<FakeQuarantined> quarantined;
    std::vector<FakeIncident> incidents;
    std::vector<FakeHolder> holders;
    std::string owners{R"({"holders":[],"locks":[],"claims":[]})"}; ///< of any file
    std::map<std::uint64_t, FakeOutcome> outcomes;                  ///< of Clean; others are cleaned
    std::string stream;                                             ///< all that a watcher of Watch is sent
    bool stream_ends{};                                             ///< and then the daemon is gone
    /// By method: the error it answers with instead.
    std::map<std::string, sdbus::Error> errors;
    /// This method never answers.
    std::string silent;
};

/// A call that arrived: the method, its arguments as text, and whether the caller lets a password be asked
/// for.
struct Call {
    std::string method;
    std::string arguments;
    bool interactive{};

    bool operator==(const Call&) const = default;
};

class FakeDaemon {
public:
    FakeDaemon(const std::string& address, Script script);
    ~FakeDaemon();
    FakeDaemon(const FakeDaemon&) = delete;
    FakeDaemon& operator=(const FakeDaemon&) = delete;

    /// What arrived so far, without the questions for properties.
    [[nodiscard]] std::vector<Call> calls() const;

    void emit_appeared(std::uint64_t id, const std::string& summary, std::uint32_t more);
    void emit_pending(std::uint64_t id, const std::string& summary, std::uint64_t usec);
    void emit_cleaned(std::uint64_t id, const std::string& verdict, const std::string& reason);
    void emit_vanished(std::uint64_t id, const std::string& reason);
    /// PropertiesChanged of the manager (Ghosts) and of the kind (Suspected).
    void emit_changed();

private:
    class Manager;
    class Kind;
    class Record;

    std::unique_ptr<sdbus::IConnection> connection_;
    std::unique_ptr<Record> record_;
    std::unique_ptr<Manager> manager_;
    std::unique_ptr<Kind> kind_;
};

} // namespace egb::test
