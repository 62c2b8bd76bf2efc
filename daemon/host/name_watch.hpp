// SPDX-License-Identifier: Apache-2.0
// Hears what happens to the names of files on the file systems of this machine, whoever does it and from
// whatever mount namespace. Owned by one kind; runs on the loop's thread.
#pragma once

#include "core/result.hpp"
#include "host/fd.hpp"
#include "host/file_reading.hpp"
#include "host/name_news.hpp"

#include <cstddef>
#include <string>

namespace egb::host {

/// A file that was made, as it is by now: it may have other names, or none.
struct NamedFile {
    Fd file;   ///< opened with O_PATH, as is
    Fd folder; ///< where it got its name
    FileStatus status;
};

class NameWatch {
public:
    virtual ~NameWatch() = default;

    /// Goes on where an earlier process has left off, if there was one.
    [[nodiscard]] virtual Result<> start() = 0;

    /// Readable while there may be news, or something to read from the other descriptor.
    [[nodiscard]] virtual int poll_fd() const = 0;
    [[nodiscard]] virtual Result<> wait_also_for(int fd) = 0;

    /// The descriptor that events are read from.
    [[nodiscard]] virtual int queue() const = 0;

    /// So many events and no more, or as many as wait.
    [[nodiscard]] virtual Result<NameReading> read(std::size_t most) = 0;

    /// `not_found` when it is gone.
    [[nodiscard]] virtual Result<NamedFile> open(const NameNews& made) = 0;

    /// Closes what open() has opened besides, for it keeps file systems from being unmounted.
    virtual void let_go() = 0;

    /// Which file systems it hears of, and which not.
    [[nodiscard]] virtual std::string extent() const = 0;
};

} // namespace egb::host
