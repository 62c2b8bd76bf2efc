// SPDX-License-Identifier: Apache-2.0
#include "restorer.hpp"

#include "core/format.hpp"
#include "core/utf8.hpp"

namespace egb {

Result<std::string> Restorer::restore(GhostId ghost) {
    return quarantine_.find(ghost).and_then([this](const Ward& ward) -> Result<std::string> {
        if (ward.custody == Custody::kept) {
            return make_again(ward);
        }
        return recover(ward).and_then([&](host::Whereabouts whereabouts) {
            return whereabouts == host::Whereabouts::in_place ? Result<std::string>{ward.file.path}
                                                              : make_again(ward);
        });
    });
}

Result<std::string> Restorer::make_again(const Ward& ward) {
    return sys_.restore_file(ward.file).transform([&](std::string path) {
        // A row that stays is refused the next time, because the file is there.
        [[maybe_unused]] const auto dropped = quarantine_.drop(ward.ghost);
        return path;
    });
}

/// What cannot be written down now is found out again.
Result<host::Whereabouts> Restorer::recover(const Ward& ward) {
    auto whereabouts = sys_.recover_file(ward.file);
    if (whereabouts) {
        [[maybe_unused]] const auto noted = *whereabouts == host::Whereabouts::in_place
                                                ? quarantine_.drop(ward.ghost)
                                                : quarantine_.settle(ward.ghost);
    } else if (whereabouts.error().code == ErrorCode::not_found ||
               whereabouts.error().code == ErrorCode::lost) {
        [[maybe_unused]] const auto noted = quarantine_.give_up(ward.ghost);
    }
    return whereabouts;
}

std::vector<std::string> Restorer::recover() {
    const auto wards = quarantine_.underway();
    if (!wards) {
        return {formatted("Whether files were left half way is not known: {}", wards.error().message)};
    }
    std::vector<std::string> told;
    for (const Ward& ward : *wards) {
        const auto path = printable(ward.file.path);
        const auto whereabouts = recover(ward);
        if (!whereabouts) {
            told.push_back(
                formatted("{} was left half way into quarantine, and may be {} in its directory: {}", path,
                          ward.file.hidden_name, whereabouts.error().message));
        } else if (*whereabouts == host::Whereabouts::in_place) {
            told.push_back(formatted("{} was left half way into quarantine, and is in its place", path));
        } else {
            told.push_back(formatted("{} was left half way into quarantine, and is there", path));
        }
    }
    return told;
}

} // namespace egb
