// SPDX-License-Identifier: Apache-2.0
#include "bus/manager.hpp"

#include "bus/kind_object.hpp"
#include "bus/wire.hpp"
#include "core/format.hpp"
#include "core/utf8.hpp"
#include "host/fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <iterator>
#include <memory>
#include <utility>

namespace egb::bus {

namespace {

constexpr std::uint32_t most_rows = 1'000;

std::uint32_t page_size(std::uint32_t limit) {
    return limit == 0 ? most_rows : std::min(limit, most_rows);
}

GhostRowOnWire row_of(const GhostRow& row) {
    const Ghost& ghost = *row.ghost;
    const auto holders = static_cast<std::uint32_t>(ghost.holders.size());
    const Process* const first = ghost.holders.empty() ? nullptr : ghost.holders.front().process.get();
    return GhostRowOnWire{ghost.id,
                          std::string{ghost.kind->name},
                          std::string{to_string(ghost.grade)},
                          printable(ghost.summary),
                          wire_time(row.since),
                          ghost.since_kind == SinceKind::at_least,
                          first == nullptr ? 0 : first->id.pid,
                          first == nullptr ? "" : printable(first->comm),
                          first == nullptr ? "" : printable(first->unit),
                          holders,
                          std::string{to_string(row.action)}};
}

MemberOnWire member_of(const GhostRow& row) {
    const Ghost& ghost = *row.ghost;
    return MemberOnWire{ghost.id, ghost.holders.empty() ? -1 : ghost.holders.front().fd, wire_time(row.since),
                        ghost.since_kind == SinceKind::at_least, printable(ghost.summary)};
}

HistoryRowOnWire row_of(const state::HistoryRow& row) {
    return HistoryRowOnWire{
        row.sequence,          wire_time(row.at),    printable(row.type),    row.ghost,
        printable(row.kind),   printable(row.grade), printable(row.summary), printable(row.verdict),
        printable(row.reason), printable(row.actor)};
}

QuarantineRowOnWire row_of(const QuarantineRow& row) {
    return QuarantineRowOnWire{row.ghost,
                               printable(row.kind),
                               wire_time(row.since),
                               printable(row.path),
                               std::string{to_string(row.type)},
                               row.size};
}

HolderOnWire row_of(const Holder& holder) {
    const Process& process = *holder.process;
    return HolderOnWire{process.id.pid,
                        process.uid,
                        printable(process.comm),
                        printable(process.exe),
                        printable(process.unit),
                        printable(process.container),
                        holder.fd};
}

template <typename Rows>
auto rows_of(const Rows& rows) {
    std::vector<decltype(row_of(rows.front()))> wire;
    wire.reserve(rows.size());
    for (const auto& row : rows) {
        wire.push_back(row_of(row));
    }
    return wire;
}

template <typename List>
std::string joined(const List& list) {
    std::string text;
    for (const auto& entry : list) {
        text += formatted("{}{}", text.empty() ? "" : ", ", entry);
    }
    return text;
}

Result<> check_ids(const std::vector<std::uint64_t>& ids) {
    if (ids.empty()) {
        return fail(ErrorCode::invalid, "no ghost is named: give at least one id");
    }
    return {};
}

Result<> check_path(const std::string& path) {
    if (!path.starts_with('/') || path.size() >= PATH_MAX) {
        return fail(ErrorCode::invalid, "the path must be absolute and shorter than {} bytes", PATH_MAX);
    }
    return {};
}

/// May wait for a file server that does not answer.
Result<host::Fd> opened(const std::string& path) {
    host::Fd file{::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)};
    if (!file) {
        return fail_errno(path);
    }
    return file;
}

Result<> check_stream(std::string_view stream) {
    if (stream != "process") {
        return fail(ErrorCode::invalid, "there is no stream \"{}\"; there is process", shortened(stream));
    }
    return {};
}

/// What a watcher asks for, as far as a prompt has room for it.
std::string account_of(const Dictionary& filter) {
    std::string account;
    for (const auto& [name, value] : filter) {
        account += formatted("{}{}", account.empty() ? "by " : ", ", name);
    }
    return account.empty() ? "all of them" : account;
}

/// Many nodes stand for one device, and every terminal and /dev/null would list half the machine.
Result<> check_no_device(int fd) {
    struct statx status{};
    // A file server that does not answer must not keep the loop: what a node is does not change.
    if (::statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &status) < 0) {
        return fail_errno("the file cannot be looked at");
    }
    if (S_ISCHR(status.stx_mode) || S_ISBLK(status.stx_mode)) {
        return fail(ErrorCode::denied, "a device node is not its device: who has the node open says nothing "
                                       "about who uses it");
    }
    return {};
}

/// A descriptor that its owner could open for reading or writing. One that only names a file can be had for
/// any file at all.
Result<> check_descriptor(int fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0) {
        return fail_errno("the descriptor cannot be looked at");
    }
    if ((flags & O_PATH) != 0) {
        return fail(ErrorCode::denied, "the descriptor was opened with O_PATH, which says nothing about the "
                                       "right to the file: open it for reading, or ask for its path");
    }
    return {};
}

void answer(const sdbus::Result<>& result, Subject subject, const Result<>& outcome) {
    if (outcome) {
        result.returnResults();
    } else {
        result.returnError(to_bus_error(outcome.error(), subject));
    }
}

template <typename Out>
void answer(const sdbus::Result<Out>& result, Subject subject, const Result<Out>& outcome) {
    if (outcome) {
        result.returnResults(*outcome);
    } else {
        result.returnError(to_bus_error(outcome.error(), subject));
    }
}

} // namespace

ManagerObject::ManagerObject(sdbus::IConnection& connection, Control& control, Bouncer& bouncer,
                             loop::WorkerPool& workers)
    : AdaptorInterfaces{connection, sdbus::ObjectPath{"/org/eghostbuster1"}},
      control_{control},
      bouncer_{bouncer},
      workers_{workers},
      told_{changing()} {
    registerAdaptor();
    getObject().addObjectManager();
}

ManagerObject::~ManagerObject() {
    unregisterAdaptor();
}

template <typename Work, typename... Out>
void ManagerObject::guard(Subject subject, sdbus::Result<Out...>&& result, Bouncer::Details details,
                          Work work) {
    bouncer_.check(std::move(details), [subject, result = std::move(result),
                                        work = std::move(work)](const Bouncer::Verdict& verdict) mutable {
        if (!verdict) {
            result.returnError(verdict.error());
            return;
        }
        answer(result, subject, work(*verdict));
    });
}

std::tuple<std::uint32_t, std::vector<GhostRowOnWire>>
ManagerObject::ListGhosts(const Dictionary& filter, const std::uint32_t& offset, const std::uint32_t& limit) {
    const auto wanted = value_or_throw(ghost_filter(filter), Subject::filter);
    if (!wanted.kind.empty()) {
        value_or_throw(check_kind(wanted.kind), Subject::kind);
    }
    const auto page = control_.list(wanted, offset, page_size(limit));
    return {page.total, rows_of(page.rows)};
}

std::tuple<std::uint32_t, std::vector<MemberOnWire>>
ManagerObject::ListMembers(const std::uint64_t& id, const std::uint32_t& offset, const std::uint32_t& limit) {
    // 0 is nobody, and would stand for no filter at all.
    GhostFilter wanted;
    wanted.group = id;
    const auto page = id == 0 ? GhostPage{} : control_.list(wanted, offset, page_size(limit));
    std::vector<MemberOnWire> members;
    members.reserve(page.rows.size());
    std::ranges::transform(page.rows, std::back_inserter(members), member_of);
    return {page.total, std::move(members)};
}

std::string ManagerObject::Describe(const std::uint64_t& id) {
    return wire_text(value_or_throw(control_.describe(id), Subject::ghost));
}

std::string ManagerObject::Explain(const std::uint64_t& id) {
    return wire_text(value_or_throw(control_.explain(id), Subject::ghost));
}

std::vector<HistoryRowOnWire> ManagerObject::History(const Dictionary& filter, const std::uint32_t& limit) {
    const auto wanted = value_or_throw(history_filter(filter), Subject::filter);
    return rows_of(value_or_throw(control_.history(wanted, page_size(limit)), Subject::filter));
}

std::tuple<std::uint32_t, std::vector<QuarantineRowOnWire>>
ManagerObject::ListQuarantine(const std::uint32_t& offset, const std::uint32_t& limit) {
    const auto page = value_or_throw(control_.quarantine(offset, page_size(limit)), Subject::file);
    return {page.total, rows_of(page.rows)};
}

ManagerObject::Holders ManagerObject::WhoOwns(const sdbus::UnixFd& file) {
    return ask(file, &ManagerObject::holders_of);
}

void ManagerObject::WhoOwnsPath(sdbus::Result<Holders>&& result, std::string path) {
    ask(std::move(result), std::move(path), &ManagerObject::holders_of);
}

std::string ManagerObject::Owners(const sdbus::UnixFd& file) {
    return ask(file, &ManagerObject::owners_of);
}

void ManagerObject::OwnersOfPath(sdbus::Result<std::string>&& result, std::string path) {
    ask(std::move(result), std::move(path), &ManagerObject::owners_of);
}

template <typename Out>
Out ManagerObject::ask(const sdbus::UnixFd& file, Question<Out> question) {
    value_or_throw(check_descriptor(file.get()), Subject::file);
    return value_or_throw((this->*question)(file.get()), Subject::file);
}

template <typename Out>
void ManagerObject::ask(sdbus::Result<Out>&& result, std::string path, Question<Out> question) {
    if (const auto sound = check_path(path); !sound) {
        result.returnError(to_bus_error(sound.error(), Subject::option));
        return;
    }
    Bouncer::Details details{{"path", path}};
    bouncer_.check(std::move(details), [this, question, result = std::move(result),
                                        path = std::move(path)](const Bouncer::Verdict& verdict) mutable {
        if (!verdict) {
            result.returnError(verdict.error());
            return;
        }
        open_then(path, [this, question, result = std::move(result)](const Result<host::Fd>& file) {
            answer(result, Subject::file,
                   file ? (this->*question)(file->get()) : std::unexpected(file.error()));
        });
    });
}

void ManagerObject::open_then(const std::string& path, Then then) {
    const auto number = ++last_lookup_;
    lookups_.emplace(number, std::move(then));
    workers_.submit([this, number, path]() -> std::function<void()> {
        // What runs on the loop is copied on its way there; a descriptor is not.
        return [this, number, file = std::make_shared<const Result<host::Fd>>(opened(path))] {
            lookups_.extract(number).mapped()(*file);
        };
    });
}

void ManagerObject::Clean(sdbus::Result<std::vector<OutcomeOnWire>>&& result, Ids ids, Dictionary options) {
    const auto least = check_ids(ids).and_then([&options] {
        return least_grade(options);
    });
    if (!least) {
        result.returnError(to_bus_error(least.error(), Subject::option));
        return;
    }
    Bouncer::Details details{{"ghosts", joined(ids)}};
    guard(Subject::ghost, std::move(result), std::move(details),
          [this, ids = std::move(ids),
           grade = *least](const Caller& caller) -> Result<std::vector<OutcomeOnWire>> {
              std::vector<OutcomeOnWire> outcomes;
              std::vector<Error> missing;
              for (const auto id : ids) {
                  const auto outcome =
                      control_.clean(id, grade, caller.actor()).or_else([&](const Error& error) {
                          missing.push_back(error);
                          return Result<Outcome>{Outcome{.verdict = Verdict::gone, .reason = error.message}};
                      });
                  outcomes.emplace_back(id, std::string{to_string(outcome->verdict)},
                                        printable(outcome->reason));
              }
              if (missing.size() == ids.size()) {
                  return std::unexpected(missing.front());
              }
              return outcomes;
          });
}

void ManagerObject::Hold(sdbus::Result<>&& result, Ids ids, std::uint64_t usec) {
    hold(&Control::hold, std::move(result), std::move(ids), usec);
}

void ManagerObject::Ignore(sdbus::Result<>&& result, Ids ids, std::uint64_t usec) {
    hold(&Control::ignore, std::move(result), std::move(ids), usec);
}

void ManagerObject::hold(HoldWay way, sdbus::Result<>&& result, Ids ids, std::uint64_t usec) {
    if (const auto sound = check_ids(ids); !sound) {
        result.returnError(to_bus_error(sound.error(), Subject::option));
        return;
    }
    Bouncer::Details details{{"ghosts", joined(ids)}};
    guard(Subject::ghost, std::move(result), std::move(details),
          [this, way, ids = std::move(ids), span = span_of_usec(usec)](const Caller&) -> Result<> {
              // One ghost that has just gone is no reason to leave the others to the policy.
              Result<> first;
              for (const auto id : ids) {
                  if (auto held = (control_.*way)(id, span); !held && first) {
                      first = std::move(held);
                  }
              }
              return first;
          });
}

void ManagerObject::Restore(sdbus::Result<std::string>&& result, std::uint64_t id) {
    guard(Subject::ghost, std::move(result), {{"ghosts", std::to_string(id)}},
          [this, id](const Caller&) -> Result<std::string> {
              return control_.restore(id).transform(wire_text);
          });
}

void ManagerObject::Scan(sdbus::Result<std::uint32_t>&& result, std::vector<std::string> kinds) {
    for (const auto& kind : kinds) {
        if (const auto known = check_kind(kind); !known) {
            result.returnError(to_bus_error(known.error(), Subject::kind));
            return;
        }
    }
    Bouncer::Details details{{"kinds", joined(kinds.empty() ? control_.status().kinds : kinds)}};
    guard(Subject::kind, std::move(result), std::move(details),
          [this, kinds = std::move(kinds)](const Caller&) -> Result<std::uint32_t> {
              return control_.scan(kinds);
          });
}

void ManagerObject::SetPolicy(sdbus::Result<>&& result, std::string kind, Dictionary options,
                              bool persistent) {
    if (const auto known = check_kind(kind); !known) {
        result.returnError(to_bus_error(known.error(), Subject::kind));
        return;
    }
    const auto table = options_of(*control_.kind_status(kind)->info);
    auto values = policy_options(options, table);
    if (!values) {
        result.returnError(to_bus_error(values.error(), Subject::option));
        return;
    }
    std::string settings;
    for (const auto& [name, value] : *values) {
        settings += formatted("{}{}={}", settings.empty() ? "" : ", ", name, value);
    }
    Bouncer::Details details{{"kind", kind}, {"options", std::move(settings)}};
    const auto lifetime = persistent ? Control::Lifetime::persistent : Control::Lifetime::until_reload;
    guard(Subject::option, std::move(result), std::move(details),
          [this, kind = std::move(kind), values = *std::move(values), lifetime](const Caller&) -> Result<> {
              return control_.set_policy(kind, values, lifetime);
          });
}

void ManagerObject::Watch(sdbus::Result<sdbus::UnixFd>&& result, std::string stream, Dictionary filter) {
    if (const auto known = check_stream(stream); !known) {
        result.returnError(to_bus_error(known.error(), Subject::option));
        return;
    }
    auto wanted = trace_filter(filter);
    if (!wanted) {
        result.returnError(to_bus_error(wanted.error(), Subject::filter));
        return;
    }
    Bouncer::Details details{{"filter", account_of(filter)}};
    bouncer_.check(std::move(details), [this, result = std::move(result), wanted = *std::move(wanted)](
                                           const Bouncer::Verdict& verdict) mutable {
        if (!verdict) {
            result.returnError(verdict.error());
            return;
        }
        auto socket = control_.watch(wanted, verdict->uid);
        if (socket) {
            result.returnResults(sdbus::UnixFd{socket->release(), sdbus::adopt_fd});
        } else if (socket.error().code == ErrorCode::busy) {
            result.returnError(limits_exceeded(socket.error().message));
        } else {
            result.returnError(to_bus_error(socket.error(), Subject::filter));
        }
    });
}

void ManagerObject::Pause(sdbus::Result<>&& result, bool paused) {
    guard(Subject::option, std::move(result), {{"paused", paused ? "on" : "off"}},
          [this, paused](const Caller&) -> Result<> {
              return control_.pause(paused);
          });
}

void ManagerObject::Reload(sdbus::Result<>&& result) {
    guard(Subject::option, std::move(result), {}, [this](const Caller&) -> Result<> {
        return control_.reload();
    });
}

Result<> ManagerObject::check_kind(std::string_view kind) const {
    const auto kinds = control_.status().kinds;
    if (!std::ranges::contains(kinds, kind)) {
        return fail(ErrorCode::not_found, "there is no kind \"{}\"; known are {}", shortened(kind),
                    joined(kinds));
    }
    return {};
}

Result<ManagerObject::Holders> ManagerObject::holders_of(int fd) {
    return check_no_device(fd)
        .and_then([this, fd] {
            return control_.who_owns(fd);
        })
        .transform([](const std::vector<Holder>& holders) {
            return rows_of(holders);
        });
}

Result<std::string> ManagerObject::owners_of(int fd) {
    return check_no_device(fd)
        .and_then([this, fd] {
            return control_.owners(fd);
        })
        .transform(wire_text);
}

std::string ManagerObject::Version() {
    return control_.status().version;
}
std::string ManagerObject::BootId() {
    return control_.status().boot_id;
}
std::uint64_t ManagerObject::Started() {
    return wire_time(control_.status().started);
}
std::vector<std::string> ManagerObject::Kinds() {
    return control_.status().kinds;
}
bool ManagerObject::DryRun() {
    return control_.status().dry_run;
}
std::uint64_t ManagerObject::Ghosts() {
    return control_.status().ghosts;
}
bool ManagerObject::Paused() {
    return control_.status().paused;
}

std::vector<std::string> ManagerObject::Troubles() {
    const auto status = control_.status();
    std::vector<std::string> troubles;
    if (!status.state_trouble.empty()) {
        troubles.push_back(printable(status.state_trouble));
    }
    for (const auto& trouble : status.list_troubles) {
        troubles.push_back(formatted("not all of a list counts: {}", printable(trouble)));
    }
    for (const auto& name : status.kinds) {
        const auto kind = control_.kind_status(name);
        if (kind && !kind->trouble.empty()) {
            troubles.push_back(formatted("{}: {}", name, printable(kind->trouble)));
        }
    }
    return troubles;
}

std::vector<CapabilityOnWire> ManagerObject::Capabilities() {
    std::vector<CapabilityOnWire> capabilities;
    for (const auto& name : control_.status().kinds) {
        const auto kind = control_.kind_status(name);
        if (!kind) {
            continue;
        }
        for (const auto& capability : kind->capabilities) {
            capabilities.emplace_back(name, std::string{capability.name}, capability.works,
                                      printable(capability.detail));
        }
    }
    return capabilities;
}

ManagerObject::Changing ManagerObject::changing() {
    return {.ghosts = Ghosts(), .paused = Paused(), .troubles = Troubles(), .capabilities = Capabilities()};
}

void ManagerObject::publish() {
    auto now = changing();
    std::vector<sdbus::PropertyName> changed;
    const auto compare = [&](auto member, const char* name) {
        if (now.*member != told_.*member) {
            changed.emplace_back(name);
        }
    };
    compare(&Changing::ghosts, "Ghosts");
    compare(&Changing::paused, "Paused");
    compare(&Changing::troubles, "Troubles");
    compare(&Changing::capabilities, "Capabilities");
    told_ = std::move(now);
    if (!changed.empty()) {
        getObject().emitPropertiesChangedSignal(INTERFACE_NAME, changed);
    }
}

} // namespace egb::bus
