// SPDX-License-Identifier: Apache-2.0
// BpfObject and BpfEvents on the real kernel, with the object of `tcp` as the guinea pig.
#include "harness/fake_fd_store.hpp"
#include "harness/sockets.hpp"

#include "host/bpf_events.hpp"
#include "host/process_lookup.hpp"
#include "host/procfs.hpp"

#include "bpf/tcp.h"
#include "half.skel.h"
#include "tcp.skel.h"

#include <poll.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>

namespace egb::host {
namespace {

std::span<const std::byte> elf() {
    std::size_t size = 0;
    const void* bytes = tcp_bpf__elf_bytes(&size);
    return {static_cast<const std::byte*>(bytes), size};
}

BpfImage image() {
    return {.name = "tcp", .layout = EGB_TCP_LAYOUT, .elf = elf()};
}

void ignore(EventSource::Record /*record*/) {}

TEST(BpfEvents, counts_what_finds_no_room_in_the_ring_and_goes_on) {
    test::FakeFdStore store;
    BpfEvents events{image(), store};
    ASSERT_TRUE(events.attach());
    // Canaries fill the ring until it refuses one, as a flood would.
    constexpr int more_than_fit = 400'000;
    int provoked = 0;
    while (provoked < more_than_fit && events.provoke_canary()) {
        ++provoked;
    }
    EXPECT_LT(provoked, more_than_fit);
    while (events.drain(1000, ignore).value() > 0) {
    }
    EXPECT_EQ(events.canaries(), static_cast<std::uint64_t>(provoked));
    EXPECT_TRUE(events.provoke_canary()) << "the ring must live again after a flood";
}

TEST(BpfEvents, takes_no_more_at_a_time_than_it_is_told) {
    test::FakeFdStore store;
    BpfEvents events{image(), store};
    ASSERT_TRUE(events.attach());
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(events.provoke_canary());
    }
    EXPECT_EQ(events.drain(4, ignore), 4U);
    EXPECT_EQ(events.canaries(), 4U);
}

TEST(BpfEvents, finds_the_events_that_came_while_nobody_was_there) {
    test::FakeFdStore store;
    {
        BpfEvents events{image(), store};
        ASSERT_TRUE(events.attach());
        ASSERT_TRUE(events.provoke_canary());
    }
    BpfEvents events{image(), store};
    ASSERT_TRUE(events.attach());
    pollfd waiter{.fd = events.poll_fd(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&waiter, 1, 1000), 1);
    EXPECT_EQ(events.drain(10, ignore), 1U);
    EXPECT_EQ(events.canaries(), 1U);
}

BpfImage half_image() {
    std::size_t size = 0;
    const void* bytes = half_bpf__elf_bytes(&size);
    return {.name = "half", .layout = 1, .elf = {static_cast<const std::byte*>(bytes), size}};
}

TEST(BpfObject, does_without_an_optional_program_that_the_kernel_refuses) {
    test::FakeFdStore store;
    static constexpr std::array<std::string_view, 1> optional{"half_bad"};
    BpfImage half = half_image();
    half.optional = optional;
    BpfObject object{half, store};
    const auto loaded = object.load();
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_THAT(object.refusal("half_bad"), testing::HasSubstr("half_bad"));
    EXPECT_EQ(object.refusal("half_good"), "");
    EXPECT_TRUE(object.run("egb_canary"));
}

TEST(BpfObject, does_not_do_without_a_program_that_it_needs) {
    test::FakeFdStore store;
    BpfObject object{half_image(), store};
    const auto loaded = object.load();
    ASSERT_FALSE(loaded);
    EXPECT_THAT(loaded.error().message, testing::HasSubstr("half_bad"));
}

TEST(BpfObject, does_not_take_over_maps_of_another_layout) {
    test::FakeFdStore store;
    {
        BpfObject object{image(), store};
        ASSERT_TRUE(object.load());
    }
    const std::size_t kept = store.names().size();
    BpfImage next = image();
    next.layout = EGB_TCP_LAYOUT + 1;
    BpfObject object{next, store};
    ASSERT_TRUE(object.load());
    EXPECT_EQ(store.names().size(), 2 * kept)
        << "the new layout has its own names, the old ones are for the daemon to drop";
}

TEST(BpfObject, each_run_leaves_one_link_in_the_store) {
    test::FakeFdStore store;
    for (int run = 0; run < 3; ++run) {
        store.restart();
        BpfObject object{image(), store};
        ASSERT_TRUE(object.load());
        EXPECT_EQ(std::ranges::count_if(store.names(),
                                        [](const std::string& name) {
                                            return name.contains(".link.");
                                        }),
                  1);
    }
}

TEST(BpfObject, says_what_it_does_not_have) {
    test::FakeFdStore store;
    BpfObject object{image(), store};
    ASSERT_TRUE(object.load());
    EXPECT_EQ(object.iterate("no_such_program", 1, ignore).error().code, ErrorCode::unsupported);
    EXPECT_EQ(object.run("no_such_program").error().code, ErrorCode::unsupported);
    EXPECT_EQ(object.control("no_such_map", {}).error().code, ErrorCode::unsupported);
    EXPECT_EQ(object.sum("no_such_map").error().code, ErrorCode::unsupported);
}

TEST(BpfObject, an_image_that_is_none_is_an_error_that_names_it) {
    test::FakeFdStore store;
    const std::array<std::byte, 16> garbage{};
    BpfObject object{{.name = "garbage", .layout = 1, .elf = garbage}, store};
    const auto loaded = object.load();
    ASSERT_FALSE(loaded);
    EXPECT_THAT(loaded.error().message, testing::HasSubstr("garbage"));
}

TEST(BpfObject, a_process_can_be_asked_for_the_sockets_that_it_holds) {
    test::FakeFdStore store;
    BpfObject object{image(), store};
    ASSERT_TRUE(object.load());
    auto connection = test::connect_loopback(test::Family::ipv4);
    connection.close_peer();
    const auto cookie = test::cookie_of(connection.ours); // it has none before it is asked for it
    egb_tcp_holders_query query{.pid = ::getpid(), .from_fd = 0, .start_boottime_ns = 0};
    const auto count = object.call("egb_tcp_holders_of", std::as_writable_bytes(std::span{&query, 1}));
    ASSERT_TRUE(count) << count.error().message;
    const auto list = std::make_unique<egb_tcp_held_list>();
    ASSERT_TRUE(object.read("egb_tcp_held", std::as_writable_bytes(std::span{list.get(), 1})));
    ASSERT_EQ(list->count, *count);
    const auto held = std::span{list->held}.first(*count);
    const auto found = std::ranges::find(held, connection.ours.get(), &egb_tcp_held::fd);
    ASSERT_NE(found, held.end());
    EXPECT_EQ(found->cookie, cookie);
    EXPECT_EQ(std::ranges::find(held, connection.peer.get(), &egb_tcp_held::fd), held.end());
    EXPECT_EQ(ProcessLookup::ticks_of(query.start_boottime_ns),
              ProcFs{"/proc"}.identity(::getpid())->start_ticks);
}

} // namespace
} // namespace egb::host
