// SPDX-License-Identifier: Apache-2.0
#include "loop/worker_pool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <csignal>
#include <memory>
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <thread>

namespace egb::loop {

namespace {

class WorkerPoolTest : public testing::Test {
protected:
    EventLoop loop_;
};

TEST_F(WorkerPoolTest, WorksElsewhereAndComesBack) {
    WorkerPool pool{loop_, 1};
    pool.submit([this, home = std::this_thread::get_id()]() -> WorkerPool::Result {
        EXPECT_NE(std::this_thread::get_id(), home);
        return [this, home] {
            EXPECT_EQ(std::this_thread::get_id(), home);
            loop_.stop(0);
        };
    });
    EXPECT_EQ(loop_.run(), 0);
}

TEST_F(WorkerPoolTest, DoesEveryJobOnce) {
    constexpr int jobs = 1000;
    WorkerPool pool{loop_, 2};
    std::vector<int> done(jobs); // touched by the loop alone
    int left = jobs;
    for (int job = 0; job < jobs; ++job) {
        pool.submit([&, job, input = std::make_shared<const int>(job)]() -> WorkerPool::Result {
            return [&, job, square = *input * *input] {
                EXPECT_EQ(square, job * job);
                ++done[static_cast<std::size_t>(job)];
                if (--left == 0) {
                    loop_.stop(0);
                }
            };
        });
    }
    EXPECT_EQ(loop_.run(), 0);
    EXPECT_THAT(done, testing::Each(1));
}

TEST_F(WorkerPoolTest, WorksOnSeveralThingsAtOnce) {
    WorkerPool pool{loop_, 2};
    std::binary_semaphore met{0};
    pool.submit([&]() -> WorkerPool::Result {
        met.acquire();
        return [&] {
            loop_.stop(0);
        };
    });
    pool.submit([&]() -> WorkerPool::Result {
        met.release();
        return {};
    });
    EXPECT_EQ(loop_.run(), 0);
}

TEST_F(WorkerPoolTest, TakesJobsFromResults) {
    WorkerPool pool{loop_, 1};
    int rounds = 0;
    std::function<WorkerPool::Result()> job = [&] {
        return [&] {
            if (++rounds == 3) {
                loop_.stop(0);
            } else {
                pool.submit(job);
            }
        };
    };
    pool.submit(job);
    EXPECT_EQ(loop_.run(), 0);
    EXPECT_EQ(rounds, 3);
}

TEST_F(WorkerPoolTest, TakesAnExceptionToTheLoop) {
    WorkerPool pool{loop_, 1};
    pool.submit([]() -> WorkerPool::Result {
        throw std::runtime_error{"disk on fire"};
    });
    EXPECT_THAT(
        [this] {
            loop_.run();
        },
        testing::ThrowsMessage<std::runtime_error>("disk on fire"));
}

TEST_F(WorkerPoolTest, LeavesSignalsToTheLoop) {
    WorkerPool pool{loop_, 1};
    pool.submit([this]() -> WorkerPool::Result {
        sigset_t blocked;
        ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
        EXPECT_EQ(::sigismember(&blocked, SIGTERM), 1);
        EXPECT_EQ(::sigismember(&blocked, SIGCHLD), 1);
        return [this] {
            loop_.stop(0);
        };
    });
    EXPECT_EQ(loop_.run(), 0);
    sigset_t ours;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &ours);
    EXPECT_EQ(::sigismember(&ours, SIGTERM), 0);
}

TEST_F(WorkerPoolTest, EndsWhenJobsWait) {
    std::atomic<int> begun{0};
    std::atomic<int> ended{0};
    const auto captured = std::make_shared<int>();
    {
        std::optional<WorkerPool> pool{std::in_place, loop_, 2};
        for (int job = 0; job < 100; ++job) {
            pool->submit([&, captured]() -> WorkerPool::Result {
                ++begun;
                std::this_thread::yield();
                ++ended;
                return [captured] {
                    FAIL() << "the result outlived the pool";
                };
            });
        }
    }
    EXPECT_EQ(begun, ended);
    EXPECT_EQ(captured.use_count(), 1);
    loop_.stop(0);
    EXPECT_EQ(loop_.run(), 0);
}

TEST_F(WorkerPoolTest, EndsWhenNothingWaits) {
    const WorkerPool pool{loop_, 2};
}

} // namespace

} // namespace egb::loop
