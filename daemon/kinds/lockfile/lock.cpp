// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/lock.hpp"

#include "core/format.hpp"

#include <algorithm>
#include <charconv>
#include <concepts>
#include <string_view>
#include <utility>

namespace egb::lockfile {

namespace {

/// What the words are: another one, another version.
constexpr std::string_view version = "4";

class Writer {
public:
    void number(std::integral auto value) { text_ += formatted(" {}", value); }

    /// Bytes of any kind, without a blank.
    void bytes(std::string_view value) {
        text_ += " =";
        for (const char byte : value) {
            text_ += formatted("{:02x}", static_cast<unsigned char>(byte));
        }
    }

    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    std::string text_{version};
};

/// Reads what a Writer has written. Once something does not fit, nothing does.
class Reader {
public:
    explicit Reader(std::string_view text) : rest_{text} { sound_ = word() == version; }

    template <std::integral Number>
    void number(Number& value) {
        const auto digits = word();
        const auto read = std::from_chars(digits.begin(), digits.end(), value);
        sound_ = sound_ && read.ec == std::errc{} && read.ptr == digits.end();
    }

    void bytes(std::string& value) {
        const auto digits = word();
        sound_ = sound_ && digits.starts_with('=') && digits.size() % 2 == 1;
        for (std::size_t at = 1; sound_ && at < digits.size(); at += 2) {
            unsigned byte = 0;
            const char* const end = digits.data() + at + 2;
            const auto read = std::from_chars(digits.data() + at, end, byte, 16);
            sound_ = read.ec == std::errc{} && read.ptr == end;
            value += static_cast<char>(byte);
        }
    }

    [[nodiscard]] bool sound_so_far() const { return sound_; }
    [[nodiscard]] bool sound() const { return sound_ && rest_.empty(); }

private:
    std::string_view word() {
        const auto end = rest_.find(' ');
        const auto found = rest_.substr(0, end);
        rest_ = end == std::string_view::npos ? std::string_view{} : rest_.substr(end + 1);
        return found;
    }

    std::string_view rest_;
    bool sound_{};
};

/// The same for both, so that they cannot part.
void each_number(auto& lock, auto& words) {
    words.number(lock.kernel.inode);
    words.number(lock.kernel.device);
    words.number(lock.stamp_ns);
    words.number(lock.made_ns);
    words.number(lock.creator_forked_ns);
    words.number(lock.creator_ended_ns);
    words.number(lock.creator_status);
    words.number(lock.way);
    words.number(lock.inner_pid);
    words.number(lock.pid_namespace);
    words.number(lock.name.mount_namespace);
    words.number(lock.id.device);
    words.number(lock.id.inode);
    words.number(lock.id.born_ns);
    words.number(lock.changed_ns);
    words.number(lock.ownerless_changed_ns);
    words.number(lock.lasting);
    words.number(lock.outlived);
    words.number(lock.let_go);
    words.number(lock.elders.gap);
    words.bytes(lock.name.path);
}

void each_word(auto& process, auto& words) {
    words.number(process.id.pid);
    words.number(process.id.start_ticks);
    words.number(process.uid);
    words.bytes(process.comm);
    words.bytes(process.exe);
    words.bytes(process.unit);
    words.bytes(process.container);
}

} // namespace

Claim Lock::claim() const {
    const host::Death end{.at = instant_of(creator_ended_ns), .wait_status = creator_status};
    return {.creator = creator->id,
            .since = instant_of(made_ns),
            .creator_since = instant_of(creator_forked_ns),
            .elders = elders,
            .is_shared = (lasting & made_by_fork) != 0,
            .end = creator_ended_ns != 0 ? std::optional{end} : std::nullopt};
}

Instant Lock::last_end() const {
    const Instant known = std::max(ended, instant_of(creator_ended_ns));
    return known == Instant{} ? ownerless : known;
}

std::string Lock::key() const {
    return key_of(id);
}

std::string key_of(const FileIdentity& id) {
    return key_of(record_of(id));
}

LockRecord record_of(const FileIdentity& id) {
    LockRecord record;
    record.device = id.device;
    record.inode = id.inode;
    record.born_ns = id.born_ns;
    return record;
}

std::string to_text(const Lock& lock) {
    Writer words;
    each_number(lock, words);
    each_word(*lock.creator, words);
    words.number(lock.creator->known ? 1 : 0);
    words.number(lock.elders.line.size());
    for (const ProcessIdentity& elder : lock.elders.line) {
        words.number(elder.pid);
        words.number(elder.start_ticks);
    }
    words.number(lock.creator->around.size());
    for (const std::string& unit : lock.creator->around) {
        words.bytes(unit);
    }
    return words.take();
}

std::optional<Lock> lock_from(const Memory& memory) {
    Reader words{memory.text};
    Lock lock;
    Process creator;
    int known = 0;
    std::size_t count = 0;
    each_number(lock, words);
    each_word(creator, words);
    words.number(known);
    words.number(count);
    for (; words.sound_so_far() && count > 0; --count) {
        ProcessIdentity& elder = lock.elders.line.emplace_back();
        elder.boot_id = memory.boot;
        words.number(elder.pid);
        words.number(elder.start_ticks);
    }
    words.number(count);
    for (; words.sound_so_far() && count > 0; --count) {
        words.bytes(creator.around.emplace_back());
    }
    if (!words.sound()) {
        return std::nullopt;
    }
    creator.id.boot_id = (lock.lasting & earlier_boot) != 0 ? std::string{} : memory.boot;
    creator.known = known != 0;
    lock.creator = std::make_shared<const Process>(std::move(creator));
    return lock;
}

} // namespace egb::lockfile
