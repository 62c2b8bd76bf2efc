// SPDX-License-Identifier: Apache-2.0
// The container of packaging/image: its files are its own, the processes that it sees are the machine's.
#pragma once

#include "core/result.hpp"

#include <filesystem>

namespace egb::host {

/// The root directory of the machine, as such a container sees it: that of PID 1.
[[nodiscard]] std::filesystem::path root_of_machine();

/// Whether the machine's configuration is found below that root: an absolute link in it leads into the
/// container, where nothing is, and what the administrator has forbidden would be overlooked.
[[nodiscard]] Result<> links_stay_within(const std::filesystem::path& root);

/// Container engines relay to systemd little of what we say, and no descriptors; and they say of those that
/// systemd has kept for us that they are for PID 1 of the container. Puts both right in the environment.
/// Before there are threads, and before anybody asks.
void speak_to_systemd_directly();

} // namespace egb::host
