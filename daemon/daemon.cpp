// SPDX-License-Identifier: Apache-2.0
#include "daemon.hpp"

#include "bus/bus.hpp"
#include "config/default_file.hpp"
#include "configurator.hpp"
#include "core/format.hpp"
#include "daemon_control.hpp"
#include "engine/governor.hpp"
#include "engine/ledger.hpp"
#include "engine/pipeline.hpp"
#include "host/bpf_holder_scan.hpp"
#include "host/fd_store.hpp"
#include "host/monotonic_clock.hpp"
#include "host/mount_files.hpp"
#include "host/proc_holder_scan.hpp"
#include "host/procfs.hpp"
#include "host/sys.hpp"
#include "kind_runner.hpp"
#include "lineage_watch.hpp"
#include "loop/event_loop.hpp"
#include "loop/worker_pool.hpp"
#include "notifier.hpp"
#include "restorer.hpp"
#include "sinks/bus_sink.hpp"
#include "sinks/journal_sink.hpp"
#include "sinks/log.hpp"
#include "sinks/state_sink.hpp"
#include "state/state_db.hpp"
#include "throttle.hpp"
#include "trace/trace.hpp"
#include "unit_opt_outs.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace egb {

namespace {

constexpr Span between_ticks = std::chrono::milliseconds{100};
constexpr Span between_ticks_in_trouble = std::chrono::seconds{1};
constexpr Span between_reports = std::chrono::seconds{1};
constexpr Span between_prunings = std::chrono::hours{24};
constexpr Span between_prunings_in_arrears = std::chrono::seconds{1};
constexpr Span between_state_retries = std::chrono::minutes{1};

host::ProcFs procfs_at(const std::filesystem::path& root) {
    return host::ProcFs{root.empty() ? host::ProcFs::default_root() : root};
}

std::unique_ptr<host::Sys> make_sys(bool dry_run, const host::ProcFs& procfs, host::FdStore& store) {
    if (dry_run) {
        return std::make_unique<host::DrySys>(procfs, store);
    }
    return std::make_unique<host::RealSys>(procfs, store);
}

/// iter/task_file lists the processes of our own pid namespace only.
std::unique_ptr<host::HolderScan> make_holder_scan(const host::ProcFs& procfs) {
    if (procfs.has_our_pids()) {
        return std::make_unique<host::BpfHolderScan>(procfs);
    }
    return std::make_unique<host::ProcHolderScan>(procfs);
}

/// Tells what was done, and lets go of what was observed, however the loop ends.
class LastWords {
public:
    LastWords(engine::Ledger& ledger, const KindRunners& runners) : ledger_{ledger}, runners_{runners} {}
    ~LastWords() {
        ledger_.flush();
        for (const auto& runner : runners_) {
            runner->let_go(); // the state database writes it when it is closed
        }
    }
    LastWords(const LastWords&) = delete;
    LastWords& operator=(const LastWords&) = delete;

private:
    engine::Ledger& ledger_;
    const KindRunners& runners_;
};

} // namespace

class Daemon::Impl {
public:
    Impl(const DaemonOptions& options, std::span<const kinds::CatalogEntry> catalog, sinks::Log& log);
    ~Impl();
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    int run();

private:
    [[nodiscard]] std::vector<loop::EventSource> catch_signals();
    void start_kinds(std::span<const kinds::CatalogEntry> catalog);
    void stop();
    void on_bus_lost();
    Result<> reload();
    void put_in_force();
    void tell_mistakes() const;

    void on_timer();
    void on_news();
    void advance();
    void rearm();
    void recall_decisions();
    void recover_files();
    void keep_house();
    void plan_housekeeping();
    [[nodiscard]] bool alive();
    void report();
    [[nodiscard]] std::string status_line() const;

    // In the order of their dependence; what is last is gone first.
    sinks::Log& log_;
    const host::MonotonicClock clock_;
    Configurator configurator_;
    std::string log_level_;
    const bool dry_run_;
    loop::EventLoop loop_;
    const std::vector<loop::EventSource> signals_; // before any thread, which would take them
    Notifier notifier_;
    const host::ProcFs procfs_;
    host::SystemdFdStore fd_store_;
    const std::unique_ptr<host::Sys> sys_;
    host::BpfLineage lineage_;
    const std::unique_ptr<host::HolderScan> holder_scan_;
    host::MountFiles files_;
    state::StateDb state_;
    Restorer restorer_;
    const host::Surroundings surroundings_;
    loop::WorkerPool workers_;
    bus::Bus bus_;
    sinks::JournalSink journal_sink_;
    sinks::StateSink state_sink_;
    sinks::BusSink bus_sink_;
    UnitOptOuts unit_opt_outs_;
    engine::Governor governor_;
    engine::Ledger ledger_;
    engine::Pipeline pipeline_;
    LineageWatch lineage_watch_;
    KindRunners runners_;
    trace::Trace trace_;
    DaemonControl control_;
    Throttle report_;
    loop::EventSource timer_;
    Instant timer_due_{end_of_time};
    Instant timer_rang_;
    loop::EventSource housekeeping_;
    Instant next_pruning_;
    bool state_was_degraded_{};
    std::string reload_failure_; ///< of the last reload; empty when it succeeded
};

Daemon::Impl::Impl(const DaemonOptions& options, std::span<const kinds::CatalogEntry> catalog,
                   sinks::Log& log)
    : log_{log},
      configurator_{catalog, options.config_root, options.state_directory},
      dry_run_{options.dry_run || configurator_.daemon().dry_run},
      signals_{catch_signals()},
      procfs_{procfs_at(options.proc)},
      sys_{make_sys(dry_run_, procfs_, fd_store_)},
      lineage_{clock_, procfs_, host::lineage_events(fd_store_, host::room_for_entries(procfs_))},
      holder_scan_{make_holder_scan(procfs_)},
      files_{procfs_},
      state_{options.state_directory, clock_, procfs_.boot_id(),
             [](std::string_view what) {
                 spdlog::error("{}", what);
             }},
      restorer_{*sys_, state_},
      surroundings_{.clock = clock_,
                    .procfs = procfs_,
                    .fd_store = fd_store_,
                    .sys = *sys_,
                    .lineage = lineage_,
                    .holders = *holder_scan_,
                    .files = files_,
                    .quarantine = state_,
                    .memory = state_},
      workers_{loop_, 1},
      bus_{loop_, workers_, options.bus_address,
           [this] {
               on_bus_lost();
           }},
      journal_sink_{loop_, clock_},
      state_sink_{state_, clock_},
      bus_sink_{loop_, clock_, bus_.signals()},
      unit_opt_outs_{clock_, options.config_root},
      governor_{engine::governor_limits(configurator_.governor()), &unit_opt_outs_},
      ledger_{clock_, state_, {&journal_sink_, &state_sink_, &bus_sink_}},
      pipeline_{clock_, governor_, ledger_},
      lineage_watch_{lineage_, clock_, loop_,
                     [this] {
                         on_news();
                     }},
      trace_{clock_, procfs_, loop_, trace::kernel_events},
      control_{{.clock = clock_,
                .configurator = configurator_,
                .runners = runners_,
                .governor = governor_,
                .ledger = ledger_,
                .pipeline = pipeline_,
                .state = state_,
                .restorer = restorer_,
                .holder_scan = *holder_scan_,
                .procfs = procfs_,
                .trace = trace_},
               {.version = std::string{version()},
                .boot_id = procfs_.boot_id(),
                .started = clock_.wall_now(),
                .dry_run = dry_run_},
               {.advance =
                    [this] {
                        advance();
                    },
                .rearm =
                    [this] {
                        rearm();
                        report_.request();
                    },
                .reload =
                    [this] {
                        return reload();
                    }}},
      report_{loop_, clock_, between_reports, [this] {
                  report();
              }} {
    ledger_.set_describe([this](const Ghost& ghost) {
        return control_.facts(ghost);
    });
    pipeline_.keep_holds_in(state_);
    recall_decisions();
    configurator_.on_change([this](const config::Config&) {
        put_in_force();
    });
    timer_ = loop_.timer(loop::Priority::timers, [this] {
        on_timer();
    });
    housekeeping_ = loop_.timer(loop::Priority::sweeps, [this] {
        keep_house();
    });
    put_in_force();
    tell_mistakes();
    recover_files(); // before anybody looks for them
    lineage_watch_.start();
    start_kinds(catalog);
    bus_.serve(control_, log_);
    bus_.own_name();
    // Only now, when somebody can hear what is announced.
    advance();
    keep_house();
}

Daemon::Impl::~Impl() = default;

std::vector<loop::EventSource> Daemon::Impl::catch_signals() {
    std::vector<loop::EventSource> sources;
    for (const int signal : {SIGTERM, SIGINT}) {
        sources.push_back(loop_.on_signal(signal, [this] {
            stop();
        }));
    }
    sources.push_back(loop_.on_signal(SIGHUP, [this] {
        [[maybe_unused]] const auto told_already = reload();
    }));
    return sources;
}

void Daemon::Impl::start_kinds(std::span<const kinds::CatalogEntry> catalog) {
    for (const auto& entry : catalog) {
        runners_
            .add(std::make_unique<KindRunner>(entry.make(surroundings_), configurator_.kind(entry.info.name),
                                              clock_, loop_, pipeline_,
                                              [this] {
                                                  on_news();
                                              }))
            .start();
    }
    if (const auto dropped = fd_store_.drop_untaken(); dropped > 0) {
        spdlog::info("{} descriptors of another version were left behind, and are dropped", dropped);
    }
}

int Daemon::Impl::run() {
    loop_.watchdog([this] {
        return alive();
    });
    spdlog::info("eghostbusterd {} is ready{}", version(), dry_run_ ? ", and acts on nothing (dry run)" : "");
    notifier_.ready(status_line());
    const LastWords last_words{ledger_, runners_};
    return loop_.run();
}

void Daemon::Impl::stop() {
    notifier_.stopping();
    loop_.stop(EXIT_SUCCESS);
}

void Daemon::Impl::on_bus_lost() {
    spdlog::critical("The bus is gone; nobody can be served without it");
    loop_.stop(EXIT_FAILURE);
}

Result<> Daemon::Impl::reload() {
    notifier_.reloading(clock_.now());
    const auto reloaded = configurator_.reload();
    reload_failure_ = reloaded ? "" : reloaded.error().message;
    if (reloaded) {
        spdlog::info("The configuration is read again");
        tell_mistakes();
    } else {
        spdlog::error("The old configuration stays in force: {}", reload_failure_);
    }
    advance();
    notifier_.ready(status_line());
    return reloaded;
}

void Daemon::Impl::put_in_force() {
    // A level set by `systemctl service-log-level` stays while the configuration says nothing new.
    if (auto level = configurator_.daemon().log_level; level != log_level_) {
        [[maybe_unused]] const auto always = log_.set_level(level); // it is one of the option's choices
        log_level_ = std::move(level);
    }
    const auto settings = configurator_.daemon();
    state_.set_limits(settings.history_rows, settings.history_age);
    state_.set_quarantine_limits(settings.quarantine_for, settings.quarantine_max);
    unit_opt_outs_.forget();
    control_.limit_acts();
    for (const auto& runner : runners_) {
        runner->configure(configurator_.kind(runner->info().name));
    }
}

void Daemon::Impl::tell_mistakes() const {
    for (const auto& mistake : configurator_.mistakes()) {
        spdlog::error("Not all of a list counts: {}", mistake);
    }
}

void Daemon::Impl::on_timer() {
    timer_rang_ = clock_.now();
    for (const auto& runner : runners_) {
        runner->sweep_if_due();
    }
    advance();
}

/// Events go before timers; what is due must not wait for the end of a flood of them.
void Daemon::Impl::on_news() {
    if (timer_due_ <= clock_.now()) {
        on_timer();
    } else {
        advance();
    }
}

/// Does what has become due, and sees to what will.
void Daemon::Impl::advance() {
    pipeline_.tick();
    for (const auto& runner : runners_) {
        runner->settle_health();
    }
    rearm();
    if (state_was_degraded_ != !state_.degraded().empty()) {
        plan_housekeeping();
    }
    report_.request();
}

/// What stays due, because it cannot be done for now, must not keep the loop busy.
void Daemon::Impl::rearm() {
    const auto due = pipeline_.deadline();
    if (!due) {
        timer_due_ = end_of_time;
        loop_.disarm(timer_);
        return;
    }
    const bool trouble = std::ranges::any_of(runners_, [](const auto& runner) {
        return runner->struggling();
    });
    const Span pause = trouble                 ? between_ticks_in_trouble
                       : pipeline_.left_over() ? Span::zero()
                                               : between_ticks;
    timer_due_ = std::max(*due, later(timer_rang_, pause));
    loop_.arm(timer_, timer_due_);
}

void Daemon::Impl::recall_decisions() {
    if (const auto recalled = control_.recall_decisions(); !recalled) {
        spdlog::error("acts are paused: {}", recalled.error().message);
    }
}

void Daemon::Impl::recover_files() {
    for (const std::string& told : restorer_.recover()) {
        spdlog::warn("{}", told);
    }
}

void Daemon::Impl::keep_house() {
    const bool was_degraded = !state_.degraded().empty();
    state_.retry();
    if (was_degraded && state_.degraded().empty()) {
        recall_decisions();
        recover_files();
        advance();
    }
    if (const Instant now = clock_.now(); now >= next_pruning_) {
        next_pruning_ = later(now, state_.prune() ? between_prunings_in_arrears : between_prunings);
    }
    plan_housekeeping();
}

void Daemon::Impl::plan_housekeeping() {
    state_was_degraded_ = !state_.degraded().empty();
    const Instant retry = later(clock_.now(), between_state_retries);
    loop_.arm(housekeeping_, state_was_degraded_ ? std::min(retry, next_pruning_) : next_pruning_);
}

bool Daemon::Impl::alive() {
    // Each is asked, whatever the one before has said: a beat sends the next canary, too.
    const bool lineage = lineage_watch_.beat();
    return std::ranges::count_if(runners_,
                                 [](const auto& runner) {
                                     return runner->beat();
                                 }) == std::ranges::distance(runners_) &&
           lineage;
}

void Daemon::Impl::report() {
    state_.flush(); // what kinds remember is no incident that would see to it
    notifier_.status(status_line());
    bus_.publish();
}

/// "2 ghosts (0 proven), 14 tracked; tcp ok"
std::string Daemon::Impl::status_line() const {
    std::size_t suspected = 0;
    std::size_t proven = 0;
    std::size_t tracked = 0;
    std::string conditions;
    for (const auto& runner : runners_) {
        const std::string_view name = runner->info().name;
        suspected += ledger_.count(name, Grade::suspected);
        proven += ledger_.count(name, Grade::proven);
        tracked += runner->running() ? std::as_const(*runner).kind().tracker().tracked() : 0;
        conditions += formatted("{}{} {}", conditions.empty() ? "" : ", ", name, runner->condition());
    }
    const std::size_t ghosts = suspected + proven;
    return formatted("{} ghost{} ({} proven), {} tracked; {}{}{}{}{}", ghosts, ghosts == 1 ? "" : "s", proven,
                     tracked, conditions, governor_.limits().paused ? "; paused" : "",
                     dry_run_ ? "; dry run" : "", state_.degraded().empty() ? "" : "; state not saved",
                     reload_failure_.empty() ? "" : "; old configuration kept: " + reload_failure_);
}

std::string_view version() {
    return EGB_VERSION;
}

void check_configuration(const DaemonOptions& options, std::span<const kinds::CatalogEntry> catalog) {
    const Configurator configurator{catalog, options.config_root, options.state_directory};
    std::string mistakes;
    for (const auto& mistake : configurator.mistakes()) {
        mistakes += formatted("{}{}", mistakes.empty() ? "" : "\n", mistake);
    }
    if (!mistakes.empty()) {
        throw std::runtime_error{mistakes};
    }
}

std::string default_configuration(std::span<const kinds::CatalogEntry> catalog) {
    return config::render_defaults(schema_of(catalog));
}

Daemon::Daemon(const DaemonOptions& options, std::span<const kinds::CatalogEntry> catalog)
    : log_{std::make_unique<sinks::Log>("eghostbusterd")} {
    try {
        impl_ = std::make_unique<Impl>(options, catalog, *log_);
    } catch (const std::exception& error) {
        spdlog::critical("{}", error.what());
        throw;
    }
}

Daemon::~Daemon() = default;

int Daemon::run() {
    try {
        return impl_->run();
    } catch (const std::exception& error) {
        spdlog::critical("{}", error.what());
        throw;
    }
}

} // namespace egb
