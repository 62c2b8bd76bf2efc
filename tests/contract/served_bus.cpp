// SPDX-License-Identifier: Apache-2.0
#include "contract/served_bus.hpp"

#include "contract/eventually.hpp"
#include "core/format.hpp"
#include "harness/builders.hpp"
#include "harness/fake_kind.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <future>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <utility>

namespace egb::test {

namespace {

bus::KindStatus status_of(const KindInfo& info) {
    bus::KindStatus status;
    status.info = &info;
    status.enabled = true;
    status.options = {{"Clean", "proven"}, {"Veto", "5s"}};
    status.capabilities = {{.name = "planting", .works = true, .detail = "by hand"}};
    return status;
}

} // namespace

FakeControl::FakeControl() {
    manager.version = "1.2.3";
    manager.boot_id = "5c1f8a2e-0000-4000-8000-000000000001";
    manager.started = WallTime{std::chrono::seconds{1'700'000'000}};
    for (const auto* info : {&fake_info(), &fake_report_info()}) {
        const std::string name{info->name};
        kinds.emplace(name, status_of(*info));
        manager.kinds.push_back(name);
    }
}

void FakeControl::add_ghosts(std::size_t count) {
    for (std::size_t added = 0; added < count; ++added) {
        const GhostId id = ghosts_.size() + 1;
        Ghost ghost = make_ghost(std::to_string(id));
        ghost.id = id;
        ghost.kind = &fake_info();
        ghost.grade = id % 3 == 0 ? Grade::proven : Grade::suspected;
        ghost.holders = held_by({.pid = static_cast<std::int32_t>(id)});
        ghosts_.emplace(id, std::move(ghost));
    }
    manager.ghosts = ghosts_.size();
}

Result<bus::KindStatus> FakeControl::kind_status(std::string_view kind) const {
    const auto found = kinds.find(kind);
    if (found == kinds.end()) {
        return fail(ErrorCode::not_found, "no kind {}", kind);
    }
    return found->second;
}

bus::GhostPage FakeControl::list(const GhostFilter& filter, std::uint32_t offset, std::uint32_t limit) const {
    bus::GhostPage page;
    for (const auto& ghost : ghosts_ | std::views::values) {
        if (!filter.matches(ghost, Instant{})) {
            continue;
        }
        if (page.total >= offset && page.rows.size() < limit) {
            page.rows.push_back({.ghost = std::make_shared<const Ghost>(ghost),
                                 .since = manager.started,
                                 .action = ghost.grade == Grade::proven ? Action::clean : Action::report});
        }
        ++page.total;
    }
    return page;
}

Result<> FakeControl::known(GhostId id) const {
    if (!ghosts_.contains(id)) {
        return fail(ErrorCode::not_found, "there is no ghost {}", id);
    }
    return {};
}

Result<> FakeControl::act(std::string line) {
    if (failure) {
        return std::unexpected(*failure);
    }
    acts.push_back(std::move(line));
    return {};
}

Result<std::string> FakeControl::describe(GhostId id) const {
    return known(id).transform([id] {
        return formatted(R"({{"id":{}}})", id);
    });
}

Result<std::string> FakeControl::explain(GhostId id) const {
    return known(id).transform([id] {
        return formatted("Ghost {}\nis \xFF one.", id);
    });
}

Result<std::vector<state::HistoryRow>> FakeControl::history(const state::HistoryFilter& filter,
                                                            std::uint32_t limit) const {
    if (failure) {
        return std::unexpected(*failure);
    }
    auto wanted = rows | std::views::filter([&filter](const auto& row) {
                      return filter.kind.empty() || row.kind == filter.kind;
                  });
    return wanted | std::views::take(limit) | std::ranges::to<std::vector>();
}

Result<QuarantinePage> FakeControl::quarantine(std::uint32_t offset, std::uint32_t limit) const {
    if (failure) {
        return std::unexpected(*failure);
    }
    auto page = quarantined | std::views::drop(offset) | std::views::take(limit);
    return QuarantinePage{.total = static_cast<std::uint32_t>(quarantined.size()),
                          .rows = page | std::ranges::to<std::vector>()};
}

Result<std::vector<Holder>> FakeControl::who_owns(int fd) {
    struct stat status{};
    if (::fstat(fd, &status) != 0) {
        return fail_errno("fstat");
    }
    const bool is_owned = owned == FileNumbers{.device = status.st_dev, .inode = status.st_ino};
    return act("who-owns").transform([&] {
        return is_owned ? holders : std::vector<Holder>{};
    });
}

Result<std::string> FakeControl::owners(int fd) {
    return who_owns(fd).transform([](const std::vector<Holder>& found) {
        return formatted("{{\"holders\":{},\"comm\":\"\xFF\"}}", found.size());
    });
}

Result<Outcome> FakeControl::clean(GhostId id, Grade least, std::string_view actor) {
    if (!act(formatted("clean {} {} {}", id, to_string(least), actor))) {
        return Outcome{.verdict = Verdict::refused, .reason = failure->message};
    }
    return known(id).transform([] {
        return Outcome{.verdict = Verdict::cleaned, .reason = "a second look did not find it"};
    });
}

Result<> FakeControl::hold(GhostId id, Span span) {
    return known(id).and_then([&] {
        return act(formatted("hold {} {}", id, span));
    });
}

Result<> FakeControl::ignore(GhostId id, Span span) {
    return known(id).and_then([&] {
        return act(formatted("ignore {} {}", id, span));
    });
}

Result<std::string> FakeControl::restore(GhostId id) {
    return act(formatted("restore {}", id)).transform([] {
        return std::string{"/run/some.lock"};
    });
}

Result<std::uint32_t> FakeControl::scan(const std::vector<std::string>& names) {
    return act(formatted("scan {}", names.size())).transform([this] {
        return static_cast<std::uint32_t>(ghosts_.size());
    });
}

Result<> FakeControl::set_policy(std::string_view kind, const std::map<std::string, std::string>& options,
                                 Lifetime lifetime) {
    std::string line =
        formatted("set-policy {}{}", kind, lifetime == Lifetime::persistent ? " for ever" : "");
    for (const auto& [name, value] : options) {
        line += formatted(" {}={}", name, value);
    }
    return act(std::move(line));
}

Result<host::Fd> FakeControl::watch(const trace::Filter& filter, std::uint32_t uid) {
    return act(formatted("watch {}{} uid {}", filter.comm, filter.failed ? " failed" : "", uid))
        .and_then([]() -> Result<host::Fd> {
            return host::Fd{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
        });
}

Result<> FakeControl::pause(bool paused) {
    return act(formatted("pause {}", paused)).transform([this, paused] {
        manager.paused = paused;
    });
}

Result<> FakeControl::reload() {
    return act("reload");
}

Result<> FakeLog::set_level(std::string_view level) {
    if (level != "debug" && level != "info") {
        return fail(ErrorCode::invalid, "unknown log level: {}", level);
    }
    level_ = level;
    return {};
}

Result<> FakeLog::set_target(std::string_view target) {
    if (target != "journal" && target != "console") {
        return fail(ErrorCode::invalid, "unknown log target: {}", target);
    }
    target_ = target;
    return {};
}

ServedBus::ServedBus(const PrivateBus& bus, const bus::Allowance& allowance)
    : bus_{loop_, workers_, bus.address(),
           [this] {
               lost_ = true;
           }},
      sink_{loop_, clock_, bus_.signals()} {
    bus_.serve(control_, log_, allowance);
    bus_.own_name();
    thread_ = std::jthread{[this] {
        loop_.run();
    }};
}

ServedBus::~ServedBus() {
    on_loop([this] {
        loop_.stop(0);
    });
    thread_.join();
}

void ServedBus::on_loop(std::function<void()> work) {
    auto ran = std::make_shared<std::promise<void>>();
    workers_.submit([work = std::move(work), ran]() -> std::function<void()> {
        return [work, ran] {
            work();
            ran->set_value();
        };
    });
    if (ran->get_future().wait_for(patience) != std::future_status::ready) {
        throw std::runtime_error{"the loop does not come round"};
    }
}

std::vector<std::string> ServedBus::acts() {
    std::vector<std::string> acts;
    on_loop([&] {
        acts = control_.acts;
    });
    return acts;
}

} // namespace egb::test
