// SPDX-License-Identifier: Apache-2.0
// Files that are where the test has put them.
#pragma once

#include "host/files.hpp"

#include <fcntl.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace egb::test {

class FakeFiles final : public host::Files {
public:
    /// A file, or why it cannot be seen, in place of what had that name.
    void put(const host::FileName& name, Result<host::FileSight> sight) {
        sights_.insert_or_assign(name, std::move(sight));
    }
    void remove(const host::FileName& name) { sights_.erase(name); }

    [[nodiscard]] Result<host::FileSight> look(const host::FileName& name) override {
        const auto known = sights_.find(name);
        return known == sights_.end() ? fail(ErrorCode::not_found, "{}: no such file", name.path)
                                      : known->second;
    }

    /// A descriptor of something.
    [[nodiscard]] Result<host::Fd> open(const host::FileName& name, const host::FileIdentity& id) override {
        return look(name).and_then([&](const host::FileSight& sight) -> Result<host::Fd> {
            if (sight.id != id) {
                return fail(ErrorCode::changed, "{} is another file", name.path);
            }
            return host::Fd{::open("/dev/null", O_PATH | O_CLOEXEC)};
        });
    }

    /// Of none it is known what it is.
    [[nodiscard]] std::string file_system_of(std::uint64_t /*device*/) override { return {}; }

    /// Whatever is looked at, the machine has it by that path, too.
    void bind_to(std::string path) { machine_paths_.push_back(std::move(path)); }
    [[nodiscard]] std::vector<std::string> machine_paths(const host::FileSight& /*sight*/) override {
        return machine_paths_;
    }

    /// What is in that folder is other machines', too, or why that is not known.
    void export_to_others(Result<std::string> folder) { exported_ = std::move(folder); }
    [[nodiscard]] Result<bool> is_exported(const host::FileSight& sight) override {
        return exported_.transform([&sight](const std::string& folder) {
            return !folder.empty() && sight.path.starts_with(folder + "/");
        });
    }

private:
    [[nodiscard]] std::uint64_t machines_own() override { return 0; }

    std::map<host::FileName, Result<host::FileSight>> sights_;
    Result<std::string> exported_;
    std::vector<std::string> machine_paths_;
};

} // namespace egb::test
