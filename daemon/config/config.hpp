// SPDX-License-Identifier: Apache-2.0
// The configuration files, in systemd's syntax:
//   /usr/lib/eghostbuster/eghostbuster.conf, or /etc/... in its place
//   *.conf of eghostbuster.conf.d in /usr/lib, /run and /etc, sorted by name; the same name in /etc masks /run,
//   which masks /usr/lib
//   policy.conf in the state directory, where SetPolicy keeps what it was told to keep
// Later files win, value by value. An empty value puts the default back. A wrong value, an unknown section or an
// unknown name refuses the whole with "FILE:LINE: reason", so that a typing mistake never becomes a policy.
#pragma once

#include "core/option.hpp"
#include "core/result.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace egb::config {

/// A section that may stand in the files, and its options: a kind's section has the common ones before its own.
struct Section {
    std::string name;
    std::vector<OptionSpec> options;
};

/// All sections of this build. Must outlive each Config that is read by it.
using Schema = std::vector<Section>;

/// Where to look, from the least to the most important. A root for tests goes before all of them.
struct Paths {
    std::vector<std::filesystem::path> directories; ///< /usr/lib/eghostbuster, /run/eghostbuster, /etc/eghostbuster
    std::filesystem::path policy_file;              ///< read last; may be absent

    [[nodiscard]] static Paths standard(const std::filesystem::path& state_directory);
};

class Config {
public:
    /// All defaults.
    explicit Config(const Schema& schema);

    [[nodiscard]] const OptionValues& section(std::string_view name) const { return sections_.at(name); }

    Result<> set(std::string_view section, std::string_view name, std::string_view text);

    bool operator==(const Config&) const = default;

private:
    std::map<std::string, OptionValues, std::less<>> sections_;
};

/// Reads everything, or nothing: a failure's message begins with FILE:LINE.
[[nodiscard]] Result<Config> load(const Schema& schema, const Paths& paths);

/// Writes name=text into a section of the policy file, atomically, keeping what else is in it.
[[nodiscard]] Result<> save_policy(const std::filesystem::path& policy_file, std::string_view section,
                                   const std::map<std::string, std::string>& values);

} // namespace egb::config
