// SPDX-License-Identifier: Apache-2.0
#include "host/socket_acts.hpp"

#include "bpf/socket_acts.h"
#include "host/halves.hpp"
#include "host/net_namespace.hpp"
#include "host/sock_diag.hpp"
#include "socket_acts.skel.h"

#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <ranges>

namespace egb::host {

namespace {

constexpr std::string_view ask_program = "egb_socket_ask";
constexpr std::string_view answers_program = "egb_socket_answers";
constexpr std::string_view destroy_program = "egb_socket_destroy";
constexpr Halves destroying_programs{.whole = destroy_program,
                                     .halves = {"egb_socket_destroy_lower", "egb_socket_destroy_upper"},
                                     .worth_a_thread = 2'000};
constexpr std::string_view look_program = "egb_socket_look";
constexpr std::string_view nudged_program = "egb_socket_nudged";

BpfImage image() {
    static constexpr std::array optional{ask_program,
                                         answers_program,
                                         destroy_program,
                                         destroying_programs.halves[0],
                                         destroying_programs.halves[1],
                                         nudged_program};
    std::size_t size = 0;
    const void* elf = socket_acts_bpf__elf_bytes(&size);
    return {.name = "socket_acts",
            .layout = EGB_SOCKET_ACTS_LAYOUT,
            .elf = std::span{static_cast<const std::byte*>(elf), size},
            .optional = optional};
}

egb_socket_order order_of(const SocketTarget& target, bool only_look) {
    return {.cookie = target.cookie,
            .bytes_sent = target.bytes_sent,
            .bytes_acked = target.bytes_acked,
            .bytes_received = target.bytes_received,
            .receive_queue = target.receive_queue,
            .send_queue = target.send_queue,
            .state = target.state,
            .only_look = only_look ? 1U : 0U,
            .fate = EGB_SOCKET_UNMET,
            .error = 0,
            .first_sequence = target.first_sequence,
            .spare = 0};
}

std::unexpected<Error> gone() {
    return fail(ErrorCode::not_found, "the socket is no more");
}

template <typename Answer>
std::vector<Answer> one_by_one(std::span<const SocketTarget> targets, const auto& act) {
    std::vector<Answer> answers;
    answers.reserve(targets.size());
    for (const SocketTarget& target : targets) {
        answers.push_back(act(target));
    }
    return answers;
}

/// One answer for each target: why its network namespace could not be worked in, else what `read` makes of
/// the fate that the kernel side has told of it.
template <typename Answer, typename Report>
std::vector<Result<Answer>> each(std::span<const SocketTarget> targets, const Result<Report>& report,
                                 const auto& read) {
    std::vector<Result<Answer>> answers;
    answers.reserve(targets.size());
    for (const SocketTarget& target : targets) {
        if (!report) {
            answers.push_back(std::unexpected(report.error()));
        } else if (const auto fate = report->fates.find(target.cookie); fate != report->fates.end()) {
            answers.push_back(read(fate->second.what, fate->second.error));
        } else if (const auto closed = report->closed.find(target.netns); closed != report->closed.end()) {
            answers.push_back(std::unexpected(closed->second));
        } else {
            answers.push_back(gone());
        }
    }
    return answers;
}

/// Whatever it is, it was tried.
std::unexpected<Error> kernel_said(int error) {
    auto failure = fail_errno("the kernel", error);
    failure.error().code = ErrorCode::io;
    return failure;
}

Result<> read_act(std::uint32_t fate, int error) {
    switch (fate) {
    case EGB_SOCKET_DONE:
        return {};
    case EGB_SOCKET_SOUND:
        return only_rehearsed();
    case EGB_SOCKET_ASKS_ITSELF:
        return asks_by_itself();
    case EGB_SOCKET_CHANGED:
        return no_longer_as_judged();
    case EGB_SOCKET_STAYED:
        return still_there();
    default:
        return kernel_said(error);
    }
}

} // namespace

Result<> SocketActs::load() {
    if (object_) {
        return {};
    }
    if (broken_) {
        return std::unexpected(*broken_);
    }
    auto object = std::make_unique<BpfObject>(image(), store_);
    if (auto loaded = object->load(); !loaded) {
        broken_ = loaded.error();
        return loaded;
    }
    object_ = std::move(object);
    has_destroy_ = object_->run("egb_socket_can_destroy").has_value();
    return {};
}

std::string SocketActs::lack(std::string_view program) {
    const auto loaded = load();
    return loaded ? object_->refusal(program) : loaded.error().message;
}

std::string SocketActs::destroy_program_lack() {
    if (auto refused = lack(destroy_program); !refused.empty()) {
        return refused;
    }
    return has_destroy_ ? "" : "this kernel has no bpf_sock_destroy (Linux 6.5 has)";
}

Ability SocketActs::nudging() {
    const std::string refused = lack(ask_program);
    if (refused.empty()) {
        return {.lack = {}, .way = "peers are asked by bpf_setsockopt in iter/tcp"};
    }
    const std::string cannot_borrow = held_.lack();
    return {.lack = cannot_borrow.empty() ? "" : refused + "; and " + cannot_borrow,
            .way =
                "peers are asked through a copy of the holder's descriptor (pidfd_getfd); what is known of a "
                "question is lost with the daemon"};
}

Ability SocketActs::destroying() {
    const std::string refused = destroy_program_lack();
    if (refused.empty()) {
        return {.lack = {}, .way = "sockets are ended by bpf_sock_destroy in iter/tcp, under their lock"};
    }
    const std::string not_by_netlink = SockDiag::lack();
    return {.lack = not_by_netlink.empty() ? "" : refused + "; and " + not_by_netlink,
            .way = "sockets are ended by netlink's SOCK_DESTROY, right after a last look"};
}

/// Sockets are listed by network namespace, and an iterator lists those of the one that it is started in.
Result<SocketActs::Report> SocketActs::order(const Steps& steps, std::span<const SocketTarget> targets,
                                             bool only_look) {
    if (auto loaded = load(); !loaded) {
        return std::unexpected(loaded.error());
    }
    std::map<std::uint64_t, Targets> by_namespace;
    for (const SocketTarget& target : targets) {
        by_namespace[target.netns].push_back(&target);
    }
    Report report;
    // To find out who lives where takes a walk through /proc.
    const auto spaces = targets.empty() ? std::vector<NetNamespace>{} : procfs_.net_namespaces();
    for (const auto& [inode, there] : by_namespace) {
        const auto ordered = in_namespace_of(*there.front(), spaces, [&, here = std::span{there}] {
            return order_here(steps, here, only_look, report);
        });
        if (!ordered) {
            report.closed.emplace(inode, ordered.error());
        }
    }
    return report;
}

Result<> SocketActs::order_here(const Steps& steps, std::span<const SocketTarget* const> targets,
                                bool only_look, Report& report) {
    const auto shared = object_->rows("egb_socket_orders");
    if (!shared) {
        return std::unexpected(shared.error());
    }
    for (const auto some : targets | std::views::chunk(EGB_SOCKET_ORDERS)) {
        const auto orders = shared->as<egb_socket_order>().first(some.size());
        std::ranges::transform(some, orders.begin(), [only_look](const SocketTarget* target) {
            return order_of(*target, only_look);
        });
        std::ranges::sort(orders, {}, &egb_socket_order::cookie);
        const auto count = static_cast<std::uint32_t>(orders.size());
        auto done = carry_out(steps, count);
        // An iterator may step over a socket while others come and go: who was not met is looked for again.
        if (done && std::ranges::contains(orders, EGB_SOCKET_UNMET, &egb_socket_order::fate)) {
            done = carry_out(steps, count);
        }
        if (!done) {
            return done;
        }
        for (const egb_socket_order& order : orders) {
            if (order.fate != EGB_SOCKET_UNMET) {
                report.fates[order.cookie] = {.what = order.fate, .error = order.error};
            }
        }
    }
    return {};
}

Result<> SocketActs::carry_out(const Steps& steps, std::uint32_t orders) {
    auto done = object_->control("egb_socket_ordered", std::as_bytes(std::span{&orders, 1}));
    for (auto step = steps.begin(); done && step != steps.end(); ++step) {
        // They act, and write nothing.
        done = object_->iterate_at_once(*step, 1, [](EventSource::Record /*none*/) {});
    }
    return done;
}

std::vector<Result<>> SocketActs::nudge(std::span<const SocketTarget> targets, const NudgeTiming& timing,
                                        Earnest earnest) {
    if (!lack(ask_program).empty()) {
        return one_by_one<Result<>>(targets, [&](const SocketTarget& target) {
            return held_.nudge(target, timing, earnest);
        });
    }
    const egb_socket_nudge nudge{.interval_s = timing.interval_s(), .probes = timing.probe_count()};
    const auto report =
        load()
            .and_then([&] {
                return object_->control("egb_socket_nudge", std::as_bytes(std::span{&nudge, 1}));
            })
            .and_then([&] {
                return order({{ask_program}}, targets, earnest == Earnest::rehearsal);
            });
    return each<void>(targets, report, read_act);
}

/// The kernel's word is not enough: what it says to have ended must not be there any more.
std::vector<Result<>> SocketActs::destroy(std::span<const SocketTarget> targets, Earnest earnest) {
    if (!destroy_program_lack().empty()) {
        return destroy_by_netlink(targets, earnest);
    }
    const auto programs = destroying_programs.programs(targets.size(), [this](std::string_view program) {
        return lack(program);
    });
    const Steps steps{{programs.begin(), programs.end()}, {look_program}};
    return each<void>(targets, order(steps, targets, earnest == Earnest::rehearsal), read_act);
}

std::vector<Result<>> SocketActs::destroy_by_netlink(std::span<const SocketTarget> targets, Earnest earnest) {
    const auto spaces = procfs_.net_namespaces();
    return one_by_one<Result<>>(targets, [&](const SocketTarget& target) {
        return in_namespace_of(target, spaces, [&] {
            return SockDiag::open().and_then([&](const SockDiag& diag) {
                return diag.destroy(target, earnest);
            });
        });
    });
}

/// By way of a process that lives there; else by way of one that holds the socket from elsewhere.
Result<> SocketActs::in_namespace_of(const SocketTarget& target, const std::vector<NetNamespace>& spaces,
                                     const std::function<Result<>()>& work) const {
    const auto space = std::ranges::find(spaces, target.netns, &NetNamespace::inode);
    if (space != spaces.end()) {
        return in_net_namespace(space->fd, work);
    }
    const auto held = held_.net_namespace(target);
    if (!held) {
        return fail(ErrorCode::unsupported,
                    "no process lives in its network namespace, and it cannot be entered otherwise: {}",
                    held.error().message);
    }
    return in_net_namespace(*held, work);
}

std::vector<Result<PeerAnswer>> SocketActs::answers(std::span<const SocketTarget> targets, Release release) {
    if (!lack(ask_program).empty()) {
        return one_by_one<Result<PeerAnswer>>(targets, [&](const SocketTarget& target) {
            return held_.answer(target, release);
        });
    }
    const auto report = order({{answers_program}}, targets, release == Release::answered);
    return each<PeerAnswer>(targets, report, [](std::uint32_t fate, int /*error*/) -> Result<PeerAnswer> {
        return fate == EGB_SOCKET_ANSWERED ? PeerAnswer::alive : PeerAnswer::none_yet;
    });
}

Result<std::vector<SocketTarget>> SocketActs::nudged() {
    if (!lack(ask_program).empty()) {
        return held_.nudged();
    }
    std::vector<SocketTarget> found;
    auto listed =
        object_->iterate(nudged_program, sizeof(egb_socket_nudged), [&](EventSource::Record record) {
            egb_socket_nudged told{};
            std::memcpy(&told, record.data(), sizeof(told));
            found.push_back(
                {.cookie = told.cookie, .netns = told.netns, .state = TCP_CLOSE_WAIT, .holders = {}});
        });
    return listed.transform([&] {
        return std::move(found);
    });
}

} // namespace egb::host
