// SPDX-License-Identifier: Apache-2.0
// The help, in the form that systemd's tools have made familiar.
#pragma once

#include <CLI/CLI.hpp>

#include <cstddef>
#include <string>

namespace egb::cli {

class Help final : public CLI::FormatterBase {
public:
    /// `columns`: where lines are broken.
    explicit Help(std::size_t columns) : columns_{columns} {}

    std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;

private:
    [[nodiscard]] std::string verbs(const CLI::App& app) const;
    [[nodiscard]] std::string options(const CLI::App& app) const;
    [[nodiscard]] std::string entry(const std::string& left, const std::string& text) const;
    [[nodiscard]] std::string paragraph(const std::string& text) const;

    std::size_t columns_;
};

/// "ghostctl policy set"
[[nodiscard]] std::string full_name(const CLI::App& app);

} // namespace egb::cli
