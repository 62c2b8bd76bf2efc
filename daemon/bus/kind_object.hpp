// SPDX-License-Identifier: Apache-2.0
// org.eghostbuster1.Kind: what a kind tells about itself, and how it is doing. One object per kind, nothing
// but properties. Owned by the Bus, runs on the loop.
#pragma once

#include "bus/control.hpp"
#include "core/option.hpp"

#include <kind_adaptor.hpp>
#include <sdbus-c++/sdbus-c++.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace egb::bus {

/// All that may stand in a kind's section: what every kind has, then its own.
[[nodiscard]] std::vector<OptionSpec> options_of(const KindInfo& info);

class KindObject final : public sdbus::AdaptorInterfaces<org::eghostbuster1::Kind_adaptor> {
public:
    /// `kind` is one of control.status().kinds.
    KindObject(sdbus::IConnection& connection, Control& control, const std::string& kind);
    ~KindObject();
    KindObject(const KindObject&) = delete;
    KindObject& operator=(const KindObject&) = delete;

    /// Tells which properties have changed since the last call.
    void publish();

private:
    using FourTexts = sdbus::Struct<std::string, std::string, std::string, std::string>;
    using CapabilityRow = sdbus::Struct<std::string, bool, std::string>;

    std::string Name() override;
    std::string Summary() override;
    std::string Reach() override;
    std::vector<FourTexts> OptionTable() override;
    std::vector<FourTexts> EvidenceTable() override;
    bool Enabled() override;
    std::string Trouble() override;
    std::string Clean() override;
    std::uint64_t VetoUSec() override;
    std::map<std::string, std::string> Options() override;
    std::vector<CapabilityRow> Capabilities() override;
    std::uint64_t Tracked() override;
    std::uint64_t Suspected() override;
    std::uint64_t Proven() override;
    std::uint64_t LostEvents() override;
    std::uint64_t LastSweep() override;
    std::uint64_t LastSweepUSec() override;

    [[nodiscard]] KindStatus status() const;

    Control& control_;
    std::string kind_;
    KindStatus told_;
};

} // namespace egb::bus
