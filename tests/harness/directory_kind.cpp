// SPDX-License-Identifier: Apache-2.0
#include "harness/directory_kind.hpp"

#include "core/format.hpp"
#include "harness/builders.hpp"
#include "harness/fake_events.hpp"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

namespace egb::test {

namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t watched = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR;

bool is_control(std::string_view name) {
    return name.starts_with('.');
}

/// What a file says of itself.
struct Content {
    Grade grade{Grade::suspected};
    std::vector<std::int32_t> pids;
};

Content read_content(const fs::path& file) {
    Content content;
    std::ifstream stream{file};
    for (std::string line; std::getline(stream, line);) {
        std::istringstream words{line};
        std::string word;
        words >> word;
        if (word == "proven") {
            content.grade = Grade::proven;
        } else if (std::int32_t pid{}; word == "pid" && words >> pid) {
            content.pids.push_back(pid);
        }
    }
    return content;
}

/// A record without a grade: which file bears the name now.
Result<FakeRecord> identify(const fs::path& file) {
    struct statx status{};
    if (::statx(AT_FDCWD, file.c_str(), AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_TYPE | STATX_BTIME, &status) !=
        0) {
        return fail_errno(file.filename().string());
    }
    const auto name = file.filename().string();
    if (!S_ISREG(status.stx_mode) || name.size() > 100) {
        return fail(ErrorCode::invalid, "{} is not a thing of the kind fake", name);
    }
    const auto born =
        static_cast<std::uint64_t>(status.stx_btime.tv_sec) * 1'000'000'000U + status.stx_btime.tv_nsec;
    return fake_record(name, Grade::suspected, status.stx_ino, born);
}

bool same_file(const FakeRecord& left, const FakeRecord& right) {
    return left.inode == right.inode && left.born == right.born;
}

} // namespace

KindPtr make_directory_kind(const host::Surroundings& surroundings) {
    const char* directory = std::getenv(fake_directory_variable);
    return std::make_unique<DirectoryKind>(surroundings, directory == nullptr ? "" : directory);
}

Result<> DirectoryCleaner::confirm(const Ghost& ghost) {
    const auto judged = judged_(ghost.key);
    const auto found = identify(directory_ / ghost.key);
    if (!found) {
        return std::unexpected{found.error()};
    }
    if (!judged || !same_file(*judged, *found)) {
        return fail(ErrorCode::changed, "another file of the name {} is in its place", ghost.key);
    }
    return {};
}

std::vector<Outcome> DirectoryCleaner::clean(std::span<const GhostPtr> ghosts) {
    std::vector<Outcome> outcomes;
    for (const GhostPtr& ghost : ghosts) {
        outcomes.push_back(clean_one(*ghost));
    }
    return outcomes;
}

Outcome DirectoryCleaner::clean_one(const Ghost& ghost) const {
    const auto file = directory_ / ghost.key;
    std::error_code error;
    if (fs::exists(directory_ / ".stubborn")) {
        return {.verdict = Verdict::failed, .reason = "the file .stubborn is in the way"};
    }
    fs::create_directory(quarantine(), error);
    fs::rename(file, quarantine() / formatted("{}.{}", ghost.id, ghost.key), error);
    if (fs::exists(file)) {
        return {.verdict = Verdict::failed, .reason = "it is still there: " + error.message()};
    }
    return {.verdict = Verdict::cleaned, .reason = "moved into quarantine"};
}

Result<std::string> DirectoryCleaner::restore(GhostId id) {
    const auto prefix = formatted("{}.", id);
    std::error_code error;
    for (const auto& kept : fs::directory_iterator{quarantine(), error}) {
        const auto name = kept.path().filename().string();
        if (!name.starts_with(prefix)) {
            continue;
        }
        const auto file = directory_ / name.substr(prefix.size());
        if (::renameat2(AT_FDCWD, kept.path().c_str(), AT_FDCWD, file.c_str(), RENAME_NOREPLACE) != 0) {
            return fail_errno("restore " + file.string());
        }
        return file.string();
    }
    return fail(ErrorCode::not_found, "nothing of ghost {} is in quarantine", id);
}

DirectoryKind::DirectoryKind(const host::Surroundings& surroundings, const fs::path& directory)
    : surroundings_{surroundings}, directory_{directory}, cleaner_{directory, [this](std::string_view key) {
                                                                       return tracker_.find(key);
                                                                   }} {}

Result<> DirectoryKind::start() {
    if (directory_.empty()) {
        return fail(ErrorCode::invalid, "the environment variable {} names no directory",
                    fake_directory_variable);
    }
    host::Fd inotify{::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
    if (!inotify || ::inotify_add_watch(inotify.get(), directory_.c_str(), watched) < 0) {
        return fail_errno("watch " + directory_.string());
    }
    inotify_ = std::move(inotify);
    return {};
}

std::vector<Capability> DirectoryKind::capabilities() const {
    return {{.name = "directory",
             .works = static_cast<bool>(inotify_),
             .detail = inotify_ ? "watching " + directory_.string() : "not watching " + directory_.string()}};
}

Result<bool> DirectoryKind::drain() {
    alignas(inotify_event) std::array<char, 16384> buffer{};
    const auto size = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (size < 0) {
        return errno == EAGAIN ? Result<bool>{false} : fail_errno("read inotify");
    }
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
        inotify_event event{};
        std::memcpy(&event, buffer.data() + at, sizeof(event));
        at += sizeof(event);
        if ((event.mask & IN_Q_OVERFLOW) != 0) {
            lose(1);
        } else if (event.len > 0) {
            take(buffer.data() + at);
        }
        at += event.len;
    }
    return true;
}

void DirectoryKind::take(std::string_view name) {
    if (is_control(name)) {
        take_control(name);
    } else {
        look_at(name, Source::event);
    }
}

void DirectoryKind::take_control(std::string_view name) {
    if (name == ".canary" && !fs::exists(directory_ / ".deaf")) {
        ++canaries_;
    } else if (std::uint64_t events{}; name == ".lost" && std::ifstream{directory_ / name} >> events) {
        lose(events);
    }
}

void DirectoryKind::look_at(std::string_view name, Source source) {
    auto record = identify(directory_ / name);
    if (!record) {
        if (const auto known = tracker_.find(name)) {
            observe(SightingType::gone, source, &*known);
        }
        return;
    }
    const auto content = read_content(directory_ / name);
    record->proven = content.grade == Grade::proven ? 1 : 0;
    observe(SightingType::seen, source, &*record);
    if (content.pids.empty()) {
        observe(SightingType::held, source, &*record, make_process());
    }
    for (const auto pid : content.pids) {
        if (auto process = surroundings_.procfs.process(pid)) {
            observe(SightingType::held, source, &*record,
                    std::make_shared<const Process>(std::move(*process)));
        }
    }
}

Result<> DirectoryKind::sweep(SweepReason /*reason*/) {
    std::error_code error;
    const fs::directory_iterator files{directory_, error};
    if (error) {
        return fail_errno("list " + directory_.string(), error.value());
    }
    observe(SightingType::sweep_begin, Source::sweep);
    for (const auto& file : files) {
        if (const auto name = file.path().filename().string(); !is_control(name)) {
            look_at(name, Source::sweep);
        }
    }
    observe(SightingType::sweep_end, Source::sweep);
    return {};
}

Result<> DirectoryKind::provoke_canary() {
    const std::ofstream canary{directory_ / ".canary"};
    return canary ? Result<>{} : fail_errno("write .canary");
}

void DirectoryKind::lose(std::uint64_t events) {
    lost_ += events;
    observe(SightingType::lost, Source::event);
}

void DirectoryKind::observe(SightingType type, Source source, const FakeRecord* record, ProcessPtr process) {
    const auto bytes = record == nullptr ? std::vector<std::byte>{} : bytes_of(*record);
    tracker_.observe({.type = type,
                      .source = source,
                      .at = surroundings_.clock.now(),
                      .record = bytes,
                      .process = std::move(process)});
}

} // namespace egb::test
