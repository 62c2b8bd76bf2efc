// SPDX-License-Identifier: Apache-2.0
// The live table of `trace`: a row as soon as an event is there, so that no column can wait for the widest
// text.
#pragma once

#include "colour.hpp"
#include "core/result.hpp"
#include "table.hpp"
#include "trace_event.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace egb::cli {

/// A column that there can be.
struct TraceColumn {
    std::string_view name;
    std::string_view title;
    std::size_t width{};
    Align align{Align::left};
    Fit fit{Fit::rigid};
    std::string (*text)(const TraceEvent& event);
};

[[nodiscard]] std::span<const TraceColumn> trace_columns();

/// "time, event, ..."
[[nodiscard]] std::string names_of_trace_columns();

/// "time,comm" as columns; an unknown name is an error that says what may have been meant.
[[nodiscard]] Result<std::vector<const TraceColumn*>> read_trace_columns(std::string_view names);

/// Those that are shown when none are named.
[[nodiscard]] std::vector<const TraceColumn*> usual_trace_columns(const std::vector<std::string_view>& more);

/// How deep each process is below the first of its line that was seen.
class Lineage {
public:
    /// Of the event's process; an exit is the last that is known of it.
    [[nodiscard]] std::size_t depth(const TraceEvent& event);

private:
    std::unordered_map<std::int32_t, std::size_t> depths_;
};

enum class Shape : std::uint8_t { flat, tree };

class TraceTable {
public:
    TraceTable(std::vector<const TraceColumn*> columns, const Layout& layout, Shape shape)
        : columns_{std::move(columns)}, layout_{layout}, shape_{shape} {}

    /// With their line ends.
    [[nodiscard]] std::string heading() const;
    [[nodiscard]] std::string row(const TraceEvent& event);

private:
    [[nodiscard]] std::string line(const std::vector<Cell>& cells) const;

    std::vector<const TraceColumn*> columns_;
    Layout layout_;
    Shape shape_;
    Lineage lineage_;
};

} // namespace egb::cli
