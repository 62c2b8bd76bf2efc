// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/content.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace egb::lockfile {

namespace {

/// The kernel's PID_MAX_LIMIT.
constexpr std::int32_t most_pid = 4'194'304;

/// Where the kernel goes on when it has given all pids: those below are of what was started with the machine,
/// or with a container.
constexpr std::int32_t least_telling_pid = 300;

bool is_digit(char letter) {
    return letter >= '0' && letter <= '9';
}

/// The line feed, or the 0 of a record written whole.
std::string_view first_line(std::string_view content) {
    const auto begin = content.find_first_not_of(" \t\r\n");
    return begin == std::string_view::npos
               ? std::string_view{}
               : content.substr(begin, content.find_first_of(std::string_view{"\n\0", 2}, begin) - begin);
}

} // namespace

std::vector<std::int32_t> pids_in(std::string_view content) {
    std::vector<std::int32_t> pids;
    const auto line = first_line(content);
    for (const auto* at = line.begin(); at != line.end();) {
        at = std::find_if(at, line.end(), is_digit);
        const auto* const end = std::find_if_not(at, line.end(), is_digit);
        std::int32_t pid = 0;
        const auto read = std::from_chars(at, end, pid);
        if (at != end && read.ec == std::errc{} && pid > 0 && pid < most_pid) {
            pids.push_back(pid);
        }
        at = end;
    }
    return pids;
}

bool names_pid(std::string_view content, std::int32_t pid) {
    if (!std::ranges::contains(pids_in(content), pid)) {
        return false;
    }
    const auto line = first_line(content);
    const auto word = line.substr(0, line.find_last_not_of(" \t\r") + 1);
    const bool is_one_word = word.find_first_of(" \t") == std::string_view::npos;
    const auto number = is_one_word ? word.substr(word.rfind('-') + 1) : std::string_view{};
    return pid >= least_telling_pid || number == std::to_string(pid);
}

} // namespace egb::lockfile
