// SPDX-License-Identifier: Apache-2.0
// The load of ./dev bench tcp: connects, accepts and closes over loopback, one connection after the other, as
// fast as one core can. The client closes first, so that the server's end goes through CLOSE_WAIT and
// LAST_ACK as it does on a busy server.
//
// Reads lines, each a number of milliseconds to run for, and answers each with one object of JSON.
#include "host/fd.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>
#include <system_error>

namespace {

using egb::host::Fd;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

/// Between two looks at the clock.
constexpr unsigned cycles_in_a_batch = 64;

int check(int result, std::string_view what) {
    if (result < 0) {
        throw std::system_error{errno, std::generic_category(), std::string{what}};
    }
    return result;
}

class Listener {
public:
    Listener() {
        address_.sin_family = AF_INET;
        address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        check(::bind(fd_.get(), generic(), size_), "bind");
        check(::listen(fd_.get(), SOMAXCONN), "listen");
        check(::getsockname(fd_.get(), generic(), &size_), "getsockname");
    }

    void run_one_connection() {
        Fd client{check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")};
        check(::connect(client.get(), generic(), size_), "connect");
        const Fd server{check(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept4")};
        client.reset();
        char nothing{};
        check(static_cast<int>(::recv(server.get(), &nothing, sizeof(nothing), 0)), "recv");
    }

private:
    // The socket calls take every family's address as this one.
    sockaddr* generic() { return reinterpret_cast<sockaddr*>(&address_); }

    Fd fd_{check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")};
    sockaddr_in address_{};
    socklen_t size_{sizeof(address_)};
};

void run(Listener& listener, milliseconds length) {
    const auto begun = steady_clock::now();
    std::uint64_t cycles = 0;
    while (steady_clock::now() - begun < length) {
        for (unsigned cycle = 0; cycle < cycles_in_a_batch; ++cycle) {
            listener.run_one_connection();
        }
        cycles += cycles_in_a_batch;
    }
    const nanoseconds took = steady_clock::now() - begun;
    std::cout << R"({"cycles": )" << cycles << R"(, "ns": )" << took.count() << "}\n" << std::flush;
}

} // namespace

int main() {
    Listener listener;
    for (milliseconds::rep length{}; std::cin >> length;) {
        run(listener, milliseconds{length});
    }
}
