// SPDX-License-Identifier: Apache-2.0
// The configuration files, in systemd's syntax:
//   /usr/lib/eghostbuster/eghostbuster.conf, or /etc/... in its place
//   *.conf of eghostbuster.conf.d in /usr/lib, /run and /etc, sorted by name; the same name in /etc masks
//   /run, which masks /usr/lib; an empty file, or a link to /dev/null, masks without saying anything itself
//   policy.conf in the state directory, where SetPolicy keeps what it was told to keep
// Later assignments win. An empty one puts the default back. Lists, as everywhere in systemd, are added to,
// and begin with their default: a drop-in that protects one unit more protects none less. An empty assignment
// makes a list empty. A wrong value, an unknown section or an unknown name refuses the whole, so that a
// typing mistake never becomes a policy.
// Beside them the lists of a section, /usr/share/eghostbuster/SECTION/NAME.list and the same in /etc: they
// are added to what is compiled in. There a line that cannot be meant is refused alone, for each of the
// others may be what keeps a file from being taken for a ghost.
#pragma once

#include "core/option.hpp"
#include "core/result.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace egb::config {

/// A section that may stand in the files, and its options: a kind's section has the common ones before its
/// own.
struct Section {
    std::string name;
    std::vector<OptionSpec> options;
    std::vector<ListSpec> lists{};
};

/// All sections of this build. Must outlive each Config that is read by it.
using Schema = std::vector<Section>;

/// Where to look.
struct Paths {
    /// From the least to the most important: /usr/lib/eghostbuster, /run/eghostbuster, /etc/eghostbuster.
    std::vector<std::filesystem::path> directories;
    std::filesystem::path policy_file;          ///< read last; may be absent
    std::vector<std::filesystem::path> lists{}; ///< with a folder for each section that has some

    /// The root is for tests; it goes before the directories, and not before the state directory.
    [[nodiscard]] static Paths standard(const std::filesystem::path& state_directory,
                                        const std::filesystem::path& root = "/");
};

class Config {
public:
    /// All defaults.
    explicit Config(const Schema& schema);

    /// Throws std::out_of_range when there is no such section: that would be a mistake of ours.
    [[nodiscard]] const OptionValues& section(std::string_view name) const;

    /// Gives an option this value, whatever it had. Empty text is the default, or the empty list.
    /// A failure names what was expected, or what the caller may have meant.
    Result<> set(std::string_view section, std::string_view name, std::string_view text);

    /// What a line in a file does: the same, but that a list is added to.
    Result<> assign(std::string_view section, std::string_view name, std::string_view text);

    [[nodiscard]] Result<> check_section(std::string_view name) const;

    /// What stands in a file for that list counts, too; what cannot be meant is in mistakes(), with its
    /// place.
    void read_list(std::string_view section, const ListSpec& list, const std::filesystem::path& path);

    [[nodiscard]] const std::vector<std::string>& mistakes() const { return mistakes_; }

    bool operator==(const Config&) const = default;

private:
    [[nodiscard]] Result<const OptionSpec*> find(std::string_view section, std::string_view name) const;

    std::map<std::string, OptionValues, std::less<>> sections_;
    std::vector<std::string> mistakes_;
};

/// Reads everything, or nothing: a failure's message begins with FILE:LINE, or with FILE when there was no
/// reading it.
[[nodiscard]] Result<Config> load(const Schema& schema, const Paths& paths);

/// Writes name=text into a section of the policy file, atomically, keeping what else is in it. The texts are
/// the whole values, of lists as well.
[[nodiscard]] Result<> save_policy(const std::filesystem::path& policy_file, std::string_view section,
                                   const std::map<std::string, std::string>& values);

} // namespace egb::config
