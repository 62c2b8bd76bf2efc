// SPDX-License-Identifier: Apache-2.0
#include "sinks/log.hpp"

#include "core/format.hpp"

#include <spdlog/sinks/null_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/systemd_sink.h>
#include <spdlog/spdlog.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <utility>

namespace egb::sinks {

namespace {

struct Level {
    std::string_view name;
    spdlog::level::level_enum least;
};

// syslog has names that spdlog has not; each shows at least what it asks for.
constexpr std::array levels{
    Level{"emerg", spdlog::level::critical}, Level{"alert", spdlog::level::critical},
    Level{"crit", spdlog::level::critical},  Level{"err", spdlog::level::err},
    Level{"warning", spdlog::level::warn},   Level{"notice", spdlog::level::info},
    Level{"info", spdlog::level::info},      Level{"debug", spdlog::level::debug},
};

/// systemd says in $JOURNAL_STREAM which stream leads to the journal, so that a redirected one is not taken
/// for it.
bool stderr_is_the_journal() {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat status{};
    return stream != nullptr && ::fstat(STDERR_FILENO, &status) == 0 &&
           formatted("{}:{}", status.st_dev, status.st_ino) == stream;
}

spdlog::sink_ptr make_sink(std::string_view target, const std::string& identifier) {
    if (target == "journal" || (target == "auto" && stderr_is_the_journal())) {
        return std::make_shared<spdlog::sinks::systemd_sink_mt>(identifier);
    }
    if (target == "console" || target == "auto") {
        return std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
    }
    if (target == "null") {
        return std::make_shared<spdlog::sinks::null_sink_mt>();
    }
    return nullptr;
}

} // namespace

Log::Log(std::string identifier) : identifier_{std::move(identifier)}, level_{"info"}, target_{"auto"} {
    spdlog::set_default_logger(
        std::make_shared<spdlog::logger>(identifier_, make_sink(target_, identifier_)));
}

Log::~Log() {
    spdlog::shutdown();
}

Result<> Log::set_level(std::string_view level) {
    const auto* known = std::ranges::find(levels, level, &Level::name);
    if (known == levels.end()) {
        return fail(ErrorCode::invalid,
                    "no log level \"{}\": emerg, alert, crit, err, warning, notice, info or debug", level);
    }
    spdlog::set_level(known->least);
    level_ = level;
    return {};
}

Result<> Log::set_target(std::string_view target) {
    auto sink = make_sink(target, identifier_);
    if (!sink) {
        return fail(ErrorCode::invalid, "no log target \"{}\": auto, journal, console or null", target);
    }
    spdlog::default_logger()->sinks() = {std::move(sink)};
    target_ = target;
    return {};
}

} // namespace egb::sinks
