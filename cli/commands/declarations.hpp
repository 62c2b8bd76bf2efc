// SPDX-License-Identifier: Apache-2.0
// What catalog.cpp needs of each verb's file, and nobody else.
#pragma once

#include "commands/verb.hpp"

namespace egb::cli {

[[nodiscard]] Action declare_clean(CLI::App& app);
[[nodiscard]] Action declare_doctor(CLI::App& app);
[[nodiscard]] Action declare_explain(CLI::App& app);
[[nodiscard]] Action declare_history(CLI::App& app);
[[nodiscard]] Action declare_hold(CLI::App& app);
[[nodiscard]] Action declare_ignore(CLI::App& app);
[[nodiscard]] Action declare_kinds(CLI::App& app);
[[nodiscard]] Action declare_list(CLI::App& app);
[[nodiscard]] Action declare_pause(CLI::App& app);
[[nodiscard]] Action declare_policy(CLI::App& app);
[[nodiscard]] Action declare_quarantine(CLI::App& app);
[[nodiscard]] Action declare_reload(CLI::App& app);
[[nodiscard]] Action declare_restore(CLI::App& app);
[[nodiscard]] Action declare_resume(CLI::App& app);
[[nodiscard]] Action declare_scan(CLI::App& app);
[[nodiscard]] Action declare_show(CLI::App& app);
[[nodiscard]] Action declare_status(CLI::App& app);
[[nodiscard]] Action declare_trace(CLI::App& app);
[[nodiscard]] Action declare_version(CLI::App& app);
[[nodiscard]] Action declare_watch(CLI::App& app);
[[nodiscard]] Action declare_who_owns(CLI::App& app);

} // namespace egb::cli
