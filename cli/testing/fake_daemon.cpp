// SPDX-License-Identifier: Apache-2.0
#include "testing/fake_daemon.hpp"

#include "core/format.hpp"

#include <kind_adaptor.hpp>
#include <manager_adaptor.hpp>

#include <systemd/sd-bus.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace egb::test {

namespace {

using Dictionary = std::map<std::string, sdbus::Variant>;
using FourStrings = sdbus::Struct<std::string, std::string, std::string, std::string>;

struct UnrefBus {
    void operator()(sd_bus* bus) const { sd_bus_unref(bus); }
};
using BusPtr = std::unique_ptr<sd_bus, UnrefBus>;

BusPtr open_bus(const std::string& address) {
    sd_bus* raw{};
    sd_bus_new(&raw);
    BusPtr bus{raw};
    if (!bus || sd_bus_set_address(raw, address.c_str()) < 0 || sd_bus_set_bus_client(raw, 1) < 0 ||
        sd_bus_start(raw) < 0) {
        throw std::runtime_error{"no bus at " + address};
    }
    return bus;
}

std::string text(const sdbus::Variant& value) {
    const std::string type = value.peekValueType();
    if (type == "s") {
        return value.get<std::string>();
    }
    if (type == "b") {
        return value.get<bool>() ? "true" : "false";
    }
    if (type == "i") {
        return std::to_string(value.get<std::int32_t>());
    }
    if (type == "u") {
        return std::to_string(value.get<std::uint32_t>());
    }
    if (type == "as") {
        std::string all;
        for (const auto& entry : value.get<std::vector<std::string>>()) {
            all += (all.empty() ? "" : ",") + entry;
        }
        return all;
    }
    return std::to_string(value.get<std::uint64_t>());
}

/// "grade=proven pid:i=7"; a number with its type, because the daemon is strict about it.
std::string text(const Dictionary& dictionary) {
    std::string all;
    for (const auto& [name, value] : dictionary) {
        const std::string type = value.peekValueType();
        all +=
            formatted("{}{}{}={}", all.empty() ? "" : " ", name, type == "s" ? "" : ":" + type, text(value));
    }
    return all;
}

template <typename T>
std::string text(const std::vector<T>& values) {
    std::string all;
    for (const auto& value : values) {
        all += formatted("{}{}", all.empty() ? "" : ",", value);
    }
    return all;
}

} // namespace

class FakeDaemon::Record {
public:
    Record(sd_bus* bus, Script script) : bus_{bus}, script_{std::move(script)} {}

    [[nodiscard]] const Script& script() const { return script_; }

    /// Writes the call down, and throws what the script wants to be answered.
    void enter(const std::string& method, std::string arguments) {
        auto* const message = sd_bus_get_current_message(bus_);
        {
            const std::scoped_lock lock{mutex_};
            calls_.push_back(
                {method, std::move(arguments),
                 message != nullptr && sd_bus_message_get_allow_interactive_authorization(message) > 0});
        }
        if (const auto error = script_.errors.find(method); error != script_.errors.end()) {
            throw error->second;
        }
    }

    /// The same for a method that answers later, or never.
    template <typename... Results, typename... Values>
    void settle(sdbus::Result<Results...>&& result, const std::string& method, std::string arguments,
                const Values&... values) {
        try {
            enter(method, std::move(arguments));
        } catch (const sdbus::Error& error) {
            result.returnError(error);
            return;
        }
        if (script_.silent == method) {
            kept_.push_back(std::make_shared<sdbus::Result<Results...>>(std::move(result)));
            return;
        }
        result.returnResults(values...);
    }

    /// The reader's end of a new stream. The other end stays open unless the script wants it to end.
    [[nodiscard]] int open_stream() {
        std::array<int, 2> ends{-1, -1};
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
            throw std::runtime_error{"no socket for a stream"};
        }
        const auto& lines = script_.stream;
        if (write(ends[0], lines.data(), lines.size()) != static_cast<ssize_t>(lines.size())) {
            throw std::runtime_error{"the stream is longer than a socket"};
        }
        if (script_.stream_ends) {
            close(ends[0]);
        } else {
            streams_.emplace_back(std::make_unique<StreamEnd>(ends[0]));
        }
        return ends[1];
    }

    [[nodiscard]] std::vector<Call> calls() const {
        const std::scoped_lock lock{mutex_};
        return calls_;
    }

private:
    struct StreamEnd {
        explicit StreamEnd(int end) : fd{end} {}
        ~StreamEnd() { close(fd); }
        StreamEnd(const StreamEnd&) = delete;
        StreamEnd& operator=(const StreamEnd&) = delete;
        int fd;
    };

    sd_bus* bus_;
    std::vector<std::unique_ptr<StreamEnd>> streams_;
    Script script_;
    mutable std::mutex mutex_;
    std::vector<Call> calls_;
    std::vector<std::shared_ptr<void>> kept_;
};

class FakeDaemon::Manager final
    : public sdbus::AdaptorInterfaces<org::eghostbuster1::Manager_adaptor, sdbus::Properties_adaptor> {
public:
    Manager(sdbus::IConnection& connection, Record& record)
        : AdaptorInterfaces{connection, sdbus::ObjectPath{"/org/eghostbuster1"}}, record_{record} {
        registerAdaptor();
    }
    ~Manager() { unregisterAdaptor(); }
    Manager(const Manager&) = delete;
    Manager& operator=(const Manager&) = delete;

private:
    [[nodiscard]] const Script& script() const { return record_.script(); }

    std::tuple<std::uint32_t, std::vector<FakeGhost>>
    ListGhosts(const Dictionary& filter, const std::uint32_t& offset, const std::uint32_t& limit) override {
        record_.enter("ListGhosts", formatted("{} {}+{}", text(filter), offset, limit));
        auto all = script().ghosts;
        if (filter.contains("members")) {
            for (const auto& [member, fd, since, at_least, summary] : script().members) {
                all.emplace_back(member, "tcp", "suspected", summary, since, at_least, 0, "", "", 0U,
                                 "report");
            }
        }
        const auto from = std::min<std::size_t>(offset, all.size());
        const auto to = std::min<std::size_t>(from + limit, all.size());
        return {
            static_cast<std::uint32_t>(all.size()),
            {all.begin() + static_cast<std::ptrdiff_t>(from), all.begin() + static_cast<std::ptrdiff_t>(to)}};
    }

    std::tuple<std::uint32_t, std::vector<FakeMember>>
    ListMembers(const std::uint64_t& id, const std::uint32_t& offset, const std::uint32_t& limit) override {
        record_.enter("ListMembers", formatted("{} {}+{}", id, offset, limit));
        const auto& all = script().members;
        const auto from = std::min<std::size_t>(offset, all.size());
        const auto to = std::min<std::size_t>(from + limit, all.size());
        return {
            static_cast<std::uint32_t>(all.size()),
            {all.begin() + static_cast<std::ptrdiff_t>(from), all.begin() + static_cast<std::ptrdiff_t>(to)}};
    }

    std::string Describe(const std::uint64_t& id) override {
        record_.enter("Describe", std::to_string(id));
        return described(id);
    }

    std::string Explain(const std::uint64_t& id) override {
        record_.enter("Explain", std::to_string(id));
        static_cast<void>(described(id));
        return formatted("Ghost {}: why\n\nFor it\n  - something\n", id);
    }

    [[nodiscard]] std::string described(std::uint64_t id) const {
        const auto found = script().descriptions.find(id);
        if (found == script().descriptions.end()) {
            throw sdbus::Error{sdbus::Error::Name{"org.eghostbuster1.Error.NoSuchGhost"},
                               formatted("there is no ghost {}", id)};
        }
        return found->second;
    }

    std::vector<FakeIncident> History(const Dictionary& filter, const std::uint32_t& limit) override {
        record_.enter("History", formatted("{} {}", text(filter), limit));
        return script().incidents;
    }

    std::tuple<std::uint32_t, std::vector<FakeQuarantined>>
    ListQuarantine(const std::uint32_t& offset, const std::uint32_t& limit) override {
        record_.enter("ListQuarantine", formatted("{}+{}", offset, limit));
        const auto& all = script().quarantined;
        const auto from = std::min<std::size_t>(offset, all.size());
        const auto to = std::min<std::size_t>(from + limit, all.size());
        return {
            static_cast<std::uint32_t>(all.size()),
            {all.begin() + static_cast<std::ptrdiff_t>(from), all.begin() + static_cast<std::ptrdiff_t>(to)}};
    }

    std::vector<FakeHolder> WhoOwns(const sdbus::UnixFd& file) override {
        struct stat status{};
        fstat(file.get(), &status);
        record_.enter("WhoOwns", std::to_string(status.st_ino));
        return script().holders;
    }

    void WhoOwnsPath(sdbus::Result<std::vector<FakeHolder>>&& result, std::string path) override {
        record_.settle(std::move(result), "WhoOwnsPath", std::move(path), script().holders);
    }

    std::string Owners(const sdbus::UnixFd& file) override {
        struct stat status{};
        fstat(file.get(), &status);
        record_.enter("Owners", std::to_string(status.st_ino));
        return script().owners;
    }

    void OwnersOfPath(sdbus::Result<std::string>&& result, std::string path) override {
        record_.settle(std::move(result), "OwnersOfPath", std::move(path), script().owners);
    }

    void Clean(sdbus::Result<std::vector<FakeOutcome>>&& result, std::vector<std::uint64_t> ids,
               Dictionary options) override {
        std::vector<FakeOutcome> outcomes;
        for (const auto id : ids) {
            const auto found = script().outcomes.find(id);
            outcomes.push_back(found == script().outcomes.end() ? FakeOutcome{id, "cleaned", "it is gone"}
                                                                : found->second);
        }
        record_.settle(std::move(result), "Clean", formatted("{} {}", text(ids), text(options)), outcomes);
    }

    void Hold(sdbus::Result<>&& result, std::vector<std::uint64_t> ids, std::uint64_t usec) override {
        record_.settle(std::move(result), "Hold", formatted("{} {}", text(ids), usec));
    }

    void Ignore(sdbus::Result<>&& result, std::vector<std::uint64_t> ids, std::uint64_t usec) override {
        record_.settle(std::move(result), "Ignore", formatted("{} {}", text(ids), usec));
    }

    void Restore(sdbus::Result<std::string>&& result, std::uint64_t id) override {
        record_.settle(std::move(result), "Restore", std::to_string(id), formatted("/run/lock/{}.lock", id));
    }

    void Scan(sdbus::Result<std::uint32_t>&& result, std::vector<std::string> kinds) override {
        record_.settle(std::move(result), "Scan", text(kinds),
                       static_cast<std::uint32_t>(script().ghosts.size()));
    }

    void SetPolicy(sdbus::Result<>&& result, std::string kind, Dictionary options, bool persistent) override {
        record_.settle(
            std::move(result), "SetPolicy",
            formatted("{} {} {}", kind, text(options), persistent ? "persistent" : "until-reload"));
    }

    void Watch(sdbus::Result<sdbus::UnixFd>&& result, std::string stream, Dictionary filter) override {
        record_.settle(std::move(result), "Watch", formatted("{} {}", stream, text(filter)),
                       sdbus::UnixFd{record_.open_stream(), sdbus::adopt_fd});
    }

    void Pause(sdbus::Result<>&& result, bool paused) override {
        record_.settle(std::move(result), "Pause", paused ? "true" : "false");
    }

    void Reload(sdbus::Result<>&& result) override { record_.settle(std::move(result), "Reload", ""); }

    std::string Version() override { return script().version; }
    std::string BootId() override { return "0f1e2d3c"; }
    std::uint64_t Started() override { return 1'700'000'000'000'000; }
    std::vector<std::string> Kinds() override { return {"tcp"}; }
    bool DryRun() override { return script().dry_run; }
    std::uint64_t Ghosts() override { return script().ghosts.size(); }
    bool Paused() override { return script().paused; }
    std::vector<std::string> Troubles() override { return script().troubles; }
    std::vector<sdbus::Struct<std::string, std::string, bool, std::string>> Capabilities() override {
        return {};
    }

    Record& record_;
};

class FakeDaemon::Kind final
    : public sdbus::AdaptorInterfaces<org::eghostbuster1::Kind_adaptor, sdbus::Properties_adaptor> {
public:
    Kind(sdbus::IConnection& connection, const Script& script)
        : AdaptorInterfaces{connection, sdbus::ObjectPath{"/org/eghostbuster1/kind/tcp"}}, script_{script} {
        registerAdaptor();
    }
    ~Kind() { unregisterAdaptor(); }
    Kind(const Kind&) = delete;
    Kind& operator=(const Kind&) = delete;

private:
    std::string Name() override { return "tcp"; }
    std::string Summary() override { return "Sockets that wait for an application"; }
    std::string Reach() override { return "cleans"; }
    std::vector<FourStrings> OptionTable() override {
        return {FourStrings{"Clean", "choice:never,proven,suspected", "proven", "What is cleaned unasked"},
                FourStrings{"Veto", "span", "30s", "How long to wait for an objection"}};
    }
    std::vector<FourStrings> EvidenceTable() override { return {}; }
    bool Enabled() override { return script_.kind_enabled; }
    std::string Trouble() override { return script_.kind_trouble; }
    std::string Clean() override { return "proven"; }
    std::uint64_t VetoUSec() override { return 30'000'000; }
    std::map<std::string, std::string> Options() override { return {{"Clean", "proven"}, {"Veto", "1min"}}; }
    std::vector<FakeCapability> Capabilities() override { return script_.capabilities; }
    std::uint64_t Tracked() override { return 12; }
    std::uint64_t Suspected() override { return 2; }
    std::uint64_t Proven() override { return 1; }
    std::uint64_t LostEvents() override { return 0; }
    std::uint64_t LastSweep() override { return 1'700'000'100'000'000; }
    std::uint64_t LastSweepUSec() override { return 34'000; }

    const Script& script_;
};

FakeDaemon::FakeDaemon(const std::string& address, Script script) {
    auto bus = open_bus(address);
    auto* const raw = bus.get();
    connection_ = sdbus::createBusConnection(raw);
    static_cast<void>(bus.release());
    record_ = std::make_unique<Record>(raw, std::move(script));
    manager_ = std::make_unique<Manager>(*connection_, *record_);
    kind_ = std::make_unique<Kind>(*connection_, record_->script());
    connection_->requestName(sdbus::ServiceName{"org.eghostbuster1"});
    connection_->enterEventLoopAsync();
}

FakeDaemon::~FakeDaemon() {
    connection_->leaveEventLoop();
}

std::vector<Call> FakeDaemon::calls() const {
    return record_->calls();
}

void FakeDaemon::emit_appeared(std::uint64_t id, const std::string& summary, std::uint32_t more) {
    manager_->emitGhostAppeared(id, "tcp", "suspected", summary, more);
}

void FakeDaemon::emit_pending(std::uint64_t id, const std::string& summary, std::uint64_t usec) {
    manager_->emitActionPending(id, "tcp", summary, usec, 0);
}

void FakeDaemon::emit_cleaned(std::uint64_t id, const std::string& verdict, const std::string& reason) {
    manager_->emitGhostCleaned(id, "tcp", verdict, reason, 0);
}

void FakeDaemon::emit_vanished(std::uint64_t id, const std::string& reason) {
    manager_->emitGhostVanished(id, "tcp", reason, 0);
}

void FakeDaemon::emit_changed() {
    manager_->emitPropertiesChangedSignal(sdbus::InterfaceName{"org.eghostbuster1.Manager"},
                                          {sdbus::PropertyName{"Ghosts"}});
    kind_->emitPropertiesChangedSignal(sdbus::InterfaceName{"org.eghostbuster1.Kind"},
                                       {sdbus::PropertyName{"Suspected"}});
}

} // namespace egb::test
