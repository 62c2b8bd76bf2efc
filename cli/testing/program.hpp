// SPDX-License-Identifier: Apache-2.0
// Other programs, run by tests: what they print, how they end, and a terminal for those that want one.
// Nothing waits longer than `deadline`.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace egb::test {

inline constexpr std::chrono::seconds deadline{20};

using Arguments = std::vector<std::string>;
using Environment = std::map<std::string, std::string>;

/// How a program ended.
struct Ran {
    int code{-1}; ///< -1: by a signal, or not in time
    std::string out;
    std::string err;
};

/// A program under way, with pipes to it, or a terminal.
class Program {
public:
    enum class Place { pipes, terminal };

    /// Throws when it cannot be started. An empty environment is ours.
    Program(const Arguments& arguments, const Environment& environment, Place place = Place::pipes);
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    /// One line of its standard output.
    std::string line();
    /// Reads its standard output up to this text; false when it does not come.
    bool wait_for(std::string_view text);
    void type(std::string_view text) const;
    void signal(int number) const;

    /// Reads all that is left and waits for the end. On a terminal `out` has what the terminal shows.
    Ran finish();

private:
    [[nodiscard]] bool read_some();

    pid_t pid_{-1};
    int in_{-1};
    int out_{-1};
    int err_{-1};
    std::string read_;
    std::string err_read_;
};

} // namespace egb::test
