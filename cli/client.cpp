// SPDX-License-Identifier: Apache-2.0
#include "client.hpp"

#include "askers.hpp"
#include "client_impl.hpp"
#include "core/format.hpp"
#include "core/time_span.hpp"
#include "core/utf8.hpp"
#include "json_reading.hpp"
#include "properties.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <iterator>
#include <optional>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace egb::cli {

namespace {

using Dictionary = std::map<std::string, sdbus::Variant>;
/// pid, uid, comm, exe, unit, container, descriptor
using HolderRow = sdbus::Struct<std::int32_t, std::uint32_t, std::string, std::string, std::string,
                                std::string, std::int32_t>;

constexpr std::uint32_t page_rows = 1000;
/// The most that one call takes.
constexpr std::ptrdiff_t batch = 1000;

struct UnrefBus {
    void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
};
using BusPtr = std::unique_ptr<sd_bus, UnrefBus>;

std::string reason(int negative_errno) {
    return std::generic_category().message(-negative_errno);
}

/// As sd_bus_open_system() would, but with an address of our choice.
std::string address_of(const ConnectOptions& options) {
    if (!options.address.empty()) {
        return options.address;
    }
    const char* address = std::getenv("DBUS_SYSTEM_BUS_ADDRESS");
    return address != nullptr && *address != '\0' ? address : "unix:path=/run/dbus/system_bus_socket";
}

int prepare(sd_bus* bus, const ConnectOptions& options) {
    for (const int error : {
             sd_bus_set_address(bus, options.address.c_str()),
             sd_bus_set_bus_client(bus, 1),
             // Not in the API of sdbus-c++; set on the bus, it holds for each call made through it.
             sd_bus_set_allow_interactive_authorization(bus, options.asking == Asking::on_terminal ? 1 : 0),
             sd_bus_set_method_call_timeout(bus, usec_of(options.timeout)),
         }) {
        if (error < 0) {
            return error;
        }
    }
    return sd_bus_start(bus);
}

Dictionary dictionary(const Filter& filter) {
    Dictionary wanted;
    const auto add = [&wanted](const char* name, const auto& value) {
        wanted.emplace(name, sdbus::Variant{value});
    };
    const auto add_text = [&add](const char* name, const std::string& value) {
        if (!value.empty()) {
            add(name, value);
        }
    };
    add_text("kind", filter.kind);
    add_text("grade", filter.grade);
    add_text("unit", filter.unit);
    add_text("container", filter.container);
    add_text("comm", filter.command);
    if (filter.pid) {
        add("pid", *filter.pid);
    }
    if (filter.uid) {
        add("uid", *filter.uid);
    }
    if (filter.min_age) {
        add("min_age", usec_of(*filter.min_age));
    }
    if (filter.members) {
        add("members", true);
    }
    return wanted;
}

Dictionary dictionary(const HistoryFilter& filter) {
    Dictionary wanted;
    for (const auto& [name, value] :
         {std::pair{"kind", &filter.kind}, {"type", &filter.type}, {"verdict", &filter.verdict}}) {
        if (!value->empty()) {
            wanted.emplace(name, sdbus::Variant{*value});
        }
    }
    if (filter.ghost) {
        wanted.emplace("ghost", sdbus::Variant{*filter.ghost});
    }
    if (filter.since) {
        wanted.emplace("since", sdbus::Variant{usec_of(*filter.since)});
    }
    if (filter.until) {
        wanted.emplace("until", sdbus::Variant{usec_of(*filter.until)});
    }
    return wanted;
}

template <typename Row>
GhostRow ghost_row(const Row& row) {
    const auto& [id, kind, grade, summary, since, at_least, pid, command, unit, holders, decision] = row;
    return {.id = id,
            .kind = kind,
            .grade = grade,
            .summary = summary,
            .since = wall_of(since),
            .known = at_least ? Known::at_least : Known::exactly,
            .pid = pid,
            .command = command,
            .unit = unit,
            .holders = holders,
            .decision = decision};
}

template <typename Row>
MemberRow member_row(const Row& row) {
    const auto& [id, fd, since, at_least, summary] = row;
    return {.id = id,
            .fd = fd,
            .since = wall_of(since),
            .known = at_least ? Known::at_least : Known::exactly,
            .summary = summary};
}

template <typename Row>
IncidentRow incident_row(const Row& row) {
    const auto& [sequence, at, type, ghost, kind, grade, summary, verdict, why, actor] = row;
    return {.sequence = sequence,
            .at = wall_of(at),
            .type = type,
            .ghost = ghost,
            .kind = kind,
            .grade = grade,
            .summary = summary,
            .verdict = verdict,
            .reason = why,
            .actor = actor};
}

template <typename Row>
QuarantinedRow quarantined_row(const Row& row) {
    const auto& [ghost, kind, since, path, type, size] = row;
    return {.ghost = ghost, .kind = kind, .since = wall_of(since), .path = path, .type = type, .size = size};
}

Answer<Json> parsed(const std::string& text) {
    auto json = Json::parse(text, nullptr, false);
    if (json.is_discarded()) {
        return std::unexpected(Failure{ExitCode::partly, "The daemon's answer is not JSON.", {}});
    }
    return json;
}

/// A descriptor of what may be opened without anybody noticing: no pipe, no device, no socket.
std::optional<sdbus::UnixFd> open_quietly(const std::string& path) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (error || (!is_regular_file(status) && !is_directory(status))) {
        return std::nullopt;
    }
    const int fd = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return fd >= 0 ? std::optional{sdbus::UnixFd{fd, sdbus::adopt_fd}} : std::nullopt;
}

/// The name by which the daemon finds it: without links, except for one that leads nowhere, which some
/// programs use as a lock.
std::string name_for_daemon(const std::string& path) {
    std::error_code error;
    const auto canonical = std::filesystem::canonical(path, error);
    return error ? std::filesystem::absolute(path, error).lexically_normal() : canonical;
}

/// Nothing when it does not say.
std::optional<std::uint32_t> word_of_bus(sdbus::IConnection& connection, const char* question) {
    const auto bus = sdbus::createProxy(connection, sdbus::ServiceName{"org.freedesktop.DBus"},
                                        sdbus::ObjectPath{"/org/freedesktop/DBus"});
    std::uint32_t answer{};
    try {
        bus->callMethod(question)
            .onInterface("org.freedesktop.DBus")
            .withArguments("org.freedesktop.DBus")
            .storeResultsTo(answer);
    } catch (const sdbus::Error&) {
        return std::nullopt;
    }
    return answer;
}

BusProcess bus_process(sdbus::IConnection& connection) {
    return {.pid = word_of_bus(connection, "GetConnectionUnixProcessID").value_or(0),
            .uid = word_of_bus(connection, "GetConnectionUnixUser")};
}

} // namespace

Client::Impl::Impl(ConnectOptions options, sd_bus* bus, std::unique_ptr<sdbus::IConnection> connection)
    : options_{std::move(options)}, bus_{bus}, connection_{std::move(connection)}, manager_{*connection_} {}

/// In a container it is another than we are told: the one of whom the daemon says that he has both ends of a
/// pipe, of which only one was passed. Where he does not say, we are as likely in none.
std::int32_t Client::Impl::our_pid() {
    std::array<int, 2> ends{};
    if (our_pid_ || ::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return our_pid_.value_or(::getpid());
    }
    const sdbus::UnixFd passed{ends[0], sdbus::adopt_fd};
    const sdbus::UnixFd kept{ends[1], sdbus::adopt_fd};
    const auto holders = ask([&] {
                             return manager_.WhoOwns(passed);
                         }).value_or(std::vector<HolderRow>{});
    const auto has = [&holders](std::int32_t pid, int fd) {
        return std::ranges::any_of(holders, [&](const HolderRow& row) {
            return row.get<0>() == pid && row.get<6>() == fd;
        });
    };
    for (const HolderRow& row : holders) {
        if (has(row.get<0>(), passed.get()) && has(row.get<0>(), kept.get())) {
            our_pid_ = row.get<0>();
        }
    }
    return our_pid_.value_or(::getpid());
}

Failure Client::Impl::failure(const sdbus::Error& error) const {
    auto failure = failure_of(error.getName(), error.getMessage());
    if (error.getName() == SD_BUS_ERROR_TIMEOUT || error.getName() == SD_BUS_ERROR_TIMED_OUT) {
        const Span waited = std::chrono::microseconds{connection_->getMethodCallTimeout()};
        failure.message = formatted("No answer within {}.", format_span(waited));
    }
    return failure;
}

/// A ghost that has just gone is told of, and keeps nobody from the others.
Answer<> Client::Impl::in_batches(const std::vector<GhostId>& ids,
                                  const std::function<void(const std::vector<GhostId>&)>& call) {
    Answer<> gone;
    for (auto from = ids.begin(); from != ids.end();) {
        const auto to = from + std::min(batch, std::distance(from, ids.end()));
        if (auto answer = change([&] {
                call({from, to});
            });
            !answer) {
            if (answer.error().code != ExitCode::not_found) {
                return answer;
            }
            gone = answer;
        }
        from = to;
    }
    return gone;
}

void Client::Impl::prepare_for_password() {
    // Root is not asked, and so needs nobody who asks.
    if (options_.asking == Asking::never || agent_ || geteuid() == 0) {
        return;
    }
    agent_.emplace();
    const auto patience = std::max(options_.timeout, ConnectOptions::password_timeout);
    connection_->setMethodCallTimeout(usec_of(patience));
}

Client::Client(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
Client::~Client() = default;
Client::Client(Client&& other) noexcept = default;
Client& Client::operator=(Client&& other) noexcept = default;

Answer<Client> Client::connect(const ConnectOptions& options) {
    auto complete = options;
    complete.address = address_of(options);
    sd_bus* raw{};
    if (const int error = sd_bus_new(&raw); error < 0) {
        return std::unexpected(no_bus(complete.address, reason(error)));
    }
    BusPtr bus{raw};
    if (const int error = prepare(bus.get(), complete); error < 0) {
        return std::unexpected(no_bus(complete.address, reason(error)));
    }
    try {
        auto connection = sdbus::createBusConnection(bus.get());
        static_cast<void>(bus.release());
        return Client{std::make_unique<Impl>(std::move(complete), raw, std::move(connection))};
    } catch (const sdbus::Error& error) {
        return std::unexpected(no_bus(complete.address, error.getMessage()));
    }
}

const std::string& Client::address() const {
    return impl_->options().address;
}

Answer<bool> Client::has_owner(const std::string& name) {
    return impl_->ask([&] {
        const auto bus = sdbus::createProxy(impl_->connection(), sdbus::ServiceName{"org.freedesktop.DBus"},
                                            sdbus::ObjectPath{"/org/freedesktop/DBus"});
        bool owned{};
        bus->callMethod("NameHasOwner")
            .onInterface("org.freedesktop.DBus")
            .withArguments(name)
            .storeResultsTo(owned);
        return owned;
    });
}

Answer<bool> Client::can_be_had(const std::string& name) {
    auto owned = has_owner(name);
    if (!owned || *owned) {
        return owned;
    }
    return impl_->ask([&] {
        const auto bus = sdbus::createProxy(impl_->connection(), sdbus::ServiceName{"org.freedesktop.DBus"},
                                            sdbus::ObjectPath{"/org/freedesktop/DBus"});
        std::vector<std::string> names;
        bus->callMethod("ListActivatableNames").onInterface("org.freedesktop.DBus").storeResultsTo(names);
        return std::ranges::contains(names, name);
    });
}

Answer<> Client::find_daemon() {
    return has_owner(service_name).and_then([](bool owned) -> Answer<> {
        return owned ? Answer<>{} : std::unexpected(not_running());
    });
}

Answer<ManagerView> Client::manager() {
    return impl_->ask([&] {
        return manager_view(impl_->manager().properties());
    });
}

Answer<KindView> Client::kind(const std::string& name) {
    return impl_->ask([&] {
        KindProxy proxy{impl_->connection(), name};
        return kind_view(proxy.properties());
    });
}

Answer<UnitView> Client::unit(const std::string& name) {
    const sdbus::ServiceName systemd{"org.freedesktop.systemd1"};
    const auto there = has_owner(systemd);
    if (!there) {
        return std::unexpected(there.error());
    }
    if (!*there) {
        return std::unexpected(Failure{ExitCode::unreachable, "systemd is not on this bus.", {}});
    }
    return impl_->ask([&] {
        const auto manager =
            sdbus::createProxy(impl_->connection(), systemd, sdbus::ObjectPath{"/org/freedesktop/systemd1"});
        sdbus::ObjectPath path;
        manager->callMethod("LoadUnit")
            .onInterface("org.freedesktop.systemd1.Manager")
            .withArguments(name)
            .storeResultsTo(path);
        const auto unit = sdbus::createProxy(impl_->connection(), systemd, path);
        const auto text = [&unit](const char* property) {
            return unit->getProperty(property)
                .onInterface("org.freedesktop.systemd1.Unit")
                .get<std::string>();
        };
        return UnitView{.active = text("ActiveState"),
                        .sub = text("SubState"),
                        .enabled = text("UnitFileState"),
                        .found = text("LoadState") != "not-found"};
    });
}

Answer<std::vector<GhostRow>> Client::ghosts(const Filter& filter) {
    return impl_->ask([&] {
        const auto wanted = dictionary(filter);
        std::vector<GhostRow> all;
        for (std::uint32_t offset = 0;;) {
            const auto [total, rows] = impl_->manager().ListGhosts(wanted, offset, page_rows);
            std::ranges::transform(rows, std::back_inserter(all), [](const auto& row) {
                return ghost_row(row);
            });
            offset += static_cast<std::uint32_t>(rows.size());
            if (rows.empty() || offset >= total) {
                return all;
            }
        }
    });
}

Answer<std::uint32_t> Client::count(const Filter& filter) {
    return impl_->ask([&] {
        return std::get<0>(impl_->manager().ListGhosts(dictionary(filter), 0, 1));
    });
}

Answer<std::vector<MemberRow>> Client::members(GhostId id, std::size_t most) {
    return impl_->ask([&] {
        std::vector<MemberRow> all;
        while (all.size() < most) {
            const auto wanted =
                static_cast<std::uint32_t>(std::min<std::size_t>(most - all.size(), page_rows));
            const auto [total, rows] =
                impl_->manager().ListMembers(id, static_cast<std::uint32_t>(all.size()), wanted);
            std::ranges::transform(rows, std::back_inserter(all), [](const auto& row) {
                return member_row(row);
            });
            if (rows.empty() || all.size() >= total) {
                break;
            }
        }
        return all;
    });
}

Answer<Json> Client::describe(GhostId id) {
    return impl_
        ->ask([&] {
            return impl_->manager().Describe(id);
        })
        .and_then(parsed);
}

Answer<std::string> Client::explain(GhostId id) {
    return impl_->ask([&] {
        return impl_->manager().Explain(id);
    });
}

Answer<std::vector<IncidentRow>> Client::history(const HistoryFilter& filter, std::uint32_t limit) {
    return impl_->ask([&] {
        std::vector<IncidentRow> incidents;
        for (const auto& row : impl_->manager().History(dictionary(filter), limit)) {
            incidents.push_back(incident_row(row));
        }
        return incidents;
    });
}

Answer<std::vector<QuarantinedRow>> Client::quarantine() {
    return impl_->ask([&] {
        std::vector<QuarantinedRow> all;
        while (true) {
            const auto [total, rows] =
                impl_->manager().ListQuarantine(static_cast<std::uint32_t>(all.size()), page_rows);
            std::ranges::transform(rows, std::back_inserter(all), [](const auto& row) {
                return quarantined_row(row);
            });
            if (rows.empty() || all.size() >= total) {
                return all;
            }
        }
    });
}

Answer<Json> Client::owners(const std::string& path) {
    std::error_code error;
    if (std::filesystem::symlink_status(path, error).type() == std::filesystem::file_type::not_found) {
        return std::unexpected(
            Failure{ExitCode::not_found, formatted("There is no file {}.", printable(path)), {}});
    }
    if (const auto file = open_quietly(path)) {
        return impl_
            ->ask([&] {
                return impl_->manager().Owners(*file);
            })
            .and_then(parsed)
            .transform([&](Json owners) {
                const bool may_be_us = std::ranges::any_of(list_of(owners, "holders"), has_our_name);
                return without_those_who_ask(
                    std::move(owners), {.us = may_be_us ? std::optional{impl_->our_pid()} : std::nullopt,
                                        .bus = bus_process(impl_->connection()),
                                        .asked = file->get()});
            });
    }
    return impl_
        ->change([&] {
            return impl_->manager().OwnersOfPath(name_for_daemon(path));
        })
        .and_then(parsed);
}

Answer<std::vector<OutcomeRow>> Client::clean(const std::vector<GhostId>& ids, Least least) {
    Dictionary options;
    if (least == Least::suspected) {
        options.emplace("suspected", sdbus::Variant{true});
    }
    std::vector<OutcomeRow> outcomes;
    for (auto from = ids.begin(); from != ids.end();) {
        const auto to = from + std::min(batch, std::distance(from, ids.end()));
        const auto answer = impl_->change([&] {
            return impl_->manager().Clean(std::vector(from, to), options);
        });
        if (!answer && outcomes.empty()) {
            return std::unexpected(answer.error());
        }
        if (!answer) {
            // What the batches before have done must be told in any case.
            std::transform(from, ids.end(), std::back_inserter(outcomes), [&answer](GhostId id) {
                return OutcomeRow{id, "failed", answer.error().message};
            });
            return outcomes;
        }
        for (const auto& [id, verdict, why] : *answer) {
            outcomes.push_back({id, verdict, why});
        }
        from = to;
    }
    return outcomes;
}

Answer<> Client::hold(const std::vector<GhostId>& ids, Span span) {
    return impl_->in_batches(ids, [&](const auto& part) {
        impl_->manager().Hold(part, usec_of(span));
    });
}

Answer<> Client::ignore(const std::vector<GhostId>& ids, Span span) {
    return impl_->in_batches(ids, [&](const auto& part) {
        impl_->manager().Ignore(part, usec_of(span));
    });
}

Answer<std::string> Client::restore(GhostId id) {
    return impl_->change([&] {
        return impl_->manager().Restore(id);
    });
}

Answer<std::uint32_t> Client::scan(const std::vector<std::string>& kinds) {
    return impl_->change([&] {
        return impl_->manager().Scan(kinds);
    });
}

Answer<> Client::set_policy(const std::string& kind, const std::map<std::string, std::string>& values,
                            Lifetime lifetime) {
    return impl_->change([&] {
        Dictionary options;
        for (const auto& [name, value] : values) {
            options.emplace(name, sdbus::Variant{value});
        }
        impl_->manager().SetPolicy(kind, options, lifetime == Lifetime::persistent);
    });
}

Answer<> Client::pause(Acting acting) {
    return impl_->change([&] {
        impl_->manager().Pause(acting == Acting::paused);
    });
}

Answer<> Client::reload() {
    return impl_->change([&] {
        impl_->manager().Reload();
    });
}

} // namespace egb::cli
