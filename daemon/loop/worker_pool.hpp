// SPDX-License-Identifier: Apache-2.0
// A thread or two for what blocks. A job gets an immutable snapshot and comes back to the loop with its result;
// the only mutex of the daemon lives here.
#pragma once

#include "loop/event_loop.hpp"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace egb::loop {

class WorkerPool {
public:
    /// Runs on a worker; what it returns runs on the loop afterwards.
    using Job = std::function<std::function<void()>()>;

    WorkerPool(EventLoop& loop, std::size_t threads);
    /// Waits for the jobs under way; the ones that wait, and all results, are dropped.
    ~WorkerPool();
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    void submit(Job job);

private:
    void work(const std::stop_token& stop);
    void deliver();

    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::deque<Job> jobs_;
    std::deque<std::function<void()>> done_;
    int eventfd_;
    EventSource source_;
    std::vector<std::jthread> threads_; ///< last: it ends first
};

} // namespace egb::loop
