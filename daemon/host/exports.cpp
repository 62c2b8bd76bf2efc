// SPDX-License-Identifier: Apache-2.0
#include "host/exports.hpp"

#include "core/format.hpp"
#include "core/lines.hpp"
#include "host/file_reading.hpp"
#include "host/octal.hpp"
#include "host/path_walk.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <type_traits>
#include <utility>

namespace egb::host {

namespace {

constexpr std::uint64_t most_bytes = 1'048'576;

/// One that includes itself would be read for ever.
constexpr std::size_t most_files = 256;

/// What is not there says nothing.
template <typename Read>
std::invoke_result_t<Read, const Fd&> read_on(const MountRoot& machine, const std::string& path, Read read) {
    const auto spot = walk(machine, path, Links::followed_to_the_end);
    if (!spot && spot.error().code == ErrorCode::not_found) {
        return {};
    }
    if (!spot) {
        return std::unexpected(spot.error());
    }
    if (!spot->is_local) {
        return fail(ErrorCode::denied, "{} is on another machine", path);
    }
    return read(spot->fd);
}

Result<std::string> text_in(const Fd& file, const std::string& path) {
    return content_of(file, most_bytes + 1).and_then([&](std::string text) -> Result<std::string> {
        return text.size() > most_bytes ? fail(ErrorCode::invalid, "{} is too long", path)
                                        : Result<std::string>{std::move(text)};
    });
}

Result<std::string> text_on(const MountRoot& machine, const std::string& path) {
    return read_on(machine, path, [&path](const Fd& file) {
        return text_in(file, path);
    });
}

/// What is named like a file and is a folder, they pass over.
Result<std::string> settings_in(const MountRoot& machine, const std::string& path) {
    return read_on(machine, path, [&path](const Fd& file) {
        const auto status = status_of(file);
        const bool is_folder = status && status->type == FileType::directory;
        return is_folder ? Result<std::string>{} : text_in(file, path);
    });
}

/// Those that the programs of NFS read: of all of their versions, some of which ask for no ending.
Result<std::vector<NfsFile>> drop_ins_in(const MountRoot& machine, const std::string& path) {
    const auto names = read_on(machine, path, names_in);
    return names.transform([&path](const std::vector<std::string>& all) {
        std::vector<NfsFile> files;
        for (const std::string& name : all) {
            if (!name.starts_with('.')) {
                files.push_back({.path = formatted("{}/{}", path, name)});
            }
        }
        return files;
    });
}

} // namespace

std::vector<std::string> exported_folders(std::string_view table) {
    std::vector<std::string> folders;
    for (const auto line : lines_of(table)) {
        const auto folder = line.substr(0, line.find_first_of(" \t"));
        if (folder.starts_with('/')) {
            folders.push_back(without_octal(folder));
        }
    }
    return folders;
}

Result<bool> Exports::cover(const Site& site) {
    return refresh().transform([&] {
        return std::ranges::any_of(sites_, [&site](const Site& folder) {
            return is_below(site, folder);
        });
    });
}

Result<> Exports::refresh() {
    const auto machine = roots_.open(0);
    auto sources = machine ? sources_on(*machine) : std::unexpected(machine.error());
    if (!sources) {
        return std::unexpected(sources.error());
    }
    if (read_by_ == *sources) {
        return {};
    }
    read_by_.reset();
    sites_.clear();
    return add_all(*machine, *sources).transform([&](bool are_all_there) {
        if (are_all_there) { // else what is missing may come
            read_by_ = std::move(*sources);
        }
    });
}

Result<Exports::Sources> Exports::sources_on(const MountRoot& machine) const {
    auto settings = settings_on(machine);
    if (!settings) {
        return std::unexpected(settings.error());
    }
    settings->states.push_back(places_.state);
    settings->roots.emplace_back();
    Sources sources{.roots = std::move(settings->roots), .tables = {}, .mounts = machine.mounts()};
    for (const std::string& state : settings->states) {
        auto table = text_on(machine, state + "/etab");
        if (!table) {
            return std::unexpected(table.error());
        }
        sources.tables.push_back(*std::move(table));
    }
    return sources;
}

Result<std::vector<NfsFile>> Exports::settings_files_on(const MountRoot& machine) const {
    std::vector<NfsFile> files;
    for (const std::string& file : places_.settings) {
        files.push_back({.path = file});
        auto more = drop_ins_in(machine, file + ".d");
        if (!more) {
            return std::unexpected(more.error());
        }
        std::ranges::move(*more, std::back_inserter(files));
    }
    return files;
}

Result<NfsSettings> Exports::settings_on(const MountRoot& machine) const {
    auto files = settings_files_on(machine);
    if (!files) {
        return std::unexpected(files.error());
    }
    NfsSettings settings;
    for (std::size_t next = 0; next < files->size(); ++next) {
        if (next == most_files) {
            return fail(ErrorCode::invalid, "{} leads to more than {} files", files->front().path,
                        most_files);
        }
        const NfsFile file = (*files)[next];
        const auto text = settings_in(machine, file.path);
        if (!text) {
            return std::unexpected(text.error());
        }
        add_settings(settings, file, *text);
        std::ranges::move(std::exchange(settings.includes, {}), std::back_inserter(*files));
    }
    return settings;
}

/// Whether all that is named is there.
Result<bool> Exports::add_all(const MountRoot& machine, const Sources& sources) {
    bool are_all_there = true;
    for (const std::string& table : sources.tables) {
        for (const std::string& folder : exported_folders(table)) {
            for (const std::string& root : sources.roots) {
                const auto added = add(machine, sources.mounts, root + folder);
                if (!added && added.error().code != ErrorCode::not_found) {
                    return std::unexpected(added.error());
                }
                are_all_there = are_all_there && added;
            }
        }
    }
    return are_all_there;
}

/// What is mounted below it may be exported with it.
Result<> Exports::add(const MountRoot& machine, const std::vector<MountPoint>& mounts,
                      const std::string& folder) {
    const auto spot = walk(machine, folder, Links::followed_to_the_end);
    if (!spot) {
        return std::unexpected(spot.error());
    }
    if (spot->is_local) {
        sites_.push_back(spot->site);
    }
    for (const MountPoint& mount : mounts) {
        if (is_below(mount.path, spot->path)) {
            sites_.push_back({.device = mount.device, .path = mount.root});
        }
    }
    return {};
}

} // namespace egb::host
