// SPDX-License-Identifier: Apache-2.0
#include "config/config.hpp"
#include "config/files.hpp"
#include "config/syntax.hpp"
#include "core/format.hpp"
#include "core/lines.hpp"
#include "core/utf8.hpp"

#include <fcntl.h>
#include <stdlib.h> // NOLINT(modernize-deprecated-headers): mkostemp() is POSIX
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace egb::config {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view preamble =
    "# Kept by eghostbusterd for SetPolicy (ghostctl policy), and read after all other configuration.\n"
    "# An empty assignment stands before each value, so that a list is replaced and not added to.\n";

/// A file in the making. It takes its place whole, or leaves no trace.
class Draft {
public:
    explicit Draft(const fs::path& target)
        : target_{target},
          name_{(target.parent_path() / formatted(".{}.XXXXXX", target.filename().string())).string()},
          fd_{::mkostemp(name_.data(), O_CLOEXEC)} {}
    Draft(const Draft&) = delete;
    Draft& operator=(const Draft&) = delete;
    ~Draft() {
        if (fd_ >= 0) {
            ::close(fd_);
            ::unlink(name_.c_str());
        }
    }

    [[nodiscard]] Result<> replace_with(std::string_view text) {
        if (fd_ < 0 || !write(text) || ::fchmod(fd_, mode) != 0 || ::fsync(fd_) != 0 ||
            ::rename(name_.c_str(), target_.c_str()) != 0) {
            return fail_errno(target_.string());
        }
        ::close(std::exchange(fd_, -1));
        return sync_folder();
    }

private:
    static constexpr mode_t mode = 0644;

    [[nodiscard]] bool write(std::string_view text) const {
        while (!text.empty()) {
            const auto written = ::write(fd_, text.data(), text.size());
            if (written < 0 && errno != EINTR) {
                return false;
            }
            text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
        }
        return true;
    }

    /// Until then a power failure may bring the old file back.
    [[nodiscard]] Result<> sync_folder() const {
        const int folder = ::open(target_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const bool synced = folder >= 0 && ::fsync(folder) == 0;
        const int error = errno;
        ::close(folder);
        return synced ? Result<>{} : fail_errno(target_.parent_path().string(), error);
    }

    fs::path target_;
    std::string name_;
    int fd_;
};

bool is_name(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '_';
    });
}

/// Whether the value comes back from the file as what it is, and as nothing else.
bool is_one_line(std::string_view name, std::string_view value) {
    const auto statements = parse(formatted("[x]\n{}={}\n[y]\n", name, value));
    return statements && statements->size() == 3 && (*statements)[1].value == value;
}

Result<> check(std::string_view section, const std::map<std::string, std::string>& values) {
    if (!is_name(section)) {
        return fail(ErrorCode::invalid, "[{}] cannot be a section", printable(section));
    }
    for (const auto& [name, value] : values) {
        if (!is_name(name) || !is_one_line(name, value)) {
            return fail(ErrorCode::invalid, "{}={} cannot be written into a file", printable(name),
                        printable(value));
        }
    }
    return {};
}

/// The text with every statement about one of the values taken out, and all of them put where the section
/// ends.
class Edit {
public:
    Edit(std::string_view text, std::vector<Statement> statements, std::string_view section)
        : section_{section}, statements_{std::move(statements)}, lines_{lines_of(text)} {
        std::erase_if(statements_, [section](const Statement& statement) {
            return statement.section != section;
        });
    }

    [[nodiscard]] std::string with(const std::map<std::string, std::string>& values) const {
        std::string text;
        const auto section_end = statements_.empty() ? 0 : statements_.back().last_line;
        for (std::size_t number = 1; number <= lines_.size(); ++number) {
            if (!is_about(number, values)) {
                text += formatted("{}\n", lines_[number - 1]);
            }
            if (number == section_end) {
                text += assignments(values);
            }
        }
        return section_end > 0 ? text : text + formatted("\n[{}]\n", section_) + assignments(values);
    }

private:
    [[nodiscard]] bool is_about(std::size_t number, const std::map<std::string, std::string>& values) const {
        return std::ranges::any_of(statements_, [&](const Statement& statement) {
            return number >= statement.first_line && number <= statement.last_line &&
                   values.contains(statement.name);
        });
    }

    static std::string assignments(const std::map<std::string, std::string>& values) {
        std::string text;
        for (const auto& [name, value] : values) {
            text += formatted("{}=\n", name);
            if (!value.empty()) {
                text += formatted("{}={}\n", name, value);
            }
        }
        return text;
    }

    std::string_view section_;
    std::vector<Statement> statements_;
    std::vector<std::string_view> lines_;
};

Result<std::string> current_text(const fs::path& policy_file) {
    auto text = read_file(policy_file);
    if (!text && text.error().code == ErrorCode::not_found) {
        return std::string{preamble};
    }
    return text;
}

} // namespace

Result<> save_policy(const fs::path& policy_file, std::string_view section,
                     const std::map<std::string, std::string>& values) {
    if (auto good = check(section, values); !good) {
        return good;
    }
    const auto text = current_text(policy_file);
    if (!text) {
        return std::unexpected(text.error());
    }
    auto statements = parse(*text);
    if (!statements) {
        return fail(statements.error().code, "{}:{}", policy_file.string(), statements.error().message);
    }
    const auto edited = Edit{*text, std::move(*statements), section}.with(values);
    return Draft{policy_file}.replace_with(edited);
}

} // namespace egb::config
