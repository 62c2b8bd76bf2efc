// SPDX-License-Identifier: Apache-2.0
// The kind `fake`: its ghosts are planted by the test. FakeKind plants from inside the process and has a
// cleaner that does as it is told; DirectoryKind (directory_kind.hpp) is the same kind for a real daemon,
// planted from outside. Both share the tracker, as a kind's event side and its sweep do.
#pragma once

#include "core/kind.hpp"
#include "harness/builders.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace egb::test {

/// The wire layout of every record of this kind.
struct FakeRecord {
    std::uint64_t inode; ///< with `born`, what tells a thing from another of the same key
    std::uint64_t born;
    std::array<char, 104> key; ///< ends with a NUL
    std::uint64_t proven;      ///< 1: whoever planted it says that it is a ghost beyond doubt
};

[[nodiscard]] FakeRecord fake_record(std::string_view key, Grade grade, std::uint64_t inode = 1,
                                     std::uint64_t born = 0);
[[nodiscard]] std::string_view key_of(const FakeRecord& record);
[[nodiscard]] Grade grade_of(const FakeRecord& record);

/// Kinds of this name can clean.
[[nodiscard]] const KindInfo& fake_info();
/// The kind `fake-report` only reports.
[[nodiscard]] const KindInfo& fake_report_info();

/// A thing becomes a ghost when it has been there for the option `Grace`.
class FakeTracker final : public Tracker {
public:
    explicit FakeTracker(const KindInfo& info) : info_{info} {}

    void set_grace(Span grace) { grace_ = grace; }
    /// Ghosts that are told from now on would answer a question.
    void set_askable() { askable_ = true; }
    /// The thing does not answer, and ends by that.
    void stay_silent(std::string_view key);

    void observe(const Sighting& sighting) override;
    [[nodiscard]] Changes tick(Instant now) override;
    [[nodiscard]] std::optional<Instant> deadline() const override;
    [[nodiscard]] std::size_t tracked() const override { return things_.size(); }
    [[nodiscard]] Facts facts(std::string_view key) const override;

    /// What is known under that key; nothing when nothing is.
    [[nodiscard]] std::optional<FakeRecord> find(std::string_view key) const;

private:
    struct Thing {
        FakeRecord record{};
        Instant since;
        SinceKind since_kind{};
        std::vector<Holder> holders;
        bool told{};
        bool swept{};
    };
    using Things = std::map<std::string, Thing, std::less<>>;

    void see(const Sighting& sighting);
    void hold(const Sighting& sighting);
    void end(Things::iterator thing, Instant at, std::string_view reason);
    void end_unswept(Instant at);
    [[nodiscard]] Ghost judge(const std::string& key, const Thing& thing) const;

    const KindInfo& info_;
    Span grace_{};
    Things things_;
    std::set<std::pair<Instant, std::string>> due_; ///< when to tell of which key
    std::vector<Vanished> vanished_;
    Instant last_seen_;
    bool askable_{};
};

class FakeCleaner final : public Cleaner {
public:
    /// What confirm() says from now on; success at first.
    void answer_confirm(Result<> answer) { confirmation_ = std::move(answer); }
    /// What clean() does from now on; it answers `cleaned` at first.
    void answer_clean(std::function<Outcome(const Ghost&)> clean) { clean_ = std::move(clean); }

    [[nodiscard]] const std::vector<std::string>& confirmed() const { return confirmed_; }
    [[nodiscard]] const std::vector<std::string>& cleaned() const { return cleaned_; }

    [[nodiscard]] Result<> confirm(const Ghost& ghost) override;
    [[nodiscard]] std::vector<Outcome> clean(std::span<const GhostPtr> ghosts) override;
    [[nodiscard]] std::vector<Outcome> ask(std::span<const GhostPtr> ghosts) override;
    void take_back(std::span<const GhostPtr> ghosts) override;
    [[nodiscard]] Result<std::string> restore(GhostId id) override;

    /// Keys of those that were asked, and how many ghosts came at a time, to whatever.
    [[nodiscard]] const std::vector<std::string>& asked() const { return asked_; }
    [[nodiscard]] const std::vector<std::string>& taken_back() const { return taken_back_; }
    [[nodiscard]] const std::vector<std::size_t>& batches() const { return batches_; }

private:
    [[nodiscard]] Outcome clean_one(const Ghost& ghost);

    std::vector<std::string> asked_;
    std::vector<std::string> taken_back_;
    std::vector<std::size_t> batches_;
    Result<> confirmation_;
    std::function<Outcome(const Ghost&)> clean_;
    std::vector<std::string> confirmed_; ///< keys, in the order of the calls
    std::vector<std::string> cleaned_;
    std::map<GhostId, std::string> quarantine_;
};

class FakeKind final : public Kind {
public:
    explicit FakeKind(const Clock& clock, const KindInfo& info = fake_info())
        : clock_{clock}, info_{info}, tracker_{info} {}

    void plant(std::string_view key, Grade grade, const std::vector<Holder>& holders = held_by({}));
    void remove(std::string_view key);
    void lose(std::uint64_t events);
    /// From now on the kind can only report, as when the kernel takes away what it needs.
    void withdraw_cleaner() { withdrawn_ = true; }

    [[nodiscard]] FakeCleaner& fake_cleaner() { return cleaner_; }
    [[nodiscard]] FakeTracker& fake_tracker() { return tracker_; }

    [[nodiscard]] const KindInfo& info() const override { return info_; }
    void configure(const OptionValues& options) override { tracker_.set_grace(options.span("Grace")); }
    [[nodiscard]] Result<> start() override { return {}; }
    [[nodiscard]] std::vector<Capability> capabilities() const override;
    [[nodiscard]] int event_fd() const override { return -1; }
    [[nodiscard]] Result<bool> drain() override { return false; }
    [[nodiscard]] Result<> sweep(SweepReason reason) override;
    [[nodiscard]] std::uint64_t lost() const override { return lost_; }
    [[nodiscard]] Result<> provoke_canary() override;
    [[nodiscard]] std::uint64_t canaries() const override { return canaries_; }
    [[nodiscard]] Tracker& tracker() override { return tracker_; }
    [[nodiscard]] const Tracker& tracker() const override { return tracker_; }
    /// What it knows of every file from now on.
    void answer_owners(OwnerReport report) { owners_ = std::move(report); }
    [[nodiscard]] const std::optional<FileIdentity>& asked_for_owners() const { return asked_for_owners_; }

    [[nodiscard]] std::optional<OwnerReport> owners_of(const FileIdentity& file) override {
        asked_for_owners_ = file;
        return owners_;
    }
    /// And why, of every file, it knows nothing.
    void answer_why_not(std::string text) { why_not_ = std::move(text); }
    [[nodiscard]] const std::optional<AskedFile>& asked_why_not() const { return asked_why_not_; }

    [[nodiscard]] std::optional<Disclaimer> why_not(const AskedFile& file) const override {
        asked_why_not_ = file;
        return why_not_.empty() ? std::nullopt
                                : std::optional{Disclaimer{.kind = &info_, .reason = "so", .text = why_not_}};
    }
    [[nodiscard]] Cleaner* cleaner() override {
        return info_.reach == Reach::cleans && !withdrawn_ ? &cleaner_ : nullptr;
    }

private:
    struct Planted {
        FakeRecord record{};
        std::vector<Holder> holders;
    };

    void tell(const Planted& planted, SightingType type, Source source);

    const Clock& clock_;
    const KindInfo& info_;
    FakeTracker tracker_;
    FakeCleaner cleaner_;
    std::map<std::string, Planted, std::less<>> planted_; ///< the truth, which sweeps look at
    std::optional<OwnerReport> owners_;
    std::optional<FileIdentity> asked_for_owners_;
    std::string why_not_;
    mutable std::optional<AskedFile> asked_why_not_;
    bool withdrawn_{};
    std::uint64_t next_inode_{1};
    std::uint64_t lost_{};
    std::uint64_t canaries_{};
};

} // namespace egb::test
