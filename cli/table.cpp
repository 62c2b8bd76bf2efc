// SPDX-License-Identifier: Apache-2.0
#include "table.hpp"

#include "core/utf8.hpp"
#include "text.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

namespace egb::cli {

namespace {

/// Less of a text than this says nothing.
constexpr std::size_t least_flexible = 8;

std::string pad(std::string text, std::size_t shown, std::size_t width, Align align) {
    const std::string blanks(width > shown ? width - shown : 0, ' ');
    return align == Align::right ? blanks + text : std::move(text) + blanks;
}

} // namespace

std::vector<std::size_t> fit(const std::vector<Wish>& wishes, std::size_t available) {
    std::vector<std::size_t> widths;
    std::ranges::transform(wishes, std::back_inserter(widths), &Wish::wanted);
    const auto total = std::accumulate(widths.begin(), widths.end(), 0UZ);
    for (auto excess = total > available ? total - available : 0; excess > 0;) {
        // Take from the widest until it is as wide as the next, so that two long columns share the loss.
        std::size_t widest = wishes.size();
        std::size_t next = 0;
        for (std::size_t i = 0; i < wishes.size(); ++i) {
            if (widths[i] <= wishes[i].least) {
                continue;
            }
            if (widest == wishes.size() || widths[i] > widths[widest]) {
                next = widest == wishes.size() ? 0 : widths[widest];
                widest = i;
            } else {
                next = std::max(next, widths[i]);
            }
        }
        if (widest == wishes.size()) {
            break;
        }
        const auto floor = std::max(wishes[widest].least, std::min(next, widths[widest] - 1));
        const auto taken = std::min(excess, widths[widest] - floor);
        widths[widest] -= taken;
        excess -= taken;
    }
    return widths;
}

void Table::add(std::vector<Cell> row) {
    for (Cell& cell : row) {
        cell.text = cell.text.empty() ? "-" : printable(cell.text);
    }
    rows_.push_back(std::move(row));
}

std::vector<std::size_t> Table::widths(const Layout& layout) const {
    std::vector<Wish> wishes;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        const auto title = layout.heading == Heading::shown ? columns_[i].title.size() : 0;
        auto wanted = title;
        for (const auto& row : rows_) {
            wanted = std::max(wanted, columns_of(row[i].text));
        }
        const auto least = std::min(wanted, std::max(title, least_flexible));
        wishes.push_back({wanted, columns_[i].fit == Fit::flexible ? least : wanted});
    }
    const auto gaps = columns_.empty() ? 0 : columns_.size() - 1;
    const auto available = layout.columns.value_or(SIZE_MAX);
    return fit(wishes, available > gaps ? available - gaps : 0);
}

std::string Table::line(const std::vector<Cell>& row, const std::vector<std::size_t>& widths,
                        const Layout& layout) const {
    std::string text;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        const auto shown = shorten(row[i].text, widths[i], layout.charset);
        const bool last = i + 1 == columns_.size();
        const auto width = last && columns_[i].align == Align::left ? 0 : widths[i];
        text += pad(layout.painter(row[i].style, shown), columns_of(shown), width, columns_[i].align);
        text += last ? "" : " ";
    }
    return text;
}

std::string Table::render(const Layout& layout) const {
    const auto column_widths = widths(layout);
    std::string text;
    if (layout.heading == Heading::shown) {
        std::vector<Cell> titles;
        std::ranges::transform(columns_, std::back_inserter(titles), [](const Column& column) {
            return Cell{.text = column.title};
        });
        text += layout.painter(Style::heading, line(titles, column_widths, layout)) + '\n';
    }
    for (const auto& row : rows_) {
        text += line(row, column_widths, layout) + '\n';
    }
    return text;
}

} // namespace egb::cli
