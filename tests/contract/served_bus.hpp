// SPDX-License-Identifier: Apache-2.0
// The bus objects as the daemon has them, on a loop in a thread, over a control that only writes down what it
// is asked to do.
#pragma once

#include "bus/bus.hpp"
#include "contract/private_bus.hpp"
#include "host/monotonic_clock.hpp"
#include "loop/event_loop.hpp"
#include "loop/worker_pool.hpp"
#include "sinks/bus_sink.hpp"

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace egb::test {

/// A file of a file system that makes no difference between what it says and what it has.
struct FileNumbers {
    dev_t device{};
    ino_t inode{};

    bool operator==(const FileNumbers&) const = default;
};

/// Two kinds, `fake` and `fake-report`, and as many ghosts as a test wants. Lives on the loop's thread.
class FakeControl final : public bus::Control {
public:
    FakeControl();

    /// Ids from 1 on, all of kind `fake`; every third is proven.
    void add_ghosts(std::size_t count);
    [[nodiscard]] Ghost& ghost(GhostId id) { return ghosts_.at(id); }

    /// Everything that was changed or traced, one line each.
    std::vector<std::string> acts;
    bus::ManagerStatus manager;
    std::map<std::string, bus::KindStatus, std::less<>> kinds;
    std::vector<state::HistoryRow> rows;
    std::vector<QuarantineRow> quarantined;
    std::optional<FileNumbers> owned; ///< the file that somebody holds
    std::vector<Holder> holders;      ///< who that is
    std::optional<Error> failure;     ///< answers everything that can fail
    std::optional<state::HistoryFilter> asked_history;
    std::uint32_t asked_limit{};

    [[nodiscard]] bus::ManagerStatus status() const override { return manager; }
    [[nodiscard]] Result<bus::KindStatus> kind_status(std::string_view kind) const override;
    [[nodiscard]] bus::GhostPage list(const GhostFilter& filter, std::uint32_t offset,
                                      std::uint32_t limit) const override;
    [[nodiscard]] Result<std::string> describe(GhostId id) const override;
    [[nodiscard]] Result<std::string> explain(GhostId id) const override;
    [[nodiscard]] Result<std::vector<state::HistoryRow>> history(const state::HistoryFilter& filter,
                                                                 std::uint32_t limit) const override;
    [[nodiscard]] Result<QuarantinePage> quarantine(std::uint32_t offset, std::uint32_t limit) const override;
    [[nodiscard]] Result<std::vector<Holder>> who_owns(int fd) override;
    [[nodiscard]] Result<std::string> owners(int fd) override;
    [[nodiscard]] Result<Outcome> clean(GhostId id, Grade least, std::string_view actor) override;
    [[nodiscard]] Result<> hold(GhostId id, Span span) override;
    [[nodiscard]] Result<> ignore(GhostId id, Span span) override;
    [[nodiscard]] Result<std::string> restore(GhostId id) override;
    [[nodiscard]] Result<std::uint32_t> scan(const std::vector<std::string>& names) override;
    [[nodiscard]] Result<> set_policy(std::string_view kind,
                                      const std::map<std::string, std::string>& options,
                                      Lifetime lifetime) override;
    [[nodiscard]] Result<host::Fd> watch(const trace::Filter& filter, std::uint32_t uid) override;
    [[nodiscard]] Result<> pause(bool paused) override;
    [[nodiscard]] Result<> reload() override;

private:
    [[nodiscard]] Result<> act(std::string line);
    [[nodiscard]] Result<> known(GhostId id) const;

    std::map<GhostId, Ghost> ghosts_;
};

class FakeLog final : public bus::LogTarget {
public:
    [[nodiscard]] std::string level() const override { return level_; }
    [[nodiscard]] Result<> set_level(std::string_view level) override;
    [[nodiscard]] std::string target() const override { return target_; }
    [[nodiscard]] Result<> set_target(std::string_view target) override;
    [[nodiscard]] std::string identifier() const override { return "eghostbusterd"; }

private:
    std::string level_{"info"};
    std::string target_{"journal"};
};

class ServedBus {
public:
    /// Serves and owns the name when it is constructed.
    explicit ServedBus(const PrivateBus& bus, const bus::Allowance& allowance = {});
    ~ServedBus();
    ServedBus(const ServedBus&) = delete;
    ServedBus& operator=(const ServedBus&) = delete;

    /// Runs it on the loop, and waits until it has run.
    void on_loop(std::function<void()> work);

    [[nodiscard]] FakeControl& control() { return control_; }
    [[nodiscard]] bus::Bus& bus() { return bus_; }
    [[nodiscard]] sinks::BusSink& sink() { return sink_; }

    /// Copied on the loop.
    [[nodiscard]] std::vector<std::string> acts();

    [[nodiscard]] bool lost() const { return lost_; }

private:
    loop::EventLoop loop_;
    loop::WorkerPool workers_{loop_, 1};
    FakeControl control_;
    FakeLog log_;
    std::atomic<bool> lost_{};
    bus::Bus bus_;
    host::MonotonicClock clock_;
    sinks::BusSink sink_;
    std::jthread thread_;
};

} // namespace egb::test
