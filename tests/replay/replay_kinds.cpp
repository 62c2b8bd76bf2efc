// SPDX-License-Identifier: Apache-2.0
#include "replay/replay_kinds.hpp"

#include "replay/fake_codec.hpp"

#include "harness/fake_kind.hpp"

#include "kinds/lockfile/codec.hpp"
#include "kinds/lockfile/lockfile.hpp"
#include "kinds/lockfile/tracker.hpp"
#include "kinds/tcp/codec.hpp"
#include "kinds/tcp/tcp.hpp"
#include "kinds/tcp/tracker.hpp"

#include <array>

namespace egb::test {

namespace {

std::unique_ptr<Tracker> make_fake_tracker(const OptionValues& options) {
    auto tracker = std::make_unique<FakeTracker>(fake_info());
    tracker->set_grace(options.span("Grace"));
    return tracker;
}

std::unique_ptr<Tracker> make_tcp_tracker(const OptionValues& options) {
    auto tracker = std::make_unique<tcp::TcpTracker>();
    tracker->set_thresholds(tcp::thresholds_of(options));
    tracker->set_leak_after(options.count("LeakAfter"));
    return tracker;
}

std::unique_ptr<Tracker> make_lock_tracker(const OptionValues& options) {
    auto tracker = std::make_unique<lockfile::LockTracker>();
    tracker->set_after(options.span("LockAfter"), Instant{});
    return tracker;
}

} // namespace

std::span<const ReplayKind> replay_kinds() {
    static const FakeCodec fake_codec;
    static const tcp::TcpCodec tcp_codec;
    static const lockfile::LockCodec lock_codec;
    static const std::array kinds{
        ReplayKind{.info = fake_info(), .make_tracker = make_fake_tracker, .codec = fake_codec},
        ReplayKind{.info = tcp::info(), .make_tracker = make_tcp_tracker, .codec = tcp_codec},
        ReplayKind{.info = lockfile::info(), .make_tracker = make_lock_tracker, .codec = lock_codec},
    };
    return kinds;
}

} // namespace egb::test
