// SPDX-License-Identifier: Apache-2.0
// A thread or two for what blocks. A job gets an immutable snapshot and comes back to the loop with its
// result; the only mutex of the daemon lives here.
#pragma once

#include "loop/event_loop.hpp"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace egb::loop {

/// Made, used and ended on the loop's thread.
class WorkerPool {
public:
    using Result = std::function<void()>;

    /// Runs on a worker; what it returns runs on the loop afterwards, and may be empty. A job that throws,
    /// throws on the loop, and so ends it.
    using Job = std::function<Result()>;

    WorkerPool(EventLoop& loop, std::size_t threads);
    /// Waits for the jobs under way; the ones that wait, and all results, are dropped.
    ~WorkerPool();
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    void submit(Job job);

private:
    /// How a worker wakes the loop.
    class Bell {
    public:
        Bell();
        ~Bell();
        Bell(const Bell&) = delete;
        Bell& operator=(const Bell&) = delete;

        [[nodiscard]] int fd() const { return fd_; }
        void ring() const;
        void silence() const;

    private:
        int fd_;
    };

    void work(const std::stop_token& stop);
    void deliver();

    std::mutex mutex_; ///< of jobs_ and done_
    std::condition_variable_any wake_;
    std::deque<Job> jobs_;
    std::deque<Result> done_;
    Bell bell_;
    EventSource source_;
    std::vector<std::jthread> threads_; ///< last: it ends first
};

} // namespace egb::loop
