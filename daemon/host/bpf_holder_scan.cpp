// SPDX-License-Identifier: Apache-2.0
#include "host/bpf_holder_scan.hpp"

#include "bpf/holders.h"
#include "holders.skel.h"
#include "host/process_lookup.hpp"

#include <cstring>

namespace egb::host {

namespace {

BpfImage image() {
    std::size_t size = 0;
    const void* elf = holders_bpf__elf_bytes(&size);
    return {.name = "holders",
            .layout = EGB_HOLDERS_LAYOUT,
            .elf = std::span{static_cast<const std::byte*>(elf), size}};
}

} // namespace

Result<> BpfHolderScan::load() {
    if (object_) {
        return {};
    }
    static NoFdStore no_store;
    auto object = std::make_unique<BpfObject>(image(), no_store);
    if (auto loaded = object->load(); !loaded) {
        return loaded;
    }
    object_ = std::move(object);
    return {};
}

/// The inode stays what it is for as long as the descriptor is open, and so for the pass that follows.
Result<> BpfHolderScan::aim(int fd) {
    const egb_holders_control control{.inode = 0, .fd = fd, .reserved = 0};
    if (auto set = object_->control("egb_holders_control", std::as_bytes(std::span{&control, 1})); !set) {
        return set;
    }
    bool found = false;
    auto ran = object_->iterate("egb_holders_aim", sizeof(egb_holder), [&](EventSource::Record /*record*/) {
        found = true;
    });
    if (ran && !found) {
        return fail(ErrorCode::lost, "the kernel does not find descriptor {} of this process", fd);
    }
    return ran;
}

Result<std::vector<Holder>> BpfHolderScan::find(int fd) {
    auto ready = load().and_then([this, fd] {
        return aim(fd);
    });
    if (!ready) {
        return std::unexpected(ready.error());
    }
    std::vector<egb_holder> records;
    const auto add = [&records](EventSource::Record record) {
        if (records.size() < most_holders) {
            std::memcpy(&records.emplace_back(), record.data(), sizeof(egb_holder));
        }
    };
    const auto ran = object_->iterate("egb_holders", sizeof(egb_holder), add).and_then([&] {
        return object_->iterate("egb_holders_inside", sizeof(egb_holder), add);
    });
    if (!ran) {
        return std::unexpected(ran.error());
    }
    ProcessLookup lookup{procfs_};
    std::vector<Holder> holders;
    for (const auto& record : records) {
        if (auto process = lookup.find(record.pid, ProcessLookup::ticks_of(record.start_boottime_ns))) {
            holders.push_back({std::move(process), record.fd});
        }
    }
    return holders;
}

} // namespace egb::host
