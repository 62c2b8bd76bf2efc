// SPDX-License-Identifier: Apache-2.0
#include "replay/replay.hpp"

#include "core/format.hpp"
#include "core/time_span.hpp"
#include "engine/pipeline.hpp"
#include "harness/fake_clock.hpp"
#include "harness/fake_kind.hpp"
#include "harness/recording_sink.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <stdexcept>

namespace egb::test {

namespace {

using nlohmann::json;

/// Thrown by whatever reads a line, caught where the line's number is known.
struct BadLine : std::runtime_error {
    using std::runtime_error::runtime_error;
};

template <typename T>
T need(Result<T> result) {
    if (!result) {
        throw BadLine{result.error().message};
    }
    return std::move(*result);
}

constexpr std::array sighting_types{
    std::pair{std::string_view{"seen"}, SightingType::seen},
    std::pair{std::string_view{"gone"}, SightingType::gone},
    std::pair{std::string_view{"held"}, SightingType::held},
    std::pair{std::string_view{"sweep_begin"}, SightingType::sweep_begin},
    std::pair{std::string_view{"sweep_end"}, SightingType::sweep_end},
    std::pair{std::string_view{"lost"}, SightingType::lost},
};

SightingType sighting_type(const std::string& name) {
    const auto* const found = std::ranges::find(sighting_types, name, [](const auto& pair) {
        return pair.first;
    });
    if (found == sighting_types.end()) {
        throw BadLine{"no sighting is called " + name};
    }
    return found->second;
}

bool has_record(SightingType type) {
    return type == SightingType::seen || type == SightingType::gone || type == SightingType::held;
}

Source source(const std::string& name) {
    if (name != "event" && name != "sweep") {
        throw BadLine{"a source is event or sweep, not " + name};
    }
    return name == "event" ? Source::event : Source::sweep;
}

FieldValue field_value(const json& value) {
    if (value.is_boolean()) {
        return value.get<bool>();
    }
    if (value.is_number_unsigned()) {
        return value.get<std::uint64_t>();
    }
    if (value.is_number_integer()) {
        return value.get<std::int64_t>();
    }
    return value.get<std::string>();
}

/// The names live in the JSON object.
Fields fields(const json& object) {
    Fields fields;
    for (const auto& item : object.items()) {
        fields.push_back({.name = item.key(), .value = field_value(item.value())});
    }
    return fields;
}

ProcessPtr process(const json& object) {
    Process process;
    process.id = {.boot_id = "the recording's",
                  .pid = object.at("pid").get<std::int32_t>(),
                  .start_ticks = object.value("start_ticks", std::uint64_t{})};
    process.uid = object.value("uid", std::uint32_t{});
    process.comm = object.value("comm", "");
    process.exe = object.value("exe", "");
    process.unit = object.value("unit", "");
    process.container = object.value("container", "");
    return std::make_shared<const Process>(std::move(process));
}

OptionValues section(std::span<const OptionSpec> table, const json& values) {
    OptionValues section{table};
    for (const auto& item : values.items()) {
        if (!std::ranges::contains(table, item.key(), &OptionSpec::name)) {
            throw BadLine{"no option is called " + item.key()};
        }
        if (const auto set = section.set(item.key(), item.value().get<std::string>()); !set) {
            throw BadLine{set.error().message};
        }
    }
    return section;
}

ErrorCode error_code(const std::string& name) {
    for (const auto code :
         {ErrorCode::invalid, ErrorCode::not_found, ErrorCode::unsupported, ErrorCode::denied,
          ErrorCode::changed, ErrorCode::busy, ErrorCode::lost, ErrorCode::io}) {
        if (to_string(code) == name) {
            return code;
        }
    }
    throw BadLine{"no error is called " + name};
}

Verdict verdict(const std::string& name) {
    for (const auto verdict : {Verdict::cleaned, Verdict::gone, Verdict::refused, Verdict::failed}) {
        if (to_string(verdict) == name) {
            return verdict;
        }
    }
    throw BadLine{"no verdict is called " + name};
}

std::string incident_line(Instant at, std::string_view name, std::string_view key, std::string_view grade) {
    return formatted("{} {} {} {}", exact_span(at.time_since_epoch()), name, key, grade);
}

/// A kind of which only the tracker is real.
class RecordedKind final : public Kind {
public:
    RecordedKind(const ReplayKind& kind, const OptionValues& options)
        : kind_{kind}, tracker_{kind.make_tracker(options)} {}

    [[nodiscard]] FakeCleaner& fake_cleaner() { return cleaner_; }
    [[nodiscard]] const RecordCodec& codec() const { return kind_.codec; }

    [[nodiscard]] const KindInfo& info() const override { return kind_.info; }
    void configure(const OptionValues& /*options*/) override {}
    [[nodiscard]] Result<> start() override { return {}; }
    [[nodiscard]] std::vector<Capability> capabilities() const override { return {}; }
    [[nodiscard]] int event_fd() const override { return -1; }
    [[nodiscard]] Result<bool> drain() override { return false; }
    [[nodiscard]] Result<> sweep(SweepReason /*reason*/) override { return {}; }
    [[nodiscard]] std::uint64_t lost() const override { return 0; }
    [[nodiscard]] Result<> provoke_canary() override { return {}; }
    [[nodiscard]] std::uint64_t canaries() const override { return 0; }
    [[nodiscard]] Tracker& tracker() override { return *tracker_; }
    [[nodiscard]] const Tracker& tracker() const override { return *tracker_; }
    [[nodiscard]] Cleaner* cleaner() override {
        return kind_.info.reach == Reach::cleans ? &cleaner_ : nullptr;
    }

private:
    const ReplayKind& kind_;
    std::unique_ptr<Tracker> tracker_;
    FakeCleaner cleaner_;
};

/// The whole engine around one kind.
class Stage final : public engine::Sink {
public:
    Stage(const ReplayKind& kind, const OptionValues& options, engine::GovernorLimits limits)
        : governor_{std::move(limits)}, kind_{kind, options} {
        pipeline_.add(kind_, engine::kind_policy(options));
    }

    /// Does everything that falls due before `at`, at its time, and turns the clock to `at`.
    void go_to(Instant at) {
        // A tracker that waits for a sweep keeps its deadline until the recording has one. Meanwhile time
        // goes on.
        constexpr Span step = std::chrono::seconds{1};
        std::optional<Instant> ticked;
        for (auto due = pipeline_.deadline(); due && *due < at; due = pipeline_.deadline()) {
            const Instant now = clock_.now();
            turn_clock(std::min(at, *due <= now && ticked == now ? now + step : std::max(*due, now)));
            if (clock_.now() >= at) {
                break;
            }
            pipeline_.tick();
            ticked = clock_.now();
        }
        turn_clock(at);
    }

    void observe(const json& line) {
        const SightingType type = sighting_type(line.at("sighting").get<std::string>());
        Sighting sighting{
            .type = type, .source = source(line.at("source").get<std::string>()), .at = clock_.now()};
        std::vector<std::byte> record;
        if (has_record(type)) {
            record = to_record(type, fields(line.at("record")));
            sighting.record = record;
        }
        if (type == SightingType::held || line.contains("process")) {
            sighting.process = process(line.at("process"));
        }
        kind_.tracker().observe(sighting);
        if (type == SightingType::lost) {
            pipeline_.set_health(kind_.info().name, engine::Health::lossy);
        } else if (type == SightingType::sweep_end) {
            pipeline_.set_health(kind_.info().name, engine::Health::whole);
        }
        // As in the daemon: what a sweep has found, or an end, is judged at once.
        if (type == SightingType::sweep_end || type == SightingType::gone) {
            pipeline_.tick();
        }
    }

    void answer(const json& cleaner) {
        const auto confirm = cleaner.value("confirm", "ok");
        kind_.fake_cleaner().answer_confirm(
            confirm == "ok" ? Result<>{} : fail(error_code(confirm), "the recording says so"));
        const auto seen = verdict(cleaner.value("clean", "cleaned"));
        kind_.fake_cleaner().answer_clean([seen](const Ghost&) {
            return Outcome{.verdict = seen, .reason = "the recording says so"};
        });
    }

    void record(const Incident& incident) override {
        happened_.push_back(incident_line(clock_.now(), incident.name(), incident.ghost->key,
                                          to_string(incident.ghost->grade)));
    }

    [[nodiscard]] const std::vector<std::string>& happened() const { return happened_; }

private:
    /// What the codec reads, it must be able to write: else the next bug report would lack it.
    [[nodiscard]] std::vector<std::byte> to_record(SightingType type, const Fields& fields) const {
        auto record = need(kind_.codec().to_record(type, fields));
        const auto again = need(kind_.codec().to_fields(type, record));
        for (const Field& field : fields) {
            if (!std::ranges::contains(again, field)) {
                throw BadLine{formatted("the codec loses {}", field.name)};
            }
        }
        return record;
    }

    void turn_clock(Instant at) { clock_.advance(at - clock_.now()); }

    FakeClock clock_;
    CountingIds ids_;
    std::vector<std::string> happened_;
    engine::Ledger ledger_{clock_, ids_, {this}};
    engine::Governor governor_;
    RecordedKind kind_;
    engine::Pipeline pipeline_{clock_, governor_, ledger_};
};

const ReplayKind& kind_called(const std::string& name, std::span<const ReplayKind> kinds) {
    const auto found = std::ranges::find(kinds, name, [](const ReplayKind& kind) {
        return kind.info.name;
    });
    if (found == kinds.end()) {
        throw BadLine{"no kind that can be replayed is called " + name};
    }
    return *found;
}

std::unique_ptr<Stage> set_stage(const json& header, std::span<const ReplayKind> kinds) {
    const auto name = header.at("kind").get<std::string>();
    const ReplayKind& kind = kind_called(name, kinds);
    std::vector<OptionSpec> table;
    std::ranges::copy(engine::common_kind_options(), std::back_inserter(table));
    std::ranges::copy(kind.info.options, std::back_inserter(table));
    const auto options = section(table, header.value("options", json::object()));
    const auto limits = section(engine::governor_options(), header.value("governor", json::object()));
    return std::make_unique<Stage>(kind, options, engine::governor_limits(limits));
}

/// Plays one line, or puts down what it expects.
void play(const json& line, Instant at, Stage& stage, std::vector<std::string>& expected) {
    if (line.contains("sighting")) {
        stage.observe(line);
    } else if (line.contains("cleaner")) {
        stage.answer(line.at("cleaner"));
    } else if (line.contains("expect")) {
        expected.push_back(incident_line(at, line.at("expect").get<std::string>(),
                                         line.at("key").get<std::string>(),
                                         line.at("grade").get<std::string>()));
    } else if (line.size() > 1) {
        throw BadLine{"a line is a sighting, a cleaner's answer, an expectation, or a time alone"};
    }
}

Replayed replay_lines(std::istream& recording, std::span<const ReplayKind> kinds, int& number) {
    std::string text;
    std::getline(recording, text);
    const auto stage = set_stage(json::parse(text), kinds);
    Replayed replayed;
    Instant now;
    while (std::getline(recording, text)) {
        ++number;
        const auto line = json::parse(text);
        const Instant at{need(parse_span(line.at("at").get<std::string>()))};
        if (at < now) {
            throw BadLine{"time does not go back"};
        }
        now = at;
        stage->go_to(now);
        play(line, at, *stage, replayed.expected);
    }
    stage->go_to(now + Span{1});
    replayed.happened = stage->happened();
    return replayed;
}

} // namespace

Result<Replayed> replay(std::istream& recording, std::span<const ReplayKind> kinds) {
    int number = 1;
    try {
        return replay_lines(recording, kinds, number);
    } catch (const BadLine& error) {
        return fail(ErrorCode::invalid, "line {}: {}", number, error.what());
    } catch (const json::exception& error) {
        return fail(ErrorCode::invalid, "line {}: {}", number, error.what());
    }
}

} // namespace egb::test
