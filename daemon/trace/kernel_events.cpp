// SPDX-License-Identifier: Apache-2.0
#include "host/bpf_events.hpp"
#include "trace.skel.h"
#include "trace/tracer.hpp"

#include <optional>
#include <string_view>

namespace egb::trace {

namespace {

host::BpfImage image() {
    std::size_t size = 0;
    const void* elf = trace_bpf__elf_bytes(&size);
    return {.name = "trace",
            .layout = EGB_TRACE_LAYOUT,
            .elf = std::span{static_cast<const std::byte*>(elf), size}};
}

} // namespace

std::unique_ptr<host::EventSource> kernel_events() {
    static host::NoFdStore no_store;
    return std::make_unique<host::BpfEvents>(image(), no_store);
}

} // namespace egb::trace
