// SPDX-License-Identifier: Apache-2.0
#include "loop/worker_pool.hpp"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <exception>
#include <system_error>
#include <utility>

namespace egb::loop {

namespace {

/// Threads made meanwhile are born with all signals blocked: signals are for the loop.
class SignalsBlocked {
public:
    SignalsBlocked() {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;
    ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_{};
};

WorkerPool::Result result_of(const WorkerPool::Job& job) {
    try {
        return job();
    } catch (...) {
        return [failure = std::current_exception()] {
            std::rethrow_exception(failure);
        };
    }
}

} // namespace

WorkerPool::Bell::Bell() : fd_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
    if (fd_ < 0) {
        throw std::system_error{errno, std::generic_category(), "eventfd"};
    }
}

WorkerPool::Bell::~Bell() {
    ::close(fd_);
}

/// Cannot fail: the counter would have to reach 2^64 first.
void WorkerPool::Bell::ring() const {
    ::eventfd_write(fd_, 1);
}

void WorkerPool::Bell::silence() const {
    eventfd_t rung{};
    ::eventfd_read(fd_, &rung);
}

WorkerPool::WorkerPool(EventLoop& loop, std::size_t threads)
    : source_{loop.on_readable(bell_.fd(), Priority::events, [this] {
          deliver();
      })} {
    const SignalsBlocked blocked;
    for (std::size_t made = 0; made < threads; ++made) {
        threads_.emplace_back([this](const std::stop_token& stop) {
            work(stop);
        });
    }
}

WorkerPool::~WorkerPool() {
    // All at once: a worker that is waited for before the next is told to stop leaves that one time for more
    // jobs.
    for (auto& thread : threads_) {
        thread.request_stop();
    }
}

void WorkerPool::submit(Job job) {
    {
        const std::lock_guard lock{mutex_};
        jobs_.push_back(std::move(job));
    }
    wake_.notify_one();
}

void WorkerPool::work(const std::stop_token& stop) {
    while (true) {
        std::unique_lock lock{mutex_};
        wake_.wait(lock, stop, [this] {
            return !jobs_.empty();
        });
        if (stop.stop_requested()) {
            return;
        }
        const auto job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();

        auto result = result_of(job);

        lock.lock();
        done_.push_back(std::move(result));
        lock.unlock();
        bell_.ring();
    }
}

void WorkerPool::deliver() {
    bell_.silence();
    std::deque<Result> done;
    {
        const std::lock_guard lock{mutex_};
        done.swap(done_);
    }
    for (const auto& result : done) {
        if (result) {
            result();
        }
    }
}

} // namespace egb::loop
