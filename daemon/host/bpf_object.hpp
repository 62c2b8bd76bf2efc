// SPDX-License-Identifier: Apache-2.0
// A BPF object in the kernel: loaded, attached, asked, and handed over to the next run of the daemon.
// Owned by one kind or facility; runs on the loop's thread.
#pragma once

#include "core/result.hpp"
#include "host/events.hpp"
#include "host/fd_store.hpp"
#include "host/map_rows.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct bpf_link;
struct bpf_map;
struct bpf_object;
struct bpf_program;

namespace egb::host {

/// An object that was compiled into the daemon.
struct BpfImage {
    std::string_view name;
    unsigned layout; ///< of its maps: what another layout left in the store is not taken over
    std::span<const std::byte> elf;
    std::span<const std::string_view>
        optional{}; ///< programs that some kernels refuse and that can be done without
    /// Programs that need not be attached all the time, and end with their process.
    std::span<const std::string_view> suspendable{};
    /// A map that is to have another size than it was compiled with.
    struct Resized {
        std::string_view map;
        std::uint32_t entries{};
    };
    std::optional<Resized> resized{};
};

/// Maps found in the store take the place of new ones, so that what an earlier run tracked is still tracked.
/// Programs are always new: each is attached before the one it replaces is let go, and nothing is missed.
/// Those that may be suspended are not handed over.
class BpfObject {
public:
    BpfObject(const BpfImage& image, FdStore& store);
    ~BpfObject();
    BpfObject(const BpfObject&) = delete;
    BpfObject& operator=(const BpfObject&) = delete;

    /// All or nothing, but for the optional programs.
    [[nodiscard]] Result<> load();

    /// Takes a suspendable program away, so that it costs nobody anything, and attaches it again. What it is
    /// already, it stays.
    void suspend(std::string_view program);
    [[nodiscard]] Result<> resume(std::string_view program);

    /// Why the kernel refused an optional program; empty when it did not.
    [[nodiscard]] std::string refusal(std::string_view program) const;

    /// Runs an iterator program and hands over each record of `record_size` bytes that it writes.
    [[nodiscard]] Result<> iterate(std::string_view program, std::size_t record_size,
                                   const EventSource::OnRecord& on_record);

    /// The same by several programs at once: but for the first, each on a thread of its own. Records are
    /// handed over one at a time, in whatever order. Back when all are done.
    [[nodiscard]] Result<> iterate_at_once(std::span<const std::string_view> programs,
                                           std::size_t record_size, const EventSource::OnRecord& on_record);

    /// Runs a syscall program once; an error when it returns anything but 0.
    [[nodiscard]] Result<> run(std::string_view program);

    /// The same with a context that it may answer in, and hands back whatever it returns.
    [[nodiscard]] Result<std::uint32_t> call(std::string_view program, std::span<std::byte> context);

    /// Reads the one element of a map.
    [[nodiscard]] Result<> read(std::string_view map, std::span<std::byte> value) const;

    /// Sets the one element of a map.
    [[nodiscard]] Result<> control(std::string_view map, std::span<const std::byte> value);

    /// Makes these all that a map holds: keys of the map's size one after the other, and their values. What
    /// stays is there all the while.
    [[nodiscard]] Result<> replace(std::string_view map, std::span<const std::byte> keys,
                                   std::span<const std::byte> values);

    /// All rows of an array, to be read and written until this ends.
    [[nodiscard]] Result<MapRows> rows(std::string_view map) const;

    /// Hands over the values of an array or a hash, `most` of them at most. The kernel locks one place of a
    /// hash after the other, so that each value is handed over that is there all the while.
    [[nodiscard]] Result<> values(std::string_view map, std::size_t value_size, std::size_t most,
                                  const EventSource::OnRecord& on_value) const;

    /// Adds up the one element of a per-CPU map of 64-bit counters.
    [[nodiscard]] Result<std::uint64_t> sum(std::string_view map) const;

    /// How often the kernel did not run an attached program, because it had interrupted that very program.
    [[nodiscard]] std::uint64_t skipped() const;

    /// -1 when the object has no such map or is not loaded.
    [[nodiscard]] int map_fd(const char* map) const;

private:
    struct CloseObject {
        void operator()(bpf_object* object) const;
    };
    struct DestroyLink {
        void operator()(bpf_link* link) const;
    };
    using ObjectPtr = std::unique_ptr<bpf_object, CloseObject>;
    using LinkPtr = std::unique_ptr<bpf_link, DestroyLink>;

    [[nodiscard]] Result<ObjectPtr> open() const;
    [[nodiscard]] Result<> load_with_what_works();
    void refuse_what_does_not_load();
    void take_what_was_kept();
    void take_over_maps();
    [[nodiscard]] bool inherits_all_maps() const;
    [[nodiscard]] bool is_suspendable(const bpf_program* program) const;
    [[nodiscard]] Result<> attach(const bpf_program* program);
    [[nodiscard]] Result<> attach_programs();
    void keep_link(std::string_view program_name, int link);
    [[nodiscard]] std::array<std::string, 2> link_names(std::string_view program_name) const;
    void keep_maps();
    [[nodiscard]] Result<const bpf_map*> find_map(std::string_view name) const;
    [[nodiscard]] Result<bpf_program*> program(std::string_view name) const;
    [[nodiscard]] Result<bpf_link*> iterator(std::string_view program_name);
    /// What is read from it is what the program writes.
    [[nodiscard]] Result<Fd> start_iterator(std::string_view program_name);
    [[nodiscard]] std::string stored_name(std::string_view what, std::string_view name) const;

    BpfImage image_;
    FdStore& store_;
    bool took_what_was_kept_{};
    std::map<std::string, Fd, std::less<>> predecessors_; ///< links of the last run, until ours are attached
    std::map<std::string, Fd, std::less<>> inherited_;    ///< maps of the last run
    ObjectPtr object_;
    std::map<std::string, LinkPtr, std::less<>> links_;
    std::map<std::string, LinkPtr, std::less<>> iterators_;
    std::map<std::string, std::string, std::less<>> refusals_;
};

} // namespace egb::host
