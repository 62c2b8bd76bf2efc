// SPDX-License-Identifier: Apache-2.0
// Descriptors that outlive the process: systemd's file descriptor store.
#pragma once

#include "core/result.hpp"
#include "host/fd.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace egb::host {

class FdStore {
public:
    virtual ~FdStore() = default;

    /// Hands out what an earlier process kept under that name; once.
    [[nodiscard]] virtual std::optional<Fd> take(std::string_view name) = 0;

    /// Keeps a duplicate under that name, in place of what was kept there before. Names are those that
    /// systemd permits: printable ASCII without a colon, at most 255 characters.
    virtual Result<> keep(std::string_view name, int fd) = 0;

    virtual void drop(std::string_view name) = 0;
};

/// For what is not worth keeping over a restart.
class NoFdStore final : public FdStore {
public:
    [[nodiscard]] std::optional<Fd> take(std::string_view /*name*/) override { return std::nullopt; }
    Result<> keep(std::string_view /*name*/, int /*fd*/) override { return {}; }
    void drop(std::string_view /*name*/) override {}
};

/// The real one. Outside of a service manager it is empty, and keeping succeeds without effect.
class SystemdFdStore final : public FdStore {
public:
    /// Takes over the descriptors that systemd passed to this process. Once per process. Throws
    /// std::system_error when the environment says that there are some, and there are not.
    SystemdFdStore();

    /// What is taken stays in the store as well, until it is dropped.
    [[nodiscard]] std::optional<Fd> take(std::string_view name) override;
    Result<> keep(std::string_view name, int fd) override;
    void drop(std::string_view name) override;

    /// Names passed and not taken: left by another version. Drops them all; returns how many.
    std::size_t drop_untaken();

private:
    std::map<std::string, Fd, std::less<>> inherited_;
};

} // namespace egb::host
