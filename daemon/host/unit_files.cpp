// SPDX-License-Identifier: Apache-2.0
#include "host/unit_files.hpp"

#include "core/lines.hpp"
#include "core/utf8.hpp"
#include "host/fd.hpp"
#include "host/procfs.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <deque>
#include <iterator>
#include <optional>
#include <ranges>
#include <system_error>
#include <utility>

namespace egb::host {

namespace {

namespace fs = std::filesystem;

/// As `systemd-analyze unit-paths` has them, and the one of systems on which /lib is not /usr/lib.
constexpr std::array<std::string_view, 13> directories_of_units{
    "etc/systemd/system.control",   "run/systemd/system.control",  "run/systemd/transient",
    "run/systemd/generator.early",  "etc/systemd/system",          "etc/systemd/system.attached",
    "run/systemd/system",           "run/systemd/system.attached", "run/systemd/generator",
    "usr/local/lib/systemd/system", "usr/lib/systemd/system",      "lib/systemd/system",
    "run/systemd/generator.late",
};

constexpr std::size_t most_bytes = 1'048'576; // systemd takes no longer line either
constexpr int most_links = 8;
constexpr std::string_view line_ends{"\n\r\0", 3};

/// For messages: file names have no encoding.
std::string shown(const fs::path& path) {
    return printable(path.string());
}

Result<std::string> read_file(const fs::path& path) {
    // Without waiting: a FIFO would have us wait for its writer.
    const Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    struct stat status{};
    if (!file || ::fstat(file.get(), &status) != 0) {
        return fail_errno(shown(path));
    }
    if (S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3)) {
        return {}; // a link to /dev/null
    }
    if (!S_ISREG(status.st_mode)) {
        return fail(ErrorCode::invalid, "{}: it is not a file", shown(path));
    }
    std::string text;
    std::array<char, 16'384> block{};
    while (text.size() <= most_bytes) {
        const auto got = ::read(file.get(), block.data(), block.size());
        if (got == 0) {
            return text;
        }
        if (got > 0) {
            text.append(block.data(), static_cast<std::size_t>(got));
        } else if (errno != EINTR) {
            return fail_errno(shown(path));
        }
    }
    return fail(ErrorCode::invalid, "{}: it has more than {} bytes", shown(path), most_bytes);
}

/// Takes a line off the front of the text.
std::string_view take_line(std::string_view& text) {
    const auto end = std::min(text.find_first_of(line_ends), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(end);
    text.remove_prefix(text.starts_with("\r\n") ? 2 : std::min<std::size_t>(text.size(), 1));
    return line;
}

bool is_comment(std::string_view line) {
    const auto text = trimmed(line);
    return text.starts_with('#') || text.starts_with(';');
}

/// An even number of backslashes is as many of them, escaped.
bool goes_on(std::string_view line) {
    return (line.size() - (line.find_last_not_of('\\') + 1)) % 2 == 1;
}

/// Reads one section of a file that is not ours: what is odd in the other sections is none of our business,
/// as long as systemd goes on reading. The parser of our own configuration (config/syntax.hpp) lets nothing
/// pass.
class SectionReader {
public:
    SectionReader(std::string_view section, const fs::path& file, std::vector<UnitAssignment>& assignments)
        : section_{section}, file_{file}, assignments_{assignments} {}

    [[nodiscard]] Result<> read(std::string_view text) {
        text = without_byte_order_mark(text);
        std::string statement;
        while (!text.empty()) {
            const auto line = take_line(text);
            if (is_comment(line)) {
                continue;
            }
            if (goes_on(line)) {
                statement.append(line.substr(0, line.size() - 1)).append(" ");
                continue;
            }
            statement.append(line);
            if (auto taken = take(trimmed(statement)); !taken) {
                return taken;
            }
            statement.clear();
        }
        return take(trimmed(statement));
    }

private:
    [[nodiscard]] Result<> take(std::string_view statement) {
        if (statement.starts_with('[')) {
            return take_heading(statement);
        }
        if (!inside_ || statement.empty()) {
            return {};
        }
        const auto equals = statement.find('=');
        if (equals == std::string_view::npos) {
            return wrong(statement);
        }
        assignments_.push_back({.name = std::string{trimmed(statement.substr(0, equals))},
                                .value = std::string{trimmed(statement.substr(equals + 1))},
                                .file = file_});
        return {};
    }

    /// A heading without its end is where systemd gives a file up.
    [[nodiscard]] Result<> take_heading(std::string_view statement) {
        if (!statement.ends_with(']')) {
            return wrong(statement);
        }
        inside_ = statement.substr(1, statement.size() - 2) == section_;
        return {};
    }

    [[nodiscard]] std::unexpected<Error> wrong(std::string_view statement) const {
        constexpr std::size_t enough = 60;
        return fail(ErrorCode::invalid, "{}: a line of it makes no sense: {}", shown(file_),
                    printable(statement.substr(0, enough)));
    }

    std::string_view section_;
    const fs::path& file_;
    std::vector<UnitAssignment>& assignments_;
    bool inside_{};
};

Result<> read_section(std::string_view section, const fs::path& file,
                      std::vector<UnitAssignment>& assignments) {
    return read_file(file).and_then([&](const std::string& text) {
        return SectionReader{section, file, assignments}.read(text);
    });
}

/// A file of the same name in a folder that was added before hides this one.
Result<> add_drop_ins(const fs::path& folder, std::map<std::string, fs::path>& found) {
    std::error_code error;
    fs::directory_iterator entries{folder, error};
    if (error == std::errc::not_a_directory) {
        return {};
    }
    for (; !error && entries != fs::directory_iterator{}; entries.increment(error)) {
        const auto& path = entries->path();
        const auto name = path.filename().string();
        if (name.ends_with(".conf") && !name.starts_with('.')) {
            found.try_emplace(name, path);
        }
    }
    return error ? fail_errno(shown(folder), error.value()) : Result<>{};
}

/// Links are followed.
std::optional<FileNumber> number_of(const fs::path& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) {
        return std::nullopt;
    }
    return FileNumber{.device = status.st_dev, .inode = status.st_ino};
}

} // namespace

/// The directories below a root.
class UnitFiles::SearchPath {
public:
    explicit SearchPath(fs::path root) : root_{std::move(root)} {
        for (const auto directory : directories_of_units) {
            auto path = root_ / directory;
            const auto number = number_of(path);
            // The same one may be there by two names.
            if (!number || numbers_.insert(*number).second) {
                paths_.push_back(std::move(path));
            }
        }
    }

    [[nodiscard]] const std::vector<fs::path>& paths() const { return paths_; }

    /// The name that a link in one of the directories leads to, when that is in one of them, too. All other
    /// links lead to a file from elsewhere, or to /dev/null.
    [[nodiscard]] std::optional<UnitName> alias_target(const fs::path& link) const {
        std::error_code error;
        const auto text = fs::read_symlink(link, error);
        if (error) {
            return std::nullopt;
        }
        const auto target = text.is_absolute() ? root_ / text.relative_path() : link.parent_path() / text;
        const auto folder = number_of(target.parent_path());
        if (target.filename() == link.filename() || !folder || !numbers_.contains(*folder)) {
            return std::nullopt;
        }
        return UnitName::parse(target.filename().string());
    }

private:
    fs::path root_;
    std::vector<fs::path> paths_;
    std::set<FileNumber> numbers_;
};

Result<UnitFiles> UnitFiles::list(const fs::path& root) {
    UnitFiles files;
    const SearchPath search_path{root};
    for (const auto& path : search_path.paths()) {
        Directory directory{.path = path, .drop_ins = {}};
        if (auto done = files.look_into(directory, search_path); !done) {
            return std::unexpected(std::move(done.error()));
        }
        files.directories_.push_back(std::move(directory));
    }
    return files;
}

Result<> UnitFiles::look_into(Directory& directory, const SearchPath& search_path) {
    constexpr std::string_view drop_in_suffix{".d"};
    std::error_code error;
    fs::directory_iterator entries{directory.path, error};
    if (error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory) {
        return {};
    }
    for (; !error && entries != fs::directory_iterator{}; entries.increment(error)) {
        auto name = entries->path().filename().string();
        if (name.ends_with(drop_in_suffix)) {
            name.resize(name.size() - drop_in_suffix.size());
            directory.drop_ins.insert(std::move(name));
        } else {
            add_file(*entries, search_path);
        }
    }
    return error ? fail_errno(shown(directory.path), error.value()) : Result<>{};
}

void UnitFiles::add_file(const fs::directory_entry& file, const SearchPath& search_path) {
    const auto unit = UnitName::parse(file.path().filename().string());
    if (!unit) {
        return;
    }
    const auto [known, is_new] =
        files_.try_emplace(unit->text(), File{.path = file.path(), .alias_of = std::nullopt});
    std::error_code ignored;
    if (!is_new || !file.is_symlink(ignored)) {
        return;
    }
    if (const auto target = search_path.alias_target(file.path()); target && target->type == unit->type) {
        known->second.alias_of = *target;
        aliases_.emplace(unit->text(), *target);
        aliases_.emplace(target->text(), *unit);
    }
}

/// The unit's own name, and each other one under which it may have drop-ins. What a template is called, its
/// instances are, but for those that have a file of their own.
std::vector<UnitName> UnitFiles::names_of(const UnitName& unit) const {
    const auto has_file = [this](const UnitName& name) {
        const auto file = files_.find(name.text());
        return file != files_.end() && !file->second.alias_of;
    };
    std::vector<UnitName> names;
    std::deque<UnitName> candidates{unit};
    const auto consider_aliases_of = [&](const UnitName& name) {
        const auto [first, last] = aliases_.equal_range(name.text());
        for (const auto& alias : std::ranges::subrange{first, last} | std::views::values) {
            const bool of_template = alias.is_template() && unit.is_instance();
            auto other = of_template ? alias.with_instance(unit.instance) : alias;
            if (other.instance == unit.instance && !(of_template && has_file(other))) {
                candidates.push_back(std::move(other));
            }
        }
    };
    while (!candidates.empty()) {
        const auto name = std::move(candidates.front());
        candidates.pop_front();
        if (std::ranges::contains(names, name)) {
            continue;
        }
        names.push_back(name);
        consider_aliases_of(name);
        if (name.is_instance() && !files_.contains(name.text())) {
            consider_aliases_of(name.with_instance(""));
        }
    }
    return names;
}

/// The file of the unit itself; nothing when it has none, as a scope that is gone from /run.
const UnitFiles::File* UnitFiles::fragment_of(const UnitName& unit) const {
    const File* fragment = nullptr;
    std::optional name{unit};
    for (int links = 0; name && links <= most_links; ++links) {
        auto found = files_.find(name->text());
        if (found == files_.end() && name->is_instance()) {
            found = files_.find(name->with_instance("").text());
        }
        if (found == files_.end()) {
            return fragment;
        }
        fragment = &found->second;
        name = fragment->alias_of;
        if (name && name->is_template() && unit.is_instance()) {
            name = name->with_instance(unit.instance);
        }
    }
    return fragment;
}

/// What is of the unit itself goes before what is of its type; within both, the search path is the order.
std::vector<fs::path> UnitFiles::drop_in_folders_of(const UnitName& unit) const {
    std::vector<fs::path> folders;
    const auto add = [&](const std::vector<std::string>& names) {
        for (const auto& directory : directories_) {
            for (const auto& name : names) {
                if (directory.drop_ins.contains(name)) {
                    folders.push_back(directory.path / (name + ".d"));
                }
            }
        }
    };
    for (const auto& name : names_of(unit)) {
        add(drop_in_names(name));
    }
    add({unit.type});
    return folders;
}

Result<std::vector<UnitAssignment>> UnitFiles::section(std::string_view unit,
                                                       std::string_view section) const {
    std::vector<UnitAssignment> assignments;
    const auto name = UnitName::parse(unit);
    if (!name) {
        return assignments;
    }
    std::map<std::string, fs::path> drop_ins;
    for (const auto& folder : drop_in_folders_of(*name)) {
        if (auto added = add_drop_ins(folder, drop_ins); !added) {
            return std::unexpected(std::move(added.error()));
        }
    }
    std::vector<fs::path> files;
    if (const File* fragment = fragment_of(*name)) {
        files.push_back(fragment->path);
    }
    std::ranges::copy(drop_ins | std::views::values, std::back_inserter(files));
    for (const auto& file : files) {
        if (auto read = read_section(section, file, assignments); !read) {
            return std::unexpected(std::move(read.error()));
        }
    }
    return assignments;
}

} // namespace egb::host
