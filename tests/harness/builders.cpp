// SPDX-License-Identifier: Apache-2.0
#include "harness/builders.hpp"

namespace egb::test {

ProcessPtr make_process(const ProcessTraits& traits) {
    return std::make_shared<const Process>(
        Process{.id = {.boot_id = "5c1f8a2e-0000-4000-8000-000000000001",
                       .pid = traits.pid,
                       .start_ticks = static_cast<std::uint64_t>(traits.pid) * 10},
                .uid = traits.uid,
                .comm = traits.comm,
                .exe = traits.exe,
                .unit = traits.unit,
                .container = traits.container,
                .around = traits.around,
                .known = traits.known});
}

std::vector<Holder> held_by(const ProcessTraits& traits, int fd) {
    return {{.process = make_process(traits), .fd = fd}};
}

const KindInfo& some_kind() {
    static constexpr KindInfo info{.name = "some",
                                   .summary = "Some kind of ghost.",
                                   .reach = Reach::cleans,
                                   .options = {},
                                   .evidence = {},
                                   .capabilities = {}};
    return info;
}

Ghost make_ghost(const std::string& key, Instant since) {
    return {.id = 0,
            .kind = &some_kind(),
            .key = key,
            .grade = Grade::suspected,
            .summary = "something called " + key,
            .since = since,
            .since_kind = SinceKind::observed,
            .holders = {},
            .evidence = {}};
}

} // namespace egb::test
