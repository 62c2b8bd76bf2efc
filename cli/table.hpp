// SPDX-License-Identifier: Apache-2.0
// Tables that fit the terminal: where they would not, the widest column that may give way does.
#pragma once

#include "colour.hpp"
#include "terminal.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace egb::cli {

enum class Align : std::uint8_t { left, right };
enum class Fit : std::uint8_t {
    rigid,    ///< never cut: numbers, ids
    flexible, ///< may end in an ellipsis
};

struct Column {
    std::string title;
    Align align{Align::left};
    Fit fit{Fit::rigid};
};

/// Text of any origin: what is not printable is made so.
struct Cell {
    std::string text;
    Style style{Style::plain};
};

enum class Heading : std::uint8_t { shown, hidden };

struct Layout {
    std::optional<std::size_t> columns; ///< nothing: as wide as it needs to be
    Heading heading{Heading::shown};
    Charset charset{Charset::utf8};
    Painter painter{};
};

class Table {
public:
    explicit Table(std::vector<Column> columns) : columns_{std::move(columns)} {}

    /// One cell for each column; an empty one is shown as "-".
    void add(std::vector<Cell> row);

    [[nodiscard]] std::size_t rows() const { return rows_.size(); }
    [[nodiscard]] std::string render(const Layout& layout) const;

private:
    [[nodiscard]] std::vector<std::size_t> widths(const Layout& layout) const;
    [[nodiscard]] std::string line(const std::vector<Cell>& row, const std::vector<std::size_t>& widths,
                                   const Layout& layout) const;

    std::vector<Column> columns_;
    std::vector<std::vector<Cell>> rows_;
};

/// A column as the fitting sees it.
struct Wish {
    std::size_t wanted{};
    std::size_t least{}; ///< it is not made narrower than this
};

/// Widths with a sum of at most `available` where `least` allows it: the widest give way first.
[[nodiscard]] std::vector<std::size_t> fit(const std::vector<Wish>& wishes, std::size_t available);

} // namespace egb::cli
