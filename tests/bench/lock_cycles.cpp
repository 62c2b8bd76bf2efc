// SPDX-License-Identifier: Apache-2.0
// The loads of ./dev bench lockfile, each one thing over and over, as fast as one core can:
//   lock_cycles open FOLDER      opens and closes a file that is there
//   lock_cycles create FOLDER    creates one exclusively under a name that no lock has, closes and removes it
//   lock_cycles lock FOLDER      the same under the name of a lock
//   lock_cycles call FOLDER      asks who its parent is: a call that has nothing to do with files
#include "bench/load.hpp"
#include "host/fd.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <span>
#include <stdexcept>
#include <string>

namespace {

using egb::bench::check;
using egb::host::Fd;

Fd create(const std::string& path) {
    constexpr mode_t mode = 0600;
    return Fd{check(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode), "create")};
}

void open_over_and_over(const std::string& path) {
    create(path);
    egb::bench::run_as_told([&path] {
        const Fd opened{check(::open(path.c_str(), O_RDONLY | O_CLOEXEC), "open")};
    });
}

void create_over_and_over(const std::string& path) {
    egb::bench::run_as_told([&path] {
        create(path);
        check(::unlink(path.c_str()), "unlink");
    });
}

void call_over_and_over() {
    egb::bench::run_as_told([] {
        check(static_cast<int>(::syscall(SYS_getppid)), "getppid"); // what libc has of it may be remembered
    });
}

void run(const std::string& load, const std::string& folder) {
    if (load == "open") {
        open_over_and_over(folder + "/there");
    } else if (load == "create") {
        create_over_and_over(folder + "/x.tmp");
    } else if (load == "lock") {
        create_over_and_over(folder + "/x.lock");
    } else if (load == "call") {
        call_over_and_over();
    } else {
        throw std::invalid_argument{load};
    }
}

} // namespace

int main(int argc, char** argv) {
    const std::span<char*> arguments{argv, static_cast<std::size_t>(argc)};
    if (arguments.size() != 3) {
        return 2;
    }
    run(arguments[1], arguments[2]);
}
