// SPDX-License-Identifier: Apache-2.0
#include "host/exports.hpp"

#include "core/lines.hpp"
#include "host/file_reading.hpp"
#include "host/octal.hpp"
#include "host/path_walk.hpp"

#include <algorithm>
#include <cstdint>

namespace egb::host {

namespace {

constexpr std::uint64_t most_bytes = 1'048'576;

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

void Exports::forget() {
    id_ = {};
    mounts_.clear();
    sites_.clear();
}

Result<> Exports::refresh() {
    const auto machine = roots_.open(0);
    if (!machine) {
        return std::unexpected(machine.error());
    }
    const auto table = walk(*machine, table_, Links::followed_to_the_end);
    if (!table && table.error().code == ErrorCode::not_found) {
        forget(); // nothing was ever exported
        return {};
    }
    if (!table) {
        return std::unexpected(table.error());
    }
    if (!table->is_local) {
        return fail(ErrorCode::denied, "{} is on another machine", table_);
    }
    return read(*machine, table->fd);
}

Result<> Exports::read(const MountRoot& machine, const Fd& table) {
    const auto status = status_of(table);
    if (!status) {
        return std::unexpected(status.error());
    }
    if (status->size == 0) {
        forget();
        return {};
    }
    auto mounts = machine.mounts();
    if (status->id == id_ && status->changed_ns == changed_ns_ && mounts == mounts_) {
        return {};
    }
    forget();
    const auto text = status->size > most_bytes ? fail(ErrorCode::invalid, "{} is too long", table_)
                                                : content_of(table, most_bytes);
    if (!text) {
        return std::unexpected(text.error());
    }
    mounts_ = std::move(mounts);
    bool are_all_there = true;
    for (const std::string& folder : exported_folders(*text)) {
        const auto added = add(machine, folder);
        if (!added && added.error().code != ErrorCode::not_found) {
            return added;
        }
        are_all_there = are_all_there && added;
    }
    id_ = are_all_there ? status->id : FileIdentity{}; // what is missing may come
    changed_ns_ = status->changed_ns;
    return {};
}

/// What is mounted below it may be exported with it.
Result<> Exports::add(const MountRoot& machine, const std::string& folder) {
    const auto spot = walk(machine, folder, Links::followed_to_the_end);
    if (!spot) {
        return std::unexpected(spot.error());
    }
    if (spot->is_local) {
        sites_.push_back(spot->site);
    }
    for (const MountPoint& mount : mounts_) {
        if (is_below(mount.path, spot->path)) {
            sites_.push_back({.device = mount.device, .path = mount.root});
        }
    }
    return {};
}

} // namespace egb::host
