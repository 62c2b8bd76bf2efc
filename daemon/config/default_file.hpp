// SPDX-License-Identifier: Apache-2.0
// The configuration file that a distribution installs: every option, its help, and its default, commented
// out.
#pragma once

#include "config/config.hpp"

#include <string>

namespace egb::config {

/// units/eghostbuster.conf is this for the real schema, and a test compares the two.
[[nodiscard]] std::string render_defaults(const Schema& schema);

} // namespace egb::config
