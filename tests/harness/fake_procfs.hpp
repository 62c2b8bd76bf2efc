// SPDX-License-Identifier: Apache-2.0
// A made-up /proc in a temporary folder, for host::ProcFs to read.
#pragma once

#include "harness/temp_folder.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace egb::test {

struct FakeProcess {
    std::int32_t pid{};
    std::uint64_t start_ticks{100};
    std::uint32_t uid{1000};
    std::string comm{"fake"};
    std::string exe{"/usr/bin/fake"}; ///< as the link says; empty for none, as kernel threads have it
    std::string cgroup{"0::/system.slice/fake.service\n"}; ///< the whole file
    std::string net_namespace{"host"}; ///< any name; the same name is the same namespace. Empty: refused
    char state{'S'};
    std::int32_t parent{1};
    std::int32_t tracer{};
    std::uint64_t threads{1};
    std::string inner_pids{}; ///< its pids in the pid namespaces below, each with a tab before it
};

class FakeProcFs {
public:
    static constexpr std::string_view boot_id{"6e0c5b1c-4d5f-4d2e-9a63-0123456789ab"};

    FakeProcFs();

    [[nodiscard]] const std::filesystem::path& root() const { return folder_.path(); }

    /// A new process, or the next one with that pid.
    void add(const FakeProcess& process) const;
    void remove(std::int32_t pid) const;

    /// Any file of the tree, for what a process does not have of itself.
    void write(const std::filesystem::path& relative, std::string_view text) const {
        folder_.write(relative, text);
    }

private:
    void join_net_namespace(const FakeProcess& process) const;

    TempFolder folder_;
};

} // namespace egb::test
