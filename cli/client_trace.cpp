// SPDX-License-Identifier: Apache-2.0
#include "client.hpp"

#include "client_impl.hpp"
#include "core/format.hpp"
#include "time.hpp"

#include <systemd/sd-event.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <memory>
#include <string_view>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace egb::cli {

namespace {

using Dictionary = std::map<std::string, sdbus::Variant>;

struct UnrefEvent {
    void operator()(sd_event* event) const { sd_event_unref(event); }
};
struct UnrefSource {
    void operator()(sd_event_source* source) const { sd_event_source_disable_unref(source); }
};
using SourcePtr = std::unique_ptr<sd_event_source, UnrefSource>;

constexpr std::uint64_t timer_accuracy_usec = 1'000;

Dictionary dictionary(const TraceFilter& filter) {
    Dictionary wanted;
    for (const auto& [name, value] :
         {std::pair{"comm", &filter.command}, {"unit", &filter.unit}, {"cgroup", &filter.cgroup}}) {
        if (!value->empty()) {
            wanted.emplace(name, sdbus::Variant{*value});
        }
    }
    for (const auto& [name, value] : {std::pair{"failed", filter.failed}, {"cwd", filter.cwd}}) {
        if (value) {
            wanted.emplace(name, sdbus::Variant{true});
        }
    }
    if (filter.fork) {
        wanted.emplace("events", sdbus::Variant{std::vector<std::string>{"exec", "fork", "exit"}});
    }
    if (filter.min_duration > Span::zero()) {
        wanted.emplace("min_duration", sdbus::Variant{usec_of(filter.min_duration)});
    }
    if (filter.uid) {
        wanted.emplace("uid", sdbus::Variant{*filter.uid});
    }
    if (filter.pid) {
        wanted.emplace("pid", sdbus::Variant{*filter.pid});
    }
    return wanted;
}

/// The stream, cut into lines.
class Stream {
public:
    Stream(sd_event* loop, sdbus::UnixFd socket, const Client::TraceHooks& hooks)
        : loop_{loop}, socket_{std::move(socket)}, hooks_{hooks} {}

    [[nodiscard]] int fd() const { return socket_.get(); }
    [[nodiscard]] bool ended_by_daemon() const { return ended_by_daemon_; }

    /// Takes all that is there.
    void read() {
        constexpr std::size_t block_bytes = std::size_t{64} * 1'024;
        std::array<char, block_bytes> block{};
        while (true) {
            const auto got = ::read(fd(), block.data(), block.size());
            if (got > 0) {
                text_.append(block.data(), static_cast<std::size_t>(got));
                hand_out_lines();
            } else if (got < 0 && errno == EINTR) {
                continue;
            } else {
                ended_by_daemon_ = got == 0;
                break;
            }
        }
        if (ended_by_daemon_) {
            sd_event_exit(loop_, 0);
        }
    }

    void refresh() const { hooks_.on_refresh(); }

private:
    void hand_out_lines() {
        std::size_t begin = 0;
        for (auto end = text_.find('\n'); end != std::string::npos; end = text_.find('\n', begin)) {
            hooks_.on_line(std::string_view{text_}.substr(begin, end - begin));
            begin = end + 1;
        }
        text_.erase(0, begin);
        hooks_.on_pause();
    }

    sd_event* loop_;
    sdbus::UnixFd socket_;
    const Client::TraceHooks& hooks_;
    std::string text_;
    bool ended_by_daemon_{};
};

int on_lines(sd_event_source* /*source*/, int /*fd*/, std::uint32_t /*events*/, void* stream) {
    static_cast<Stream*>(stream)->read();
    return 0;
}

int on_end(sd_event_source* source, std::uint64_t /*usec*/, void* stream) {
    // What has come in is before the end.
    static_cast<Stream*>(stream)->read();
    return sd_event_exit(sd_event_source_get_event(source), 0);
}

int on_refresh(sd_event_source* source, std::uint64_t usec, void* stream) {
    constexpr std::uint64_t second_usec = 1'000'000;
    static_cast<Stream*>(stream)->refresh();
    sd_event_source_set_time(source, usec + second_usec);
    return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

Failure no_loop(int negative_errno) {
    return {ExitCode::partly,
            formatted("No event loop: {}.", std::generic_category().message(-negative_errno)),
            {}};
}

/// The sources of one trace, for as long as it runs.
class Sources {
public:
    explicit Sources(sd_event* loop) : loop_{loop} {}

    void add_stream(Stream& stream) {
        sd_event_source* source{};
        note(sd_event_add_io(loop_, &source, stream.fd(), EPOLLIN, on_lines, &stream));
        sources_.emplace_back(source);
    }

    void add_timer(Span after, sd_event_time_handler_t handler, Stream& stream) {
        sd_event_source* source{};
        note(sd_event_add_time_relative(loop_, &source, CLOCK_MONOTONIC, usec_of(after), timer_accuracy_usec,
                                        handler, &stream));
        sources_.emplace_back(source);
    }

    [[nodiscard]] int error() const { return error_; }

private:
    void note(int result) { error_ = error_ < 0 ? error_ : std::min(result, 0); }

    sd_event* loop_;
    int error_{};
    std::vector<SourcePtr> sources_;
};

} // namespace

Answer<> Client::trace(const TraceFilter& filter, std::optional<Span> span, const TraceHooks& hooks) {
    auto socket = impl_->change([&] {
        return impl_->manager().Watch("process", dictionary(filter));
    });
    if (!socket) {
        return std::unexpected(socket.error());
    }
    sd_event* raw{};
    if (const int error = sd_event_new(&raw); error < 0) {
        return std::unexpected(no_loop(error));
    }
    const std::unique_ptr<sd_event, UnrefEvent> loop{raw};
    Stream stream{raw, *std::move(socket), hooks};
    Sources sources{raw};
    sources.add_stream(stream);
    if (span && *span != forever) {
        sources.add_timer(*span, on_end, stream);
    }
    if (hooks.on_refresh) {
        sources.add_timer(std::chrono::seconds{1}, on_refresh, stream);
    }
    const int signals = sd_event_set_signal_exit(raw, 1);
    if (const int error = std::min(sources.error(), signals); error < 0) {
        return std::unexpected(no_loop(error));
    }
    if (const int ended = sd_event_loop(raw); ended < 0) {
        return std::unexpected(no_loop(ended));
    }
    if (stream.ended_by_daemon()) {
        return std::unexpected(Failure{ExitCode::unreachable, "The daemon has ended the stream.",
                                       "See why: systemctl status eghostbuster"});
    }
    return {};
}

} // namespace egb::cli
