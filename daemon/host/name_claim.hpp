// SPDX-License-Identifier: Apache-2.0
// Takes its name from a file, so that nobody finds it any more, and gives it back or lets it go. Until that
// is clear the name is never free: whoever took a lock of that name meanwhile, and whoever is about to, would
// both have it.
//
// A link that leads nowhere stands in for the file. Nobody can open it, make something of its name, or tell
// it from a lock that is just going; and whoever takes the lock over from a dead owner removes or replaces
// it, as he would have done with the lock. So the name must only be let go while the link has it, which no
// call of the kernel does. The link changes places with something of another kind, and that is what is
// removed: no call that removes one of these can ever hit a lock that has come in between.
#pragma once

#include "core/result.hpp"
#include "host/file_place.hpp"

#include <string>

namespace egb::host {

class NameClaim {
public:
    /// Of what is called so there, and is of that type; meanwhile it has the hidden name.
    NameClaim(const FilePlace& place, std::string hidden, FileType type);

    /// The stand-in is the same user's. What has been claimed may be another file by now than what was looked
    /// at. `not_found` when nothing has the name; `unsupported` where two names cannot change places.
    [[nodiscard]] Result<> take(const FileStatus& like) const;

    /// `busy` when somebody has taken the name meanwhile: what was claimed keeps its hidden name then.
    /// `not_found` when that was removed.
    [[nodiscard]] Result<> give_back() const;

    /// From here on the name is free, or that of whoever has taken it meanwhile. What was claimed still has
    /// its hidden name.
    [[nodiscard]] Result<> let_go() const;

    /// Whether somebody who was interrupted has left something there.
    [[nodiscard]] Result<bool> is_underway() const;

    /// Puts everything back where it was, however far it had come.
    [[nodiscard]] Result<> undo() const;

private:
    [[nodiscard]] Result<> put_stand_in(const FileStatus& like) const;
    [[nodiscard]] Result<> give_stand_in(const FileStatus& like) const;
    [[nodiscard]] Result<bool> has_stand_in(const std::string& name) const;
    [[nodiscard]] Result<> exchange_back() const;
    [[nodiscard]] Result<> exchange_for_a_folder() const;
    [[nodiscard]] Result<> remove_folder() const;

    const FilePlace& place_;
    std::string hidden_;
    std::string freeing_; ///< hidden, too: what the folder is called by which the name is let go
    FileType type_;
};

} // namespace egb::host
