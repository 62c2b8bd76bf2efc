// SPDX-License-Identifier: Apache-2.0
#include "bus/kind_object.hpp"

#include "bus/errors.hpp"
#include "bus/wire.hpp"
#include "core/format.hpp"
#include "core/utf8.hpp"
#include "engine/policy.hpp"

#include <systemd/sd-bus.h>

#include <cstdlib>
#include <memory>
#include <utility>

namespace egb::bus {

namespace {

std::string type_of(const OptionSpec& spec) {
    switch (spec.type) {
    case OptionType::flag:
        return "flag";
    case OptionType::span:
        return "span";
    case OptionType::count:
        return "count";
    case OptionType::text:
        return "text";
    case OptionType::list:
        return "list";
    case OptionType::choice:
        break;
    }
    std::string type{"choice:"};
    for (const auto choice : spec.choices) {
        type += formatted("{}{}", type.ends_with(':') ? "" : ",", choice);
    }
    return type;
}

/// A name may have characters that an object path may not.
sdbus::ObjectPath path_of(const std::string& kind) {
    char* path{};
    if (const int encoded = sd_bus_path_encode("/org/eghostbuster1/kind", kind.c_str(), &path); encoded < 0) {
        throw sdbus::createError(-encoded, "No object path for kind " + kind);
    }
    const std::unique_ptr<char, decltype(&std::free)> owned{path, std::free};
    return sdbus::ObjectPath{path};
}

} // namespace

std::vector<OptionSpec> options_of(const KindInfo& info) {
    const auto common = engine::common_kind_options();
    std::vector<OptionSpec> options{common.begin(), common.end()};
    options.insert(options.end(), info.options.begin(), info.options.end());
    return options;
}

KindObject::KindObject(sdbus::IConnection& connection, Control& control, const std::string& kind)
    : AdaptorInterfaces{connection, path_of(kind)}, control_{control}, kind_{kind}, told_{status()} {
    registerAdaptor();
}

KindObject::~KindObject() {
    unregisterAdaptor();
}

KindStatus KindObject::status() const {
    return value_or_throw(control_.kind_status(kind_), Subject::kind);
}

std::string KindObject::Name() {
    return kind_;
}
std::string KindObject::Summary() {
    return std::string{status().info->summary};
}
std::string KindObject::Reach() {
    return status().info->reach == egb::Reach::cleans ? "cleans" : "reports";
}

std::vector<KindObject::FourTexts> KindObject::OptionTable() {
    std::vector<FourTexts> rows;
    for (const auto& option : options_of(*status().info)) {
        rows.emplace_back(std::string{option.name}, type_of(option), std::string{option.preset},
                          std::string{option.help});
    }
    return rows;
}

std::vector<KindObject::FourTexts> KindObject::EvidenceTable() {
    std::vector<FourTexts> rows;
    for (const auto& rule : status().info->evidence) {
        rows.emplace_back(std::string{rule.name}, std::string{to_string(rule.weight)}, std::string{rule.text},
                          std::string{rule.change});
    }
    return rows;
}

bool KindObject::Enabled() {
    return status().enabled;
}
std::string KindObject::Trouble() {
    return printable(status().trouble);
}
std::string KindObject::Clean() {
    return std::string{to_string(status().policy.clean)};
}
std::uint64_t KindObject::VetoUSec() {
    return wire_span(status().policy.veto);
}

std::map<std::string, std::string> KindObject::Options() {
    auto options = status().options;
    for (auto& value : options) {
        value.second = printable(value.second);
    }
    return options;
}

std::vector<KindObject::CapabilityRow> KindObject::Capabilities() {
    std::vector<CapabilityRow> rows;
    for (const auto& capability : status().capabilities) {
        rows.emplace_back(std::string{capability.name}, capability.works, printable(capability.detail));
    }
    return rows;
}

std::uint64_t KindObject::Tracked() {
    return status().tracked;
}
std::uint64_t KindObject::Suspected() {
    return status().suspected;
}
std::uint64_t KindObject::Proven() {
    return status().proven;
}
std::uint64_t KindObject::LostEvents() {
    return status().lost_events;
}
std::uint64_t KindObject::LastSweep() {
    return wire_time(status().last_sweep);
}
std::uint64_t KindObject::LastSweepUSec() {
    return wire_span(status().last_sweep_took);
}

void KindObject::publish() {
    auto now = status();
    std::vector<sdbus::PropertyName> changed;
    const auto compare = [&](bool same, const char* name) {
        if (!same) {
            changed.emplace_back(name);
        }
    };
    compare(now.enabled == told_.enabled, "Enabled");
    compare(now.trouble == told_.trouble, "Trouble");
    compare(now.policy.clean == told_.policy.clean, "Clean");
    compare(now.policy.veto == told_.policy.veto, "VetoUSec");
    compare(now.options == told_.options, "Options");
    compare(now.capabilities == told_.capabilities, "Capabilities");
    compare(now.suspected == told_.suspected, "Suspected");
    compare(now.proven == told_.proven, "Proven");
    compare(now.lost_events == told_.lost_events, "LostEvents");
    told_ = std::move(now);
    if (!changed.empty()) {
        getObject().emitPropertiesChangedSignal(INTERFACE_NAME, changed);
    }
}

} // namespace egb::bus
