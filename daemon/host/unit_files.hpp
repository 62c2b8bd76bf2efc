// SPDX-License-Identifier: Apache-2.0
// What the unit files of the system manager say in sections that systemd itself leaves alone, which are those
// whose names begin with X-. Read from the files and not asked of systemd, which keeps nothing of them.
//
// A snapshot of which files there are: one look at the directories answers for any number of units. What is
// in the files is read at each question. Reading blocks, for as long as a local file system does.
#pragma once

#include "core/result.hpp"
#include "host/unit_name.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace egb::host {

/// NAME=VALUE in one of a unit's files.
struct UnitAssignment {
    std::string name;
    std::string value;
    std::filesystem::path file;
};

class UnitFiles {
public:
    /// Looks into the directories of systemd.unit(5), below `root`. One that is not there is empty; one that
    /// cannot be listed is a failure.
    [[nodiscard]] static Result<UnitFiles> list(const std::filesystem::path& root);

    /// What a section says in the unit's file and then in its drop-ins, in the order in which systemd would
    /// have it count: a later assignment wins. Nothing for a unit without files. A failure names the file
    /// that cannot be read.
    [[nodiscard]] Result<std::vector<UnitAssignment>> section(std::string_view unit,
                                                              std::string_view section) const;

private:
    struct Directory {
        std::filesystem::path path;
        std::set<std::string, std::less<>> drop_ins; ///< each NAME of which there is a NAME.d
    };

    struct File {
        std::filesystem::path path;
        std::optional<UnitName> alias_of; ///< when this is but another name of a unit: that unit
    };

    class SearchPath;

    UnitFiles() = default;

    [[nodiscard]] Result<> look_into(Directory& directory, const SearchPath& search_path);
    void add_file(const std::filesystem::directory_entry& file, const SearchPath& search_path);
    [[nodiscard]] const File* fragment_of(const UnitName& unit) const;
    [[nodiscard]] std::vector<UnitName> names_of(const UnitName& unit) const;
    [[nodiscard]] std::vector<std::filesystem::path> drop_in_folders_of(const UnitName& unit) const;

    std::vector<Directory> directories_; ///< the most important first
    std::map<std::string, File, std::less<>> files_;
    std::multimap<std::string, UnitName> aliases_; ///< another name of the same unit, both ways
};

} // namespace egb::host
