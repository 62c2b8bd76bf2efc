// SPDX-License-Identifier: Apache-2.0
#include "trace_count.hpp"

#include "core/format.hpp"
#include "core/time_span.hpp"
#include "text.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

namespace egb::cli {

namespace {

/// Beyond, who is new is counted with all the others.
constexpr std::size_t most_executables = 10'000;
constexpr std::size_t most_running = 65'536;

constexpr const char* others = "(others)";

std::string losses(const TraceCount::Totals& totals) {
    if (totals.lost_by_reader == 0 && totals.lost_in_kernel == 0) {
        return "none lost";
    }
    return formatted("{} lost because this reader was slow, {} in the kernel", totals.lost_by_reader,
                     totals.lost_in_kernel);
}

std::string by_type(const TraceCount::Totals& totals) {
    std::string text;
    for (const auto& [name, count] : {std::pair{"exec", totals.exec},
                                      {"fork", totals.fork},
                                      {"exit", totals.exit},
                                      {"failed", totals.failed}}) {
        if (count > 0) {
            text += formatted("{}{} {}", text.empty() ? "" : ", ", count, name);
        }
    }
    return text.empty() ? "" : formatted(" ({})", text);
}

} // namespace

void TraceCount::add(const TraceEvent& event) {
    switch (event.type) {
    case TraceEvent::Type::exec:
        ++totals_.exec;
        add_start(event);
        break;
    case TraceEvent::Type::fork:
        ++totals_.fork;
        break;
    case TraceEvent::Type::exit:
        ++totals_.exit;
        add_end(event);
        break;
    case TraceEvent::Type::lost:
        (event.in_kernel ? totals_.lost_in_kernel : totals_.lost_by_reader) += event.count;
        break;
    default:
        break;
    }
}

TraceCount::Tally& TraceCount::tally(const TraceEvent& event) {
    const auto running = running_.find(event.pid);
    std::string name = !event.exe.empty()          ? event.exe
                       : running != running_.end() ? running->second
                                                   : event.command;
    if (executables_.size() >= most_executables && !executables_.contains(name)) {
        name = others;
    }
    auto& tally = executables_[name];
    tally.executable.name = std::move(name);
    return tally;
}

void TraceCount::add_start(const TraceEvent& event) {
    auto& executable = tally(event).executable;
    ++executable.started;
    if (running_.size() >= most_running) {
        running_.clear();
    }
    running_.insert_or_assign(event.pid, executable.name);
}

void TraceCount::add_end(const TraceEvent& event) {
    auto& [executable, second, in_second] = tally(event);
    running_.erase(event.pid);
    if (has_failed(event)) {
        ++executable.failed;
        ++totals_.failed;
    }
    if (event.lived >= short_life) {
        return;
    }
    ++executable.short_lived;
    const auto now = std::chrono::floor<std::chrono::seconds>(event.at).time_since_epoch().count();
    in_second = std::exchange(second, now) == now ? in_second + 1 : 1;
    executable.most_a_second = std::max(executable.most_a_second, in_second);
}

std::vector<TraceCount::Executable> TraceCount::top(std::size_t most) const {
    std::vector<Executable> all;
    for (const auto& tally : executables_ | std::views::values) {
        if (tally.executable.started > 0 || tally.executable.failed > 0) {
            all.push_back(tally.executable);
        }
    }
    std::ranges::stable_sort(all, [](const Executable& one, const Executable& other) {
        return std::pair{one.started, one.failed} > std::pair{other.started, other.failed};
    });
    all.resize(std::min(all.size(), most));
    return all;
}

Table count_table(const std::vector<TraceCount::Executable>& executables) {
    Table table{{{"STARTED", Align::right},
                 {"FAILED", Align::right},
                 {"SHORT", Align::right},
                 {"MOST/S", Align::right},
                 {"STORM"},
                 {"EXECUTABLE", Align::left, Fit::flexible}}};
    for (const auto& executable : executables) {
        table.add({{std::to_string(executable.started)},
                   {std::to_string(executable.failed), executable.failed > 0 ? Style::bad : Style::plain},
                   {std::to_string(executable.short_lived)},
                   {std::to_string(executable.most_a_second)},
                   {executable.is_storm() ? "storm" : "", Style::warning},
                   {executable.name}});
    }
    return table;
}

std::string account(const TraceCount::Totals& totals, Span span) {
    const auto seconds = std::chrono::duration<double>{span}.count();
    const auto rate = seconds > 0 ? static_cast<double>(totals.events()) / seconds : 0.0;
    return formatted("{}{} in {}, {:.1f} a second; {}.", counted(totals.events(), "event"), by_type(totals),
                     format_span(std::chrono::floor<std::chrono::milliseconds>(span)), rate, losses(totals));
}

} // namespace egb::cli
