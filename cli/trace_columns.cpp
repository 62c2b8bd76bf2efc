// SPDX-License-Identifier: Apache-2.0
#include "trace_columns.hpp"

#include "core/format.hpp"
#include "core/time_span.hpp"
#include "core/utf8.hpp"
#include "text.hpp"
#include "time.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <ranges>

namespace egb::cli {

namespace {

/// More is not told apart by eye.
constexpr std::size_t deepest_shown = 16;
/// Where no exits are watched, nobody is ever forgotten one by one.
constexpr std::size_t most_remembered = 65'536;

std::string number_or_none(std::uint64_t number) {
    return number == 0 ? "" : std::to_string(number);
}

bool is_exit(const TraceEvent& event) {
    return event.type == TraceEvent::Type::exit;
}

std::string args_of(const TraceEvent& event) {
    std::string text;
    for (const auto& arg : event.args) {
        text += (text.empty() ? "" : " ") + arg;
    }
    return event.args_cut ? text + " ..." : text;
}

/// The file, and the arguments behind its name.
std::string command_of(const TraceEvent& event) {
    std::string text = event.exe.empty() ? event.command : event.exe;
    for (const auto& arg : event.args | std::views::drop(1)) {
        text += " " + arg;
    }
    return event.args_cut ? text + " ..." : text;
}

std::string end_of(const TraceEvent& event) {
    const auto how = event.signal.empty() ? std::to_string(event.status) : event.signal;
    return formatted("{}{} after {}", how, event.core ? " (core)" : "", format_span(event.lived));
}

constexpr std::array table{
    TraceColumn{"time", "TIME", 8, Align::left, Fit::rigid,
                [](const TraceEvent& event) {
                    return clock_stamp(event.at);
                }},
    TraceColumn{"event", "EVENT", 5, Align::left, Fit::rigid,
                [](const TraceEvent& event) {
                    return std::string{word(event.type)};
                }},
    TraceColumn{"comm", "COMM", 15, Align::left, Fit::rigid,
                [](const TraceEvent& event) {
                    return event.command;
                }},
    TraceColumn{"pid", "PID", 7, Align::right, Fit::rigid,
                [](const TraceEvent& event) {
                    return std::to_string(event.pid);
                }},
    TraceColumn{"ppid", "PPID", 7, Align::right, Fit::rigid,
                [](const TraceEvent& event) {
                    return std::to_string(event.parent);
                }},
    TraceColumn{"what", "FILENAME/EXIT", 13, Align::left, Fit::flexible,
                [](const TraceEvent& event) {
                    return is_exit(event) ? end_of(event) : command_of(event);
                }},
    TraceColumn{"uid", "UID", 5, Align::right, Fit::rigid,
                [](const TraceEvent& event) {
                    return std::to_string(event.uid);
                }},
    TraceColumn{"exe", "EXE", 24, Align::left, Fit::flexible,
                [](const TraceEvent& event) {
                    return event.exe;
                }},
    TraceColumn{"args", "ARGS", 24, Align::left, Fit::flexible, args_of},
    TraceColumn{"cwd", "CWD", 20, Align::left, Fit::flexible,
                [](const TraceEvent& event) {
                    return event.cwd;
                }},
    TraceColumn{"unit", "UNIT", 20, Align::left, Fit::flexible,
                [](const TraceEvent& event) {
                    return event.unit;
                }},
    TraceColumn{"container", "CONTAINER", 12, Align::left, Fit::flexible,
                [](const TraceEvent& event) {
                    return event.container;
                }},
    TraceColumn{"status", "STATUS", 6, Align::right, Fit::rigid,
                [](const TraceEvent& event) {
                    return is_exit(event) && event.signal.empty() ? std::to_string(event.status) : "";
                }},
    TraceColumn{"signal", "SIGNAL", 9, Align::left, Fit::rigid,
                [](const TraceEvent& event) {
                    return event.signal + (event.core ? " (core)" : "");
                }},
    TraceColumn{"duration", "DURATION", 12, Align::left, Fit::rigid,
                [](const TraceEvent& event) {
                    return is_exit(event) ? format_span(event.lived) : "";
                }},
    TraceColumn{"rss", "PEAK-RSS", 9, Align::right, Fit::rigid,
                [](const TraceEvent& event) {
                    constexpr std::uint64_t kib = 1'024;
                    return is_exit(event) ? formatted("{}K", event.peak_rss_bytes / kib) : "";
                }},
    TraceColumn{"start", "START", 10, Align::right, Fit::rigid,
                [](const TraceEvent& event) {
                    return number_or_none(event.start);
                }},
    TraceColumn{"cgroup", "CGROUP", 7, Align::right, Fit::rigid,
                [](const TraceEvent& event) {
                    return number_or_none(event.cgroup);
                }},
    TraceColumn{"pidns", "PIDNS", 10, Align::right, Fit::rigid,
                [](const TraceEvent& event) {
                    return number_or_none(event.pid_namespace);
                }},
    TraceColumn{"mntns", "MNTNS", 10, Align::right, Fit::rigid,
                [](const TraceEvent& event) {
                    return number_or_none(event.mount_namespace);
                }},
    TraceColumn{"netns", "NETNS", 10, Align::right, Fit::rigid,
                [](const TraceEvent& event) {
                    return number_or_none(event.net_namespace);
                }},
};

const TraceColumn* find(std::string_view name) {
    const auto* const found = std::ranges::find(table, name, &TraceColumn::name);
    return found == table.end() ? nullptr : found;
}

std::string pad(std::string text, std::size_t shown, const TraceColumn& column) {
    const std::string blanks(column.width > shown ? column.width - shown : 0, ' ');
    return column.align == Align::right ? blanks + text : std::move(text) + blanks;
}

Style style_of(const TraceEvent& event) {
    if (has_failed(event)) {
        return Style::bad;
    }
    return is_exit(event) ? Style::faint : Style::plain;
}

} // namespace

std::span<const TraceColumn> trace_columns() {
    return table;
}

std::string names_of_trace_columns() {
    std::string names;
    for (const auto& column : table) {
        names += formatted("{}{}", names.empty() ? "" : ", ", column.name);
    }
    return names;
}

Result<std::vector<const TraceColumn*>> read_trace_columns(std::string_view names) {
    if (names.empty()) {
        return fail(ErrorCode::invalid, "no column is named; there are {}", names_of_trace_columns());
    }
    std::vector<const TraceColumn*> columns;
    for (const auto part : names | std::views::split(',')) {
        const std::string_view name{part};
        const auto* const column = find(name);
        if (column == nullptr) {
            std::vector<std::string> known;
            std::ranges::transform(table, std::back_inserter(known), [](const TraceColumn& candidate) {
                return std::string{candidate.name};
            });
            const auto meant = nearest(name, known);
            return fail(ErrorCode::invalid, "there is no column \"{}\"; {}", name,
                        meant.empty() ? "there are " + names_of_trace_columns()
                                      : formatted("did you mean {}?", meant));
        }
        columns.push_back(column);
    }
    return columns;
}

std::vector<const TraceColumn*> usual_trace_columns(const std::vector<std::string_view>& more) {
    std::vector<const TraceColumn*> columns;
    for (const auto* name : {"time", "event", "comm", "pid", "ppid"}) {
        columns.push_back(find(name));
    }
    for (const auto name : more) {
        columns.push_back(find(name));
    }
    columns.push_back(find("what")); // the last has the room that is left
    return columns;
}

std::size_t Lineage::depth(const TraceEvent& event) {
    if (depths_.size() >= most_remembered) {
        depths_.clear();
    }
    const auto known = depths_.find(event.pid);
    const auto parent = depths_.find(event.parent);
    const auto below = parent == depths_.end() ? 0 : parent->second + 1;
    const auto depth = known == depths_.end() ? below : known->second;
    if (event.type == TraceEvent::Type::exit) {
        depths_.erase(event.pid);
    } else {
        depths_.insert_or_assign(event.pid, depth);
    }
    return depth;
}

std::string TraceTable::line(const std::vector<Cell>& cells) const {
    std::string text;
    std::size_t used = 0;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        const auto& column = *columns_[i];
        const bool last = i + 1 == columns_.size();
        auto shown = cells[i].text;
        if (column.fit == Fit::flexible && layout_.columns) {
            const auto rest = *layout_.columns > used ? *layout_.columns - used : 0;
            shown = shorten(shown, last ? std::max(rest, column.width) : column.width, layout_.charset);
        }
        const auto width = columns_of(shown);
        const auto painted = layout_.painter(cells[i].style, shown);
        text += last && column.align == Align::left ? painted : pad(painted, width, column);
        text += last ? "\n" : " ";
        used += std::max(width, column.width) + 1;
    }
    return text;
}

std::string TraceTable::heading() const {
    if (layout_.heading == Heading::hidden) {
        return "";
    }
    std::vector<Cell> titles;
    std::ranges::transform(columns_, std::back_inserter(titles), [](const TraceColumn* column) {
        return Cell{.text = std::string{column->title}, .style = Style::heading};
    });
    return line(titles);
}

std::string TraceTable::row(const TraceEvent& event) {
    const auto depth = shape_ == Shape::tree ? std::min(lineage_.depth(event), deepest_shown) : 0;
    std::vector<Cell> cells;
    for (const auto* column : columns_) {
        auto text = printable(column->text(event));
        if (column->name == "comm") {
            text.insert(0, 2 * depth, ' ');
        }
        const bool tells = column->name == "what" || column->name == "status" || column->name == "signal";
        cells.push_back(
            {.text = text.empty() ? "-" : std::move(text), .style = tells ? style_of(event) : Style::plain});
    }
    return line(cells);
}

} // namespace egb::cli
