// SPDX-License-Identifier: Apache-2.0
#include "harness/trace_records.hpp"

#include <algorithm>
#include <cstring>
#include <span>

namespace egb::test {

namespace {

std::vector<std::byte> with_text(const void* head, std::size_t size, const std::string& text) {
    std::vector<std::byte> bytes(sizeof(egb_trace_event) + text.size());
    std::memcpy(bytes.data(), head, size);
    std::ranges::copy(std::as_bytes(std::span{text}), bytes.begin() + sizeof(egb_trace_event));
    return bytes;
}

} // namespace

std::vector<std::byte> TraceRecord::bytes() const {
    egb_trace_event head{};
    const auto text = args + exe + cwd;
    head.header.type = type;
    head.header.size = static_cast<__u16>(sizeof(head) + text.size());
    head.header.time_ns = time_ns;
    head.filters = filters;
    head.start_boottime_ns = 1'230'000'000;
    head.cgroup = cgroup;
    head.lived_ns = type == EGB_TRACE_EXIT ? 5'000'000 : 0;
    head.peak_rss_pages = type == EGB_TRACE_EXIT ? 2 : 0;
    head.pid = pid;
    head.ppid = 1;
    head.uid = 1'000;
    head.wait_status = wait_status;
    head.pid_ns = 11;
    head.mnt_ns = 12;
    head.net_ns = 13;
    head.args_bytes = static_cast<__u16>(args.size());
    head.exe_bytes = static_cast<__u16>(exe.size());
    head.cwd_bytes = static_cast<__u16>(cwd.size());
    head.flags = flags;
    head.flags |= exe.empty() ? __u16{0} : __u16{EGB_TRACE_HAS_EXE};
    head.flags |= cwd.empty() ? __u16{0} : __u16{EGB_TRACE_HAS_CWD};
    std::memcpy(head.comm, comm.data(), std::min(comm.size(), sizeof(head.comm)));
    return with_text(&head, sizeof(head), text);
}

std::vector<std::byte> cgroup_record(std::uint64_t id, const std::string& names) {
    egb_trace_cgroup head{};
    head.header.type = EGB_TRACE_CGROUP;
    head.header.size = static_cast<__u16>(sizeof(egb_trace_event) + names.size());
    head.id = id;
    return with_text(&head, sizeof(head), names);
}

} // namespace egb::test
