// SPDX-License-Identifier: Apache-2.0
// The real daemon in a process of its own, with the kind `fake` in place of those of the catalog: its things
// are files in a folder of ours.
#pragma once

#include "contract/private_bus.hpp"
#include "harness/temp_folder.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace egb::test {

class RunningDaemon {
public:
    /// Returns when it owns its name; throws, with its log, when it ends before that.
    RunningDaemon(const PrivateBus& bus, std::string_view configuration);
    /// Kills what has not been stopped.
    ~RunningDaemon();
    RunningDaemon(const RunningDaemon&) = delete;
    RunningDaemon& operator=(const RunningDaemon&) = delete;

    /// A file, and so a ghost. `content` as in harness/directory_kind.hpp.
    std::filesystem::path plant(const std::string& name, std::string_view content = "") const;

    void configure(std::string_view configuration) const;

    /// A file where the daemon looks for the system's, such as etc/systemd/system/app.service.
    std::filesystem::path write_system_file(const std::filesystem::path& relative,
                                            std::string_view text) const;

    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] std::string log() const;

    /// The exit code, once it ends by itself; nothing when it does not, or was killed.
    [[nodiscard]] std::optional<int> wait();

    /// Asks it to end, as systemd does.
    [[nodiscard]] std::optional<int> stop();

private:
    [[nodiscard]] bool has_ended();

    TempFolder folder_;
    std::filesystem::path things_;
    pid_t pid_{};
    std::optional<int> status_; ///< as waitpid() gave it
};

} // namespace egb::test
