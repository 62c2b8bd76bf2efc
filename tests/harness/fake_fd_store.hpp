// SPDX-License-Identifier: Apache-2.0
// A descriptor store that lasts as long as the test: the test is the service manager, and may let several
// "processes" use it one after the other.
#pragma once

#include "host/fd_store.hpp"

#include <fcntl.h>

#include <map>
#include <set>
#include <string>
#include <utility>

namespace egb::test {

class FakeFdStore final : public host::FdStore {
public:
    [[nodiscard]] std::optional<host::Fd> take(std::string_view name) override {
        const auto kept = kept_.find(name);
        if (kept == kept_.end() || !taken_.emplace(name).second) {
            return std::nullopt;
        }
        return duplicate(kept->second.get());
    }

    Result<> keep(std::string_view name, int fd) override {
        auto copy = duplicate(fd);
        if (!copy) {
            return fail_errno("keep " + std::string{name});
        }
        kept_.insert_or_assign(std::string{name}, std::move(copy));
        return {};
    }

    void drop(std::string_view name) override {
        if (const auto kept = kept_.find(name); kept != kept_.end()) {
            kept_.erase(kept);
        }
    }

    /// The process ends and the next one starts: what is kept can be taken again.
    void restart() { taken_.clear(); }

    [[nodiscard]] std::set<std::string> names() const {
        std::set<std::string> names;
        for (const auto& [name, fd] : kept_) {
            names.insert(name);
        }
        return names;
    }

private:
    static host::Fd duplicate(int fd) { return host::Fd{::fcntl(fd, F_DUPFD_CLOEXEC, 0)}; }

    std::map<std::string, host::Fd, std::less<>> kept_;
    std::set<std::string, std::less<>> taken_;
};

} // namespace egb::test
