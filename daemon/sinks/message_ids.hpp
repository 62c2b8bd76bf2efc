// SPDX-License-Identifier: Apache-2.0
// MESSAGE_ID= of the journal entries that incidents become. They are part of the API: `journalctl
// MESSAGE_ID=...` and units/eghostbuster.catalog, which a unit test holds against this table, rely on them
// for ever.
#pragma once

#include "core/incident.hpp"

#include <array>
#include <string_view>

namespace egb::sinks {

struct MessageId {
    IncidentType type;
    std::string_view id;
};

inline constexpr std::array incident_message_ids{
    MessageId{IncidentType::appeared, "30dd0e45929b464ea618d37d9002b52c"},
    MessageId{IncidentType::changed, "bb280d6daf224a2e9df0ee9e3a224dd1"},
    MessageId{IncidentType::pending, "e931041495284f23976af9736ef2f294"},
    MessageId{IncidentType::acted, "4dc7f7c28ed04b82a1a4de8ff271b9eb"},
    MessageId{IncidentType::vanished, "c8345063956e42b2b40ef67413660152"},
};

/// Of the entry that stands for the many of a flood.
inline constexpr std::string_view flood_message_id{"4fd64d161dd94c2890a64c2640ba66f3"};

} // namespace egb::sinks
