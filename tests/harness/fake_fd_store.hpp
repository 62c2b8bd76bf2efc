// SPDX-License-Identifier: Apache-2.0
// A descriptor store that lives in the test: what one "run" of the daemon keeps, the next one takes.
#pragma once

#include "host/fd_store.hpp"

#include <fcntl.h>

#include <map>
#include <string>

namespace egb::test {

/// As with systemd, taking leaves the store's own copy where it is until it is replaced or dropped.
class FakeFdStore final : public host::FdStore {
public:
    [[nodiscard]] std::optional<host::Fd> take(std::string_view name) override {
        const auto found = kept_.find(name);
        if (found == kept_.end()) {
            return std::nullopt;
        }
        return host::Fd{::fcntl(found->second.get(), F_DUPFD_CLOEXEC, 0)};
    }

    Result<> keep(std::string_view name, int fd) override {
        kept_.insert_or_assign(std::string{name}, host::Fd{::fcntl(fd, F_DUPFD_CLOEXEC, 0)});
        return {};
    }

    void drop(std::string_view name) override {
        if (const auto found = kept_.find(name); found != kept_.end()) {
            kept_.erase(found);
        }
    }

    [[nodiscard]] std::size_t size() const { return kept_.size(); }

private:
    std::map<std::string, host::Fd, std::less<>> kept_;
};

} // namespace egb::test
