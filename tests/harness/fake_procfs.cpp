// SPDX-License-Identifier: Apache-2.0
#include "harness/fake_procfs.hpp"

#include "core/format.hpp"

namespace egb::test {

namespace {

/// As the kernel writes it: fields 5 to 19 and 21 do not matter here.
std::string stat_of(const FakeProcess& process) {
    return formatted("{} ({}) {} {} {} {} 0 -1 4194560 1179 0 3 0 5 7 0 0 20 0 {} 0 {} 11452416 1243 "
                     "18446744073709551615 0 0 0 0 0 0 0 4096 0 0 0 0 17 1 0 0 0 0 0\n",
                     process.pid, process.comm, process.state, process.parent, process.pid, process.pid,
                     process.threads, process.start_ticks);
}

std::string status_of(const FakeProcess& process) {
    return formatted("Name:\tfake\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t{}\nPid:\t{}\nPPid:\t1\n"
                     "TracerPid:\t{}\nUid:\t{}\t0\t0\t0\nGid:\t0\t0\t0\t0\nNSpid:\t{}{}\n",
                     process.pid, process.pid, process.tracer, process.uid, process.pid, process.inner_pids);
}

} // namespace

FakeProcFs::FakeProcFs() {
    write("sys/kernel/random/boot_id", formatted("{}\n", boot_id));
}

void FakeProcFs::add(const FakeProcess& process) const {
    remove(process.pid);
    const std::filesystem::path folder{std::to_string(process.pid)};
    write(folder / "stat", stat_of(process));
    write(folder / "status", status_of(process));
    write(folder / "cgroup", process.cgroup);
    if (!process.exe.empty()) {
        std::filesystem::create_symlink(process.exe, root() / folder / "exe");
    }
    join_net_namespace(process);
}

void FakeProcFs::remove(std::int32_t pid) const {
    std::filesystem::remove_all(root() / std::to_string(pid));
}

void FakeProcFs::join_net_namespace(const FakeProcess& process) const {
    if (process.net_namespace.empty()) {
        return;
    }
    const auto shared = root() / "namespaces" / process.net_namespace;
    if (!std::filesystem::exists(shared)) {
        folder_.write(shared, "");
    }
    const auto folder = root() / std::to_string(process.pid) / "ns";
    std::filesystem::create_directories(folder);
    std::filesystem::create_hard_link(shared, folder / "net");
}

} // namespace egb::test
