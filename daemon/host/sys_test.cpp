// SPDX-License-Identifier: Apache-2.0
#include "host/sys.hpp"

#include "core/format.hpp"
#include "harness/fake_fd_store.hpp"
#include "harness/fake_procfs.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace egb::host {

namespace {

/// A process that does nothing until it is signalled.
class Child {
public:
    Child() : pid_{::fork()} {
        if (pid_ == 0) {
            while (true) {
                ::pause();
            }
        }
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
    }

    [[nodiscard]] pid_t pid() const { return pid_; }

    /// The signal that ended it.
    [[nodiscard]] int wait() {
        int status = 0;
        ::waitpid(std::exchange(pid_, -1), &status, 0);
        return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    }

    [[nodiscard]] bool lives() const { return ::waitpid(pid_, nullptr, WNOHANG) == 0; }

private:
    pid_t pid_;
};

class SysTest : public testing::Test {
protected:
    const ProcFs procfs_{"/proc"};
    test::FakeFdStore store_;
    RealSys real_{procfs_, store_};
    DrySys dry_{procfs_, store_};
    Child child_;
    ProcessIdentity identity_{procfs_.identity(child_.pid()).value()};
};

ErrorCode code_of(const Result<>& result) {
    return result.error_or(Error{ErrorCode::lost, "no error"}).code;
}

TEST_F(SysTest, RealSysSignals) {
    const auto sent = real_.signal_process(identity_, SIGTERM);
    ASSERT_TRUE(sent) << sent.error().message;
    EXPECT_EQ(child_.wait(), SIGTERM);
}

TEST_F(SysTest, DrySysChecksAndDoesNotSignal) {
    const auto sent = dry_.signal_process(identity_, SIGKILL);
    EXPECT_TRUE(sent) << sent.error().message;
    // A signal that had been sent would have arrived before this one, which cannot be overtaken.
    ASSERT_TRUE(real_.signal_process(identity_, SIGTERM));
    EXPECT_EQ(child_.wait(), SIGTERM);
}

TEST_F(SysTest, AnotherProcessWithThePidLives) {
    for (Sys* const sys : {static_cast<Sys*>(&real_), static_cast<Sys*>(&dry_)}) {
        auto earlier = identity_;
        --earlier.start_ticks;
        EXPECT_EQ(code_of(sys->signal_process(earlier, SIGKILL)), ErrorCode::changed);
        auto of_another_boot = identity_;
        of_another_boot.boot_id = "another";
        EXPECT_EQ(code_of(sys->signal_process(of_another_boot, SIGKILL)), ErrorCode::changed);
    }
    EXPECT_TRUE(child_.lives());
}

TEST_F(SysTest, AnEndedProcessIsNotFound) {
    ASSERT_TRUE(real_.signal_process(identity_, SIGKILL));
    EXPECT_EQ(child_.wait(), SIGKILL);
    EXPECT_EQ(code_of(real_.signal_process(identity_, SIGKILL)), ErrorCode::not_found);
    EXPECT_EQ(code_of(dry_.signal_process(identity_, SIGKILL)), ErrorCode::not_found);
}

TEST_F(SysTest, NonsenseIsInvalid) {
    for (const int signal : {-1, 0, SIGRTMAX + 1}) {
        EXPECT_EQ(code_of(dry_.signal_process(identity_, signal)), ErrorCode::invalid);
    }
    for (const std::int32_t pid : {-1, 0}) {
        auto nobody = identity_;
        nobody.pid = pid;
        EXPECT_EQ(code_of(dry_.signal_process(nobody, SIGTERM)), ErrorCode::invalid);
    }
}

TEST_F(SysTest, APidOfAnotherNamespaceIsUnsupported) {
    // A tree in which everything agrees, but for the pid namespace.
    const test::FakeProcFs tree;
    tree.add({.pid = identity_.pid, .start_ticks = identity_.start_ticks});
    tree.write("self/status", formatted("NSpid:\t4242\t{}\n", ::getpid()));
    const ProcFs hosts{tree.root()};
    auto identity = hosts.identity(identity_.pid).value();
    EXPECT_EQ(code_of(RealSys{hosts, store_}.signal_process(identity, SIGKILL)), ErrorCode::unsupported);
    EXPECT_TRUE(child_.lives());
}

} // namespace

} // namespace egb::host
