// SPDX-License-Identifier: Apache-2.0
#include "host/proc_holder_scan.hpp"

#include "host/process_lookup.hpp"

#include <algorithm>
#include <iterator>

namespace egb::host {

Result<std::vector<Holder>> ProcHolderScan::find(int fd) {
    const auto asked = file_number(fd);
    if (!asked) {
        return std::unexpected(asked.error());
    }
    OpenFiles files = procfs_.open_files([&](const FileNumber& file) {
        return file == *asked;
    });
    std::ranges::copy(procfs_.those_inside(*asked), std::back_inserter(files.found));
    ProcessLookup lookup{procfs_};
    std::vector<Holder> holders;
    for (const OpenFile& open : files.found) {
        if (holders.size() == most_holders) {
            break;
        }
        holders.push_back({lookup.find(open.pid, open.start_ticks), open.fd});
    }
    return holders;
}

} // namespace egb::host
