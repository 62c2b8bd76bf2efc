// SPDX-License-Identifier: Apache-2.0
#include "host/bpf_object.hpp"

#include "core/format.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace egb::host {

namespace {

/// libbpf tells why it failed on a process-wide hook. What it says during one load is kept here, and becomes
/// part of the error; library code does not print.
thread_local std::string libbpf_says;

[[gnu::format(printf, 2, 0)]] int keep_what_libbpf_says(libbpf_print_level level, const char* format,
                                                        std::va_list arguments) {
    if (level != LIBBPF_WARN || !libbpf_says.empty()) {
        return 0;
    }
    std::array<char, 512> line{};
    const int length = std::vsnprintf(line.data(), line.size(), format, arguments);
    // The first warning names the program and the cause; the verifier's log that follows fills pages.
    libbpf_says.assign(line.data(), std::min(line.size() - 1, static_cast<std::size_t>(std::max(length, 0))));
    std::erase(libbpf_says, '\n');
    return 0;
}

std::unexpected<Error> fail_bpf(std::string_view what, int error) {
    auto failure = fail_errno(what, error);
    if (!libbpf_says.empty()) {
        failure.error().message += " (" + libbpf_says + ")";
    }
    if (error == EPERM) {
        failure.error().message += "; CAP_BPF and CAP_PERFMON are needed, and a kernel that permits it";
    }
    return failure;
}

/// Iterators and syscall programs run when they are asked; all others attach to something.
bool runs_on_demand(const bpf_program* program) {
    return bpf_program__type(program) == BPF_PROG_TYPE_SYSCALL ||
           bpf_program__expected_attach_type(program) == BPF_TRACE_ITER;
}

/// Maps that libbpf makes for constants ("tcp.rodata"): each load has its own.
bool is_internal(const bpf_map* map) {
    return std::string_view{bpf_map__name(map)}.contains('.');
}

bool has_layout_of(int fd, const bpf_map* map) {
    bpf_map_info info{};
    __u32 size = sizeof(info);
    return bpf_map_get_info_by_fd(fd, &info, &size) == 0 && info.type == bpf_map__type(map) &&
           info.key_size == bpf_map__key_size(map) && info.value_size == bpf_map__value_size(map) &&
           info.max_entries == bpf_map__max_entries(map);
}

/// Storage iterators walk a map, and an object has at most one that can be walked so.
int walked_map(bpf_object* object, const bpf_program* program) {
    const std::string_view section{bpf_program__section_name(program)};
    const auto type = section == "iter/bpf_sk_storage_map" ? BPF_MAP_TYPE_SK_STORAGE
                      : section == "iter/bpf_map_elem"     ? BPF_MAP_TYPE_HASH
                                                           : BPF_MAP_TYPE_UNSPEC;
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, object) {
        if (type != BPF_MAP_TYPE_UNSPEC && bpf_map__type(map) == type) {
            return bpf_map__fd(map);
        }
    }
    return -1;
}

using Key = std::vector<std::byte>;

std::vector<Key> keys_in(int map, std::size_t size) {
    std::vector<Key> found;
    Key next(size);
    while (bpf_map_get_next_key(map, found.empty() ? nullptr : found.back().data(), next.data()) == 0) {
        found.push_back(next);
    }
    return found;
}

using OnRecords = std::function<void(std::span<const std::byte>)>;

/// Cuts a byte stream into whole records: read(2) may end in the middle of one.
class RecordCutter {
public:
    RecordCutter(std::size_t size, const OnRecords& on_records) : size_{size}, on_records_{on_records} {}

    [[nodiscard]] std::span<std::byte> room() { return std::span{buffer_}.subspan(filled_); }

    void filled(std::size_t count) {
        filled_ += count;
        const std::size_t taken = filled_ - filled_ % size_;
        on_records_(std::span{buffer_}.first(taken));
        std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(taken),
                  buffer_.begin() + static_cast<std::ptrdiff_t>(filled_), buffer_.begin());
        filled_ -= taken;
    }

    [[nodiscard]] bool complete() const { return filled_ == 0; }

private:
    std::size_t size_;
    const OnRecords& on_records_;
    std::size_t filled_{};
    alignas(8) std::array<std::byte, std::size_t{64} * 1024> buffer_{};
};

void hand_over(std::span<const std::byte> records, std::size_t size, const EventSource::OnRecord& on_record) {
    for (; !records.empty(); records = records.subspan(size)) {
        on_record(records.first(size));
    }
}

Result<> read_to_its_end(const Fd& run, std::string_view program_name, std::size_t record_size,
                         const OnRecords& on_records) {
    RecordCutter cutter{record_size, on_records};
    while (true) {
        const auto room = cutter.room();
        const ssize_t count = ::read(run.get(), room.data(), room.size());
        if (count > 0) {
            cutter.filled(static_cast<std::size_t>(count));
        } else if (count == 0) {
            break;
        } else if (errno != EINTR && errno != EAGAIN) {
            return fail_errno(formatted("reading the iterator {}", program_name));
        }
    }
    if (!cutter.complete()) {
        return fail(ErrorCode::io, "the iterator {} ended in the middle of a record", program_name);
    }
    return {};
}

} // namespace

void BpfObject::CloseObject::operator()(bpf_object* object) const {
    bpf_object__close(object);
}

void BpfObject::DestroyLink::operator()(bpf_link* link) const {
    bpf_link__destroy(link);
}

BpfObject::BpfObject(const BpfImage& image, FdStore& store) : image_{image}, store_{store} {
    libbpf_set_print(keep_what_libbpf_says);
}

BpfObject::~BpfObject() = default;

std::string BpfObject::stored_name(std::string_view what, std::string_view name) const {
    return formatted("{}.v{}.{}.{}", image_.name, image_.layout, what, name);
}

Result<BpfObject::ObjectPtr> BpfObject::open() const {
    libbpf_says.clear();
    bpf_object* object = bpf_object__open_mem(image_.elf.data(), image_.elf.size(), nullptr);
    if (object == nullptr) {
        return fail_bpf(formatted("opening the BPF object {}", image_.name), errno);
    }
    if (image_.resized) {
        bpf_map__set_max_entries(
            bpf_object__find_map_by_name(object, std::string{image_.resized->map}.c_str()),
            image_.resized->entries);
    }
    return ObjectPtr{object};
}

Result<> BpfObject::load() {
    if (auto loaded = load_with_what_works(); !loaded) {
        return loaded;
    }
    if (auto attached = attach_programs(); !attached) {
        return attached;
    }
    keep_maps();
    return {};
}

Result<> BpfObject::load_with_what_works() {
    for (const bool after_refusals : {false, true}) {
        auto opened = open();
        if (!opened) {
            return std::unexpected(opened.error());
        }
        object_ = std::move(*opened);
        for (const auto& [name, reason] : refusals_) {
            bpf_program__set_autoload(bpf_object__find_program_by_name(object_.get(), name.c_str()), false);
        }
        if (!std::exchange(took_what_was_kept_, true)) {
            take_what_was_kept();
        }
        take_over_maps();
        const int error = -bpf_object__load(object_.get());
        if (error == 0) {
            return {};
        }
        auto failure = fail_bpf(formatted("loading the BPF object {}", image_.name), error);
        object_.reset();
        if (after_refusals || image_.optional.empty()) {
            return failure;
        }
        refuse_what_does_not_load();
    }
    std::unreachable();
}

/// Tries each optional program by itself, to learn which of them this kernel refuses.
void BpfObject::refuse_what_does_not_load() {
    for (const std::string_view candidate : image_.optional) {
        auto trial = open();
        if (!trial) {
            return;
        }
        bpf_program* program = nullptr;
        bpf_object__for_each_program(program, trial->get()) {
            bpf_program__set_autoload(program, bpf_program__name(program) == candidate);
        }
        if (const int error = -bpf_object__load(trial->get()); error != 0) {
            refusals_[std::string{candidate}] = fail_bpf("the kernel refuses it", error).error().message;
        }
    }
}

/// Maps whose programs were not attached all the while have missed something: they are not worth trusting. An
/// object that attaches none, or only what may be away, has nothing to miss.
void BpfObject::take_what_was_kept() {
    bool attaches = false;
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, object_.get()) {
        if (runs_on_demand(program) || is_suspendable(program)) {
            continue;
        }
        attaches = true;
        for (const std::string& name : link_names(bpf_program__name(program))) {
            if (auto kept = store_.take(name)) {
                predecessors_[name] = std::move(*kept);
            }
        }
    }
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, object_.get()) {
        const std::string name = stored_name("map", bpf_map__name(map));
        auto kept = is_internal(map) ? std::nullopt : store_.take(name);
        if (kept && (!attaches || !predecessors_.empty())) {
            inherited_[name] = std::move(*kept);
        }
    }
}

/// All or none: what one map says may be about what is in another.
void BpfObject::take_over_maps() {
    if (!inherits_all_maps()) {
        inherited_.clear();
    }
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, object_.get()) {
        const auto found = inherited_.find(stored_name("map", bpf_map__name(map)));
        if (found != inherited_.end() && bpf_map__reuse_fd(map, found->second.get()) != 0) {
            inherited_.erase(found);
        }
    }
}

bool BpfObject::inherits_all_maps() const {
    const bpf_map* map = nullptr;
    bpf_object__for_each_map(map, object_.get()) {
        const auto found = inherited_.find(stored_name("map", bpf_map__name(map)));
        const bool inherits = found != inherited_.end() && has_layout_of(found->second.get(), map);
        if (!is_internal(map) && !inherits) {
            return false;
        }
    }
    return true;
}

bool BpfObject::is_suspendable(const bpf_program* program) const {
    return std::ranges::contains(image_.suspendable, bpf_program__name(program));
}

Result<> BpfObject::attach_programs() {
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, object_.get()) {
        if (runs_on_demand(program) || !bpf_program__autoload(program)) {
            continue;
        }
        if (auto attached = attach(program); !attached) {
            return attached;
        }
    }
    predecessors_.clear(); // only now: their successors are attached
    return {};
}

Result<> BpfObject::attach(const bpf_program* program) {
    const std::string name = bpf_program__name(program);
    libbpf_says.clear();
    LinkPtr link{bpf_program__attach(program)};
    if (!link) {
        return fail_bpf(formatted("attaching the BPF program {}", name), errno);
    }
    // The service manager would let go of it only some time after it was told to, and before Linux 6.10 a
    // program cannot be attached while it still is.
    if (!is_suspendable(program)) {
        keep_link(name, bpf_link__fd(link.get()));
    }
    links_.emplace(name, std::move(link));
    return {};
}

void BpfObject::suspend(std::string_view program_name) {
    links_.erase(std::string{program_name});
}

Result<> BpfObject::resume(std::string_view program_name) {
    if (links_.contains(program_name)) {
        return {};
    }
    return program(program_name).and_then(std::bind_front(&BpfObject::attach, this));
}

/// Two names take turns, and the old link goes after the new one has come: whenever the daemon dies, the
/// store holds a link that is attached, and the kernel side goes on.
void BpfObject::keep_link(std::string_view program_name, int link) {
    const auto names = link_names(program_name);
    const std::size_t next = predecessors_.contains(names[0]) && !predecessors_.contains(names[1]) ? 1 : 0;
    // Without it the next run begins afresh: a loss of memory, not of safety.
    if (store_.keep(names[next], link)) {
        store_.drop(names[1 - next]);
    }
}

std::array<std::string, 2> BpfObject::link_names(std::string_view program_name) const {
    const std::string name = stored_name("link", program_name);
    return {name + ".a", name + ".b"};
}

void BpfObject::keep_maps() {
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, object_.get()) {
        const std::string name = stored_name("map", bpf_map__name(map));
        if (!is_internal(map) && !inherited_.contains(name)) {
            static_cast<void>(store_.keep(name, bpf_map__fd(map)));
        }
    }
}

std::string BpfObject::refusal(std::string_view program) const {
    const auto found = refusals_.find(program);
    return found == refusals_.end() ? std::string{} : found->second;
}

Result<bpf_program*> BpfObject::program(std::string_view name) const {
    if (const std::string reason = refusal(name); !reason.empty()) {
        return fail(ErrorCode::unsupported, "{}: {}", name, reason);
    }
    const std::string terminated{name};
    bpf_program* found =
        object_ ? bpf_object__find_program_by_name(object_.get(), terminated.c_str()) : nullptr;
    if (found == nullptr) {
        return fail(ErrorCode::unsupported, "the BPF object {} is not loaded or has no program {}",
                    image_.name, name);
    }
    return found;
}

Result<bpf_link*> BpfObject::iterator(std::string_view program_name) {
    if (const auto known = iterators_.find(program_name); known != iterators_.end()) {
        return known->second.get();
    }
    auto found = program(program_name);
    if (!found) {
        return std::unexpected(found.error());
    }
    bpf_iter_link_info info{};
    bpf_iter_attach_opts options{};
    options.sz = sizeof(options);
    if (const int fd = walked_map(object_.get(), *found); fd >= 0) {
        info.map.map_fd = static_cast<__u32>(fd);
        options.link_info = &info;
        options.link_info_len = sizeof(info);
    }
    libbpf_says.clear();
    LinkPtr link{bpf_program__attach_iter(*found, &options)};
    if (!link) {
        return fail_bpf(formatted("attaching the iterator {}", program_name), errno);
    }
    return iterators_.emplace(program_name, std::move(link)).first->second.get();
}

Result<Fd> BpfObject::start_iterator(std::string_view program_name) {
    const auto link = iterator(program_name);
    if (!link) {
        return std::unexpected(link.error());
    }
    Fd run{bpf_iter_create(bpf_link__fd(*link))};
    if (!run) {
        return fail_errno(formatted("starting the iterator {}", program_name));
    }
    return run;
}

Result<> BpfObject::iterate(std::string_view program_name, std::size_t record_size,
                            const EventSource::OnRecord& on_record) {
    return iterate_at_once(std::span{&program_name, 1}, record_size, on_record);
}

Result<> BpfObject::iterate_at_once(std::span<const std::string_view> programs, std::size_t record_size,
                                    const EventSource::OnRecord& on_record) {
    std::vector<Fd> runs;
    for (const std::string_view program_name : programs) {
        auto run = start_iterator(program_name);
        if (!run) {
            return std::unexpected(run.error());
        }
        runs.push_back(std::move(*run));
    }
    std::vector<Result<>> ended(runs.size());
    std::mutex taking;
    const auto go = [&](std::size_t at) {
        ended[at] =
            read_to_its_end(runs[at], programs[at], record_size, [&](std::span<const std::byte> records) {
                const std::scoped_lock one_at_a_time{taking};
                hand_over(records, record_size, on_record);
            });
    };
    {
        std::vector<std::jthread> others;
        for (std::size_t at = 1; at < runs.size(); ++at) {
            others.emplace_back(go, at);
        }
        go(0);
    }
    const auto failed = std::ranges::find_if_not(ended, &Result<>::has_value);
    return failed == ended.end() ? Result<>{} : *failed;
}

Result<> BpfObject::run(std::string_view program_name) {
    const auto returned = call(program_name, {});
    if (!returned) {
        return std::unexpected(returned.error());
    }
    if (*returned != 0) {
        return fail(ErrorCode::busy, "the BPF program {} returned {}", program_name, *returned);
    }
    return {};
}

Result<std::uint32_t> BpfObject::call(std::string_view program_name, std::span<std::byte> context) {
    const auto found = program(program_name);
    if (!found) {
        return std::unexpected(found.error());
    }
    bpf_test_run_opts options{};
    options.sz = sizeof(options);
    if (!context.empty()) {
        options.ctx_in = context.data();
        options.ctx_size_in = static_cast<__u32>(context.size());
    }
    if (const int error = -bpf_prog_test_run_opts(bpf_program__fd(*found), &options); error != 0) {
        return fail_errno(formatted("running the BPF program {}", program_name), error);
    }
    return options.retval;
}

Result<> BpfObject::read(std::string_view map, std::span<std::byte> value) const {
    const auto found = find_map(map);
    if (!found) {
        return std::unexpected(found.error());
    }
    const __u32 only = 0;
    if (bpf_map_lookup_elem(bpf_map__fd(*found), &only, value.data()) != 0) {
        return fail_errno(formatted("reading the BPF map {}", map));
    }
    return {};
}

int BpfObject::map_fd(const char* map) const {
    return object_ ? bpf_object__find_map_fd_by_name(object_.get(), map) : -1;
}

Result<const bpf_map*> BpfObject::find_map(std::string_view name) const {
    const bpf_map* found =
        object_ ? bpf_object__find_map_by_name(object_.get(), std::string{name}.c_str()) : nullptr;
    if (found == nullptr) {
        return fail(ErrorCode::unsupported, "the BPF object {} is not loaded or has no map {}", image_.name,
                    name);
    }
    return found;
}

Result<> BpfObject::control(std::string_view map, std::span<const std::byte> value) {
    const auto found = find_map(map);
    if (!found) {
        return std::unexpected(found.error());
    }
    const __u32 only = 0;
    if (bpf_map_update_elem(bpf_map__fd(*found), &only, value.data(), BPF_ANY) != 0) {
        return fail_errno(formatted("writing the BPF map {}", map));
    }
    return {};
}

Result<> BpfObject::replace(std::string_view map, std::span<const std::byte> keys,
                            std::span<const std::byte> values) {
    const auto found = find_map(map);
    if (!found) {
        return std::unexpected(found.error());
    }
    const int fd = bpf_map__fd(*found);
    const std::size_t key_size = bpf_map__key_size(*found);
    const std::size_t value_size = bpf_map__value_size(*found);
    auto superfluous = keys_in(fd, key_size);
    for (; !keys.empty(); keys = keys.subspan(key_size), values = values.subspan(value_size)) {
        const auto key = keys.first(key_size);
        std::erase_if(superfluous, [key](const Key& old) {
            return std::ranges::equal(old, key);
        });
        if (bpf_map_update_elem(fd, key.data(), values.data(), BPF_ANY) != 0) {
            return fail_errno(formatted("filling the BPF map {}", map));
        }
    }
    for (const Key& key : superfluous) {
        static_cast<void>(bpf_map_delete_elem(fd, key.data()));
    }
    return {};
}

Result<MapRows> BpfObject::rows(std::string_view map) const {
    constexpr std::size_t aligned = 8; // as the kernel lays the rows of an array out
    return find_map(map).and_then([](const bpf_map* found) {
        const std::size_t row = (bpf_map__value_size(found) + aligned - 1) / aligned * aligned;
        return MapRows::of(bpf_map__fd(found), row * bpf_map__max_entries(found));
    });
}

Result<> BpfObject::values(std::string_view map, std::size_t value_size, std::size_t most,
                           const EventSource::OnRecord& on_value) const {
    constexpr std::size_t batch = 1024;
    const auto found = find_map(map);
    if (!found) {
        return std::unexpected(found.error());
    }
    std::vector<std::uint64_t> keys(batch); // wide enough for both kinds of map
    std::vector<std::byte> values(batch * value_size);
    std::uint64_t position = 0;
    for (std::size_t taken = 0; taken < most;) {
        auto count = static_cast<__u32>(std::min(batch, most - taken));
        const bool ended = bpf_map_lookup_batch(bpf_map__fd(*found), taken == 0 ? nullptr : &position,
                                                &position, keys.data(), values.data(), &count, nullptr) != 0;
        if (ended && errno != ENOENT) {
            return fail_errno(formatted("reading the BPF map {}", map));
        }
        for (std::size_t at = 0; at < count; ++at) {
            on_value(std::span{values}.subspan(at * value_size, value_size));
        }
        taken += count;
        if (ended) {
            break;
        }
    }
    return {};
}

std::uint64_t BpfObject::skipped() const {
    std::uint64_t skipped = 0;
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, object_.get()) {
        bpf_prog_info info{};
        __u32 size = sizeof(info);
        if (!runs_on_demand(program) && bpf_program__fd(program) >= 0 &&
            bpf_prog_get_info_by_fd(bpf_program__fd(program), &info, &size) == 0) {
            skipped += info.recursion_misses;
        }
    }
    return skipped;
}

Result<std::uint64_t> BpfObject::sum(std::string_view map) const {
    const auto found = find_map(map);
    if (!found) {
        return std::unexpected(found.error());
    }
    const int cpus = libbpf_num_possible_cpus();
    if (cpus < 0) {
        return fail_errno("counting the CPUs", -cpus);
    }
    std::vector<std::uint64_t> counts(static_cast<std::size_t>(cpus));
    const __u32 only = 0;
    if (bpf_map_lookup_elem(bpf_map__fd(*found), &only, counts.data()) != 0) {
        return fail_errno(formatted("reading the BPF map {}", map));
    }
    return std::ranges::fold_left(counts, std::uint64_t{0}, std::plus{});
}

} // namespace egb::host
