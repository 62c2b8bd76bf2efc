// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/disclaimer.hpp"

#include "kinds/lockfile/lockfile.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>

namespace egb::lockfile {

namespace {

/// The first that applies is told.
struct Reason {
    std::string_view name;
    std::string_view text;
    bool (*applies)(const AskedFile& file, const Circumstances& circumstances);
};

bool is_older(const AskedFile& file, const Circumstances& circumstances) {
    return file.id.born_ns != 0 &&
           WallTime{std::chrono::duration_cast<std::chrono::microseconds>(Span{file.id.born_ns})} <
               circumstances.started;
}

constexpr std::array reasons{
    Reason{"no-name", "it has no name any more, and a lock that nobody can find keeps nobody out",
           [](const AskedFile& file, const Circumstances&) {
               return file.name.empty();
           }},
    Reason{"data-file", "files of that name are data, and no locks (DataFiles=, and what is known anyway)",
           [](const AskedFile& file, const Circumstances& circumstances) {
               return circumstances.names.is_data(file.name);
           }},
    Reason{"other-name", "its name is none of those that locks have (Patterns=)",
           [](const AskedFile& file, const Circumstances& circumstances) {
               return !circumstances.names.may_be_lock(file.name);
           }},
    Reason{"advisory",
           "it is locked by flock or fcntl, and was not seen to be created exclusively: that it exists means "
           "nothing",
           [](const AskedFile& file, const Circumstances&) {
               return file.is_locked;
           }},
    Reason{"file-system",
           "it is on a file system on which the mechanism in use does not see that files are made (See=)",
           [](const AskedFile&, const Circumstances& circumstances) {
               return !circumstances.is_seen_there;
           }},
    Reason{"older", "it was made before the daemon was started, and was not among what was known by then",
           is_older},
    Reason{"users-mounts",
           "who has it open lives in a mount namespace that a user has made for himself, where it is not "
           "looked at",
           [](const AskedFile&, const Circumstances& circumstances) {
               return !circumstances.is_followed();
           }},
    Reason{
        "not-exclusive",
        "it was not seen to be created by a call that fails when there is one already, or its user has too "
        "many locks, or it is no longer in its place",
        [](const AskedFile&, const Circumstances&) {
            return true;
        }},
};

} // namespace

std::optional<Disclaimer> disclaimer_of(const AskedFile& file, const Circumstances& circumstances) {
    if (file.type == FileType::other) {
        return std::nullopt;
    }
    const auto* const reason = std::ranges::find_if(reasons, [&](const Reason& one) {
        return one.applies(file, circumstances);
    });
    return Disclaimer{.kind = &info(), .reason = reason->name, .text = std::string{reason->text}};
}

} // namespace egb::lockfile
