// SPDX-License-Identifier: Apache-2.0
// The kind `fake` for a real daemon: its things are files in a directory, so that a test outside of the
// process can plant them, take them away and get in the way, and look afterwards at what is left. It watches
// through inotify as other kinds do through a ring: events are real, may overflow, and a sweep puts that
// right.
//
// The contract. The environment variable EGB_FAKE_DIRECTORY names the directory, which must exist and be
// writable for the daemon.
//   NAME             A regular file is a thing whose key is its name. It becomes a ghost after the option
//   Grace.
//                    Names have at most 100 bytes; those that begin with a dot are not things. The content is
//                    lines:
//                      proven       the ghost is proven; without this line it is suspected
//                      pid NUMBER   that process holds it, if it exists; without such a line, an invented
//                                   one that nothing protects does
//                    Write it anew to change the grade: the ghost stays the same one. Remove the file, and
//                    the ghost vanishes; put another file in its place, and it is another ghost.
//   .lost            Write a number into it: so many events count as lost, from which follows what follows.
//   .stubborn        While it exists, cleaning a ghost fails.
//   .deaf            While it exists, no canary comes back: the kernel path is dead.
//   .canary          Written by provoke_canary().
//   .quarantine/ID.NAME  Where a cleaned thing is kept until it is restored.
// Cleaning moves the very file that was judged (inode and birth time) into the quarantine.
#pragma once

#include "harness/fake_kind.hpp"

#include "host/fd.hpp"
#include "host/surroundings.hpp"

#include <filesystem>
#include <functional>

namespace egb::test {

inline constexpr const char* fake_directory_variable = "EGB_FAKE_DIRECTORY";

/// For a catalog: CatalogEntry{fake_info(), make_directory_kind}.
[[nodiscard]] KindPtr make_directory_kind(const host::Surroundings& surroundings);

class DirectoryCleaner final : public Cleaner {
public:
    /// The record of what was judged under a key.
    using Judged = std::function<std::optional<FakeRecord>(std::string_view key)>;

    DirectoryCleaner(std::filesystem::path directory, Judged judged)
        : directory_{std::move(directory)}, judged_{std::move(judged)} {}

    [[nodiscard]] Result<> confirm(const Ghost& ghost) override;
    [[nodiscard]] std::vector<Outcome> clean(std::span<const GhostPtr> ghosts) override;
    [[nodiscard]] Result<std::string> restore(GhostId id) override;

private:
    [[nodiscard]] Outcome clean_one(const Ghost& ghost) const;
    [[nodiscard]] std::filesystem::path quarantine() const { return directory_ / ".quarantine"; }

    std::filesystem::path directory_;
    Judged judged_;
};

class DirectoryKind final : public Kind {
public:
    DirectoryKind(const host::Surroundings& surroundings, const std::filesystem::path& directory);

    [[nodiscard]] const KindInfo& info() const override { return fake_info(); }
    void configure(const OptionValues& options) override { tracker_.set_grace(options.span("Grace")); }
    [[nodiscard]] Result<> start() override;
    [[nodiscard]] std::vector<Capability> capabilities() const override;
    [[nodiscard]] int event_fd() const override { return inotify_.get(); }
    [[nodiscard]] Result<bool> drain() override;
    [[nodiscard]] Result<> sweep(SweepReason reason) override;
    [[nodiscard]] std::uint64_t lost() const override { return lost_; }
    [[nodiscard]] Result<> provoke_canary() override;
    [[nodiscard]] std::uint64_t canaries() const override { return canaries_; }
    [[nodiscard]] Tracker& tracker() override { return tracker_; }
    [[nodiscard]] const Tracker& tracker() const override { return tracker_; }
    [[nodiscard]] Cleaner* cleaner() override { return &cleaner_; }

private:
    void take(std::string_view name);
    void take_control(std::string_view name);
    void look_at(std::string_view name, Source source);
    void lose(std::uint64_t events);
    void observe(SightingType type, Source source, const FakeRecord* record = nullptr,
                 ProcessPtr process = {});

    host::Surroundings surroundings_;
    std::filesystem::path directory_;
    host::Fd inotify_;
    FakeTracker tracker_{fake_info()};
    DirectoryCleaner cleaner_;
    std::uint64_t lost_{};
    std::uint64_t canaries_{};
};

} // namespace egb::test
