// SPDX-License-Identifier: Apache-2.0
// The load of ./dev bench tcp: connects, accepts and closes over loopback, one connection after the other, as
// fast as one core can. The client closes first, so that the server's end goes through CLOSE_WAIT and
// LAST_ACK as it does on a busy server.
#include "bench/load.hpp"
#include "host/fd.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace {

using egb::bench::check;
using egb::host::Fd;

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

} // namespace

int main() {
    Listener listener;
    egb::bench::run_as_told([&listener] {
        listener.run_one_connection();
    });
}
