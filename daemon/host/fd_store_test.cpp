// SPDX-License-Identifier: Apache-2.0
#include "host/fd_store.hpp"

#include "core/format.hpp"
#include "harness/notify_socket.hpp"
#include "harness/temp_folder.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace egb::host {

namespace {

bool same_file(int left, int right) {
    struct stat first{};
    struct stat second{};
    return ::fstat(left, &first) == 0 && ::fstat(right, &second) == 0 && first.st_ino == second.st_ino &&
           first.st_dev == second.st_dev;
}

TEST(FdStore, KeepsInPlaceOfWhatWasThere) {
    const test::NotifySocket manager;
    SystemdFdStore store;
    const Fd kept{::memfd_create("kept", MFD_CLOEXEC)};
    ASSERT_TRUE(store.keep("tcp-links v1", kept.get()));
    const auto messages = manager.received();
    EXPECT_THAT(test::texts(messages), testing::ElementsAre("FDSTOREREMOVE=1\nFDNAME=tcp-links v1",
                                                            "FDSTORE=1\nFDNAME=tcp-links v1\nFDPOLL=0"));
    ASSERT_EQ(messages[1].fds.size(), 1);
    EXPECT_TRUE(same_file(messages[1].fds[0].get(), kept.get()));
    EXPECT_TRUE(messages[0].fds.empty());
}

TEST(FdStore, Drops) {
    const test::NotifySocket manager;
    SystemdFdStore store;
    store.drop("ring");
    EXPECT_THAT(test::texts(manager.received()), testing::ElementsAre("FDSTOREREMOVE=1\nFDNAME=ring"));
}

TEST(FdStore, RefusesNamesThatSystemdWouldNotTake) {
    const test::NotifySocket manager;
    SystemdFdStore store;
    for (const std::string& name :
         {std::string{}, std::string{"a:b"}, std::string{"a\nWATCHDOG=1"}, std::string{"gespenst\xC3\xA4"},
          std::string{"\x7F"}, std::string(256, 'x')}) {
        const auto kept = store.keep(name, STDOUT_FILENO);
        ASSERT_FALSE(kept) << name;
        EXPECT_EQ(kept.error().code, ErrorCode::invalid);
        store.drop(name);
    }
    EXPECT_THAT(test::texts(manager.received()), testing::IsEmpty());
    EXPECT_TRUE(store.keep(std::string(255, 'x'), STDOUT_FILENO));
}

TEST(FdStore, SaysWhenADescriptorIsNone) {
    const test::NotifySocket manager;
    SystemdFdStore store;
    EXPECT_FALSE(store.keep("ring", -1));
}

TEST(FdStore, SaysWhenTheManagerIsNotThere) {
    const test::TempFolder folder;
    ::setenv("NOTIFY_SOCKET", (folder.path() / "nobody").c_str(), 1);
    SystemdFdStore store;
    EXPECT_FALSE(store.keep("ring", STDOUT_FILENO));
    ::unsetenv("NOTIFY_SOCKET");
}

TEST(FdStore, HasNoEffectOutsideOfAServiceManager) {
    ::unsetenv("NOTIFY_SOCKET");
    SystemdFdStore store;
    EXPECT_TRUE(store.keep("ring", STDOUT_FILENO));
    EXPECT_FALSE(store.take("ring"));
    EXPECT_EQ(store.drop_untaken(), 0);
}

/// Runs `check` in a process that was started like a service with these descriptors in its store; they are
/// empty files whose length is their index + 1. Returns what it says, "" for all is well.
std::string started_with(std::initializer_list<std::string_view> names,
                         const std::function<std::string(SystemdFdStore&)>& check) {
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) {
        return "pipe2";
    }
    const Fd reader{pipe[0]};
    Fd writer{pipe[1]};
    const auto child = ::fork();
    if (child == 0) {
        // Out of the way of the descriptors from 3 on.
        const int out = ::fcntl(writer.get(), F_DUPFD, 100);
        int next = 3;
        std::string joined;
        for (const auto name : names) {
            const int file = ::memfd_create("passed", 0);
            const bool made =
                ::ftruncate(file, next - 2) == 0 && (file == next || ::dup2(file, next) == next);
            joined += formatted("{}{}", joined.empty() ? "" : ":", made ? name : "broken");
            ++next;
        }
        ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
        ::setenv("LISTEN_FDS", std::to_string(names.size()).c_str(), 1);
        ::setenv("LISTEN_FDNAMES", joined.c_str(), 1);
        SystemdFdStore store;
        const auto said = check(store);
        const bool told = ::write(out, said.data(), said.size()) == static_cast<ssize_t>(said.size());
        ::_exit(told ? 0 : 1);
    }
    writer.reset();
    std::array<char, 4096> said{};
    const auto length = ::read(reader.get(), said.data(), said.size());
    int status = -1;
    ::waitpid(child, &status, 0);
    return status == 0 && length >= 0 ? std::string{said.data(), static_cast<std::size_t>(length)}
                                      : formatted("the child ended with status {}", status);
}

off_t length_of(const std::optional<Fd>& fd) {
    struct stat status{};
    return fd && ::fstat(fd->get(), &status) == 0 ? status.st_size : -1;
}

TEST(FdStore, HandsOutWhatWasPassedOnce) {
    EXPECT_EQ(started_with({"ring", "links"},
                           [](SystemdFdStore& store) {
                               const auto links = store.take("links");
                               const auto ring = store.take("ring");
                               return formatted("{} {} {} {}", length_of(ring), length_of(links),
                                                store.take("ring").has_value(), store.drop_untaken());
                           }),
              "1 2 false 0");
}

TEST(FdStore, ClosesPassedDescriptorsOnExecution) {
    EXPECT_EQ(started_with({"ring"},
                           [](SystemdFdStore& store) {
                               const auto ring = store.take("ring");
                               return std::to_string(::fcntl(ring->get(), F_GETFD));
                           }),
              std::to_string(FD_CLOEXEC));
}

TEST(FdStore, TakesTheFirstOfOneName) {
    EXPECT_EQ(started_with({"ring", "ring"},
                           [](SystemdFdStore& store) {
                               const auto ring = store.take("ring");
                               return formatted("{} {} {}", length_of(ring), store.take("ring").has_value(),
                                                ::fcntl(4, F_GETFD));
                           }),
              "1 false -1");
}

TEST(FdStore, DropsWhatNobodyTook) {
    const test::NotifySocket manager;
    EXPECT_EQ(started_with({"ring", "links v0", "links v1", "canary"},
                           [](SystemdFdStore& store) {
                               const auto links = store.take("links v1");
                               const auto kept = store.keep("canary", STDOUT_FILENO);
                               const auto dropped = store.drop_untaken();
                               return formatted("{} {} {}", kept.has_value(), dropped, ::fcntl(3, F_GETFD));
                           }),
              "true 2 -1");
    EXPECT_THAT(test::texts(manager.received()),
                testing::ElementsAre("FDSTOREREMOVE=1\nFDNAME=canary", "FDSTORE=1\nFDNAME=canary\nFDPOLL=0",
                                     "FDSTOREREMOVE=1\nFDNAME=links v0", "FDSTOREREMOVE=1\nFDNAME=ring"));
}

TEST(FdStore, RefusesAWrongEnvironment) {
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDS", "many", 1);
    EXPECT_THROW(SystemdFdStore{}, std::system_error);
    ::unsetenv("LISTEN_PID");
    ::unsetenv("LISTEN_FDS");
}

} // namespace

} // namespace egb::host
