// SPDX-License-Identifier: Apache-2.0
// org.eghostbuster1.Manager: translates between D-Bus and Control. What a method does is Control's, who may
// call it is the Bouncer's. Arguments are checked before anybody is asked for a password. Owned by the Bus,
// runs on the loop.
#pragma once

#include "bus/access.hpp"
#include "bus/control.hpp"
#include "bus/errors.hpp"
#include "bus/filter.hpp"
#include "host/fd.hpp"
#include "loop/worker_pool.hpp"

#include <manager_adaptor.hpp>
#include <sdbus-c++/sdbus-c++.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace egb::bus {

using GhostRowOnWire =
    sdbus::Struct<std::uint64_t, std::string, std::string, std::string, std::uint64_t, bool, std::int32_t,
                  std::string, std::string, std::uint32_t, std::string>;
using MemberOnWire = sdbus::Struct<std::uint64_t, std::int32_t, std::uint64_t, bool, std::string>;
using HistoryRowOnWire = sdbus::Struct<std::int64_t, std::uint64_t, std::string, std::uint64_t, std::string,
                                       std::string, std::string, std::string, std::string, std::string>;
using QuarantineRowOnWire =
    sdbus::Struct<std::uint64_t, std::string, std::uint64_t, std::string, std::string, std::uint64_t>;
using HolderOnWire = sdbus::Struct<std::int32_t, std::uint32_t, std::string, std::string, std::string,
                                   std::string, std::int32_t>;
using OutcomeOnWire = sdbus::Struct<std::uint64_t, std::string, std::string>;
using CapabilityOnWire = sdbus::Struct<std::string, std::string, bool, std::string>;

class ManagerObject final : public sdbus::AdaptorInterfaces<org::eghostbuster1::Manager_adaptor> {
public:
    ManagerObject(sdbus::IConnection& connection, Control& control, Bouncer& bouncer,
                  loop::WorkerPool& workers);
    ~ManagerObject();
    ManagerObject(const ManagerObject&) = delete;
    ManagerObject& operator=(const ManagerObject&) = delete;

    /// Tells which properties have changed since the last call.
    void publish();

private:
    using Ids = std::vector<std::uint64_t>;
    using Holders = std::vector<HolderOnWire>;

    /// The properties that change.
    struct Changing {
        std::uint64_t ghosts{};
        bool paused{};
        std::vector<std::string> troubles;
        std::vector<CapabilityOnWire> capabilities;
    };

    std::tuple<std::uint32_t, std::vector<GhostRowOnWire>>
    ListGhosts(const Dictionary& filter, const std::uint32_t& offset, const std::uint32_t& limit) override;
    std::tuple<std::uint32_t, std::vector<MemberOnWire>>
    ListMembers(const std::uint64_t& id, const std::uint32_t& offset, const std::uint32_t& limit) override;
    std::string Describe(const std::uint64_t& id) override;
    std::string Explain(const std::uint64_t& id) override;
    std::vector<HistoryRowOnWire> History(const Dictionary& filter, const std::uint32_t& limit) override;
    std::tuple<std::uint32_t, std::vector<QuarantineRowOnWire>>
    ListQuarantine(const std::uint32_t& offset, const std::uint32_t& limit) override;
    Holders WhoOwns(const sdbus::UnixFd& file) override;
    void WhoOwnsPath(sdbus::Result<Holders>&& result, std::string path) override;
    std::string Owners(const sdbus::UnixFd& file) override;
    void OwnersOfPath(sdbus::Result<std::string>&& result, std::string path) override;
    void Clean(sdbus::Result<std::vector<OutcomeOnWire>>&& result, Ids ids, Dictionary options) override;
    void Hold(sdbus::Result<>&& result, Ids ids, std::uint64_t usec) override;
    void Ignore(sdbus::Result<>&& result, Ids ids, std::uint64_t usec) override;
    void Restore(sdbus::Result<std::string>&& result, std::uint64_t id) override;
    void Scan(sdbus::Result<std::uint32_t>&& result, std::vector<std::string> kinds) override;
    void SetPolicy(sdbus::Result<>&& result, std::string kind, Dictionary options, bool persistent) override;
    void Watch(sdbus::Result<sdbus::UnixFd>&& result, std::string stream, Dictionary filter) override;
    void Pause(sdbus::Result<>&& result, bool paused) override;
    void Reload(sdbus::Result<>&& result) override;

    std::string Version() override;
    std::string BootId() override;
    std::uint64_t Started() override;
    std::vector<std::string> Kinds() override;
    bool DryRun() override;
    std::uint64_t Ghosts() override;
    bool Paused() override;
    std::vector<std::string> Troubles() override;
    std::vector<CapabilityOnWire> Capabilities() override;

    /// Lets `work` answer once the caller is let in.
    template <typename Work, typename... Out>
    void guard(Subject subject, sdbus::Result<Out...>&& result, Bouncer::Details details, Work work);

    /// Hold and Ignore differ in one word.
    using HoldWay = Result<> (Control::*)(GhostId, Span);
    void hold(HoldWay way, sdbus::Result<>&& result, Ids ids, std::uint64_t usec);

    [[nodiscard]] Result<> check_kind(std::string_view kind) const;

    /// What is asked about a file. It is open here for the length of the call.
    template <typename Out>
    using Question = Result<Out> (ManagerObject::*)(int fd);
    [[nodiscard]] Result<Holders> holders_of(int fd);
    [[nodiscard]] Result<std::string> owners_of(int fd);

    template <typename Out>
    [[nodiscard]] Out ask(const sdbus::UnixFd& file, Question<Out> question);
    template <typename Out>
    void ask(sdbus::Result<Out>&& result, std::string path, Question<Out> question);

    using Then = std::move_only_function<void(const Result<host::Fd>&)>;
    void open_then(const std::string& path, Then then);

    [[nodiscard]] Changing changing();

    Control& control_;
    Bouncer& bouncer_;
    loop::WorkerPool& workers_;
    Changing told_;
    /// Callers whose path a worker is looking at. They stay here, because a job that is dropped when the
    /// daemon stops may outlive the connection.
    std::map<std::uint64_t, Then> lookups_;
    std::uint64_t last_lookup_{};
};

} // namespace egb::bus
