// SPDX-License-Identifier: Apache-2.0
#include "contract/running_daemon.hpp"

#include "contract/client.hpp"
#include "contract/eventually.hpp"
#include "contract/interface_xml.hpp"
#include "harness/directory_kind.hpp"
#include "host/fd.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>

namespace egb::test {

RunningDaemon::RunningDaemon(const PrivateBus& bus, std::string_view configuration)
    : things_{folder_.path() / "things"} {
    std::filesystem::create_directory(things_);
    std::filesystem::create_directory(folder_.path() / "state");
    configure(configuration);
    const auto state = (folder_.path() / "state").string();
    const auto root = (folder_.path() / "root").string();
    const auto log_file = folder_.path() / "log";
    const host::Fd log{::open(log_file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
    Client client{bus};
    ::setenv(fake_directory_variable, things_.c_str(), 1);
    pid_ = ::fork();
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::dup2(log.get(), STDERR_FILENO);
        ::execl(EGB_DAEMON_PROGRAM, EGB_DAEMON_PROGRAM, bus.address().c_str(), state.c_str(), root.c_str(),
                nullptr);
        ::_exit(127);
    }
    const bool ready = eventually([&] {
        return sd_bus_get_name_creds(client.raw(), "org.eghostbuster1", 0, nullptr) >= 0 || has_ended();
    });
    if (pid_ < 0 || !ready || status_) {
        throw std::runtime_error{"the daemon does not start: " + this->log()};
    }
}

RunningDaemon::~RunningDaemon() {
    if (pid_ > 0 && !status_) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
}

std::filesystem::path RunningDaemon::plant(const std::string& name, std::string_view content) const {
    return folder_.write(std::filesystem::path{"things"} / name, content);
}

void RunningDaemon::configure(std::string_view configuration) const {
    write_system_file("etc/eghostbuster/eghostbuster.conf", configuration);
}

std::filesystem::path RunningDaemon::write_system_file(const std::filesystem::path& relative,
                                                       std::string_view text) const {
    return folder_.write("root" / relative, text);
}

std::string RunningDaemon::log() const {
    return read_file((folder_.path() / "log").string());
}

bool RunningDaemon::has_ended() {
    int status{};
    if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) {
        status_ = status;
    }
    return status_.has_value();
}

std::optional<int> RunningDaemon::wait() {
    const bool ended = eventually([this] {
        return has_ended();
    });
    return ended && WIFEXITED(*status_) ? std::optional{WEXITSTATUS(*status_)} : std::nullopt;
}

std::optional<int> RunningDaemon::stop() {
    ::kill(pid_, SIGTERM);
    return wait();
}

} // namespace egb::test
