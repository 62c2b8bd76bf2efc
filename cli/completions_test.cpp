// SPDX-License-Identifier: Apache-2.0
// The manual and the completions know every verb and every option, and none that is not there.
#include "command_line.hpp"
#include "core/format.hpp"
#include "help.hpp"
#include "testing/program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>

namespace egb::cli {

namespace {

using test::Program;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;

struct Word {
    std::string where; ///< "ghostctl list"
    std::string word;  ///< "list" or "--grade"
};

void collect(const CLI::App& app, std::vector<Word>& words) {
    for (const auto* option : app.get_options()) {
        for (const auto& name : option->get_lnames()) {
            words.push_back({full_name(app), "--" + name});
        }
    }
    for (const auto* verb : app.get_subcommands([](const CLI::App*) {
             return true;
         })) {
        words.push_back({full_name(app), verb->get_name()});
        collect(*verb, words);
    }
}

const std::vector<Word>& all_words() {
    static const auto words = [] {
        const CommandLine line{"1.2.3", 80};
        std::vector<Word> found;
        collect(line.tree(), found);
        return found;
    }();
    return words;
}

std::string read(const std::string& path) {
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>{file}, {}};
}

std::string completion(const char* name) {
    return formatted("{}/completions/{}", EGB_CLI_FOLDER, name);
}

/// Those of ours that do not stand in the text as words of their own.
std::vector<std::string> missing_in(const std::string& text, const std::string& before_option) {
    std::vector<std::string> missing;
    for (const auto& [where, word] : all_words()) {
        const bool option = word.starts_with("--");
        const auto name = option ? before_option + word.substr(2) : word;
        const std::regex pattern{"(^|[^-\\w])" + name + "($|[^-\\w])"};
        if (!std::regex_search(text, pattern)) {
            missing.push_back(formatted("{}: {}", where, word));
        }
    }
    return missing;
}

TEST(Manual, HasEveryVerbAndOption) {
    const auto text = read(EGB_MAN_FOLDER "/ghostctl.1.in");
    ASSERT_FALSE(text.empty());
    EXPECT_THAT(missing_in(text, "Fl -"), IsEmpty());
}

TEST(Completions, OfBashHaveEveryVerbAndOption) {
    EXPECT_THAT(missing_in(read(completion("ghostctl.bash")), "--"), IsEmpty());
}

TEST(Completions, OfZshHaveEveryVerbAndOption) {
    EXPECT_THAT(missing_in(read(completion("_ghostctl")), "--"), IsEmpty());
}

TEST(Completions, OfFishHaveEveryVerbAndOption) {
    EXPECT_THAT(missing_in(read(completion("ghostctl.fish")), "-l "), IsEmpty());
}

std::set<std::string> lines(const std::string& text) {
    std::set<std::string> all;
    std::istringstream stream{text};
    for (std::string line; std::getline(stream, line);) {
        all.insert(line.substr(0, line.find('\t')));
    }
    return all;
}

/// What is offered after `typed`, of which the last word is being completed.
std::set<std::string> bash_offers(const std::string& typed) {
    const auto script =
        formatted("source {}; COMP_WORDS=({} ''); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); "
                  "COMP_WORDS[COMP_CWORD]=$1; _ghostctl; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
                  completion("ghostctl.bash"), typed.substr(0, typed.rfind(' ')));
    return lines(
        Program{{"bash", "-c", script, "bash", typed.substr(typed.rfind(' ') + 1)}, {}}.finish().out);
}

std::set<std::string> fish_offers(const std::string& typed) {
    const auto script =
        formatted("source {}; complete --do-complete '{}'", completion("ghostctl.fish"), typed);
    return lines(Program{{EGB_FISH, "--no-config", "-c", script}, {}}.finish().out);
}

std::vector<std::string> options_of(const std::string& where) {
    std::vector<std::string> options;
    for (const auto& word : all_words()) {
        if (word.where == where && word.word.starts_with("--")) {
            options.push_back(word.word);
        }
    }
    return options;
}

class EachVerb : public ::testing::TestWithParam<const char*> {};

TEST_P(EachVerb, IsCompletedByBash) {
    EXPECT_THAT(bash_offers(formatted("{} --", GetParam())), IsSupersetOf(options_of(GetParam())));
}

TEST_P(EachVerb, IsCompletedByFish) {
    EXPECT_THAT(fish_offers(formatted("{} --", GetParam())), IsSupersetOf(options_of(GetParam())));
}

INSTANTIATE_TEST_SUITE_P(Options, EachVerb,
                         ::testing::Values("ghostctl", "ghostctl list", "ghostctl watch", "ghostctl trace",
                                           "ghostctl history", "ghostctl clean", "ghostctl hold",
                                           "ghostctl ignore", "ghostctl policy set"));

TEST(Completions, OfferVerbsAndTheVerbsOfAVerb) {
    EXPECT_EQ(bash_offers("ghostctl re"), (std::set<std::string>{"reload", "restore", "resume"}));
    EXPECT_EQ(fish_offers("ghostctl rel"), (std::set<std::string>{"reload"}));
    EXPECT_EQ(bash_offers("ghostctl policy "), (std::set<std::string>{"set", "show"}));
    EXPECT_EQ(fish_offers("ghostctl policy s"), (std::set<std::string>{"set", "show"}));
}

TEST(Completions, OfferValues) {
    EXPECT_EQ(bash_offers("ghostctl list --grade "), (std::set<std::string>{"proven", "suspected"}));
    EXPECT_EQ(bash_offers("ghostctl list --grade = p"), (std::set<std::string>{"proven"}));
    EXPECT_EQ(fish_offers("ghostctl list --grade "), (std::set<std::string>{"proven", "suspected"}));
    EXPECT_EQ(bash_offers("ghostctl history --verdict g"), (std::set<std::string>{"gone"}));
}

TEST(Completions, AreSoundZsh) {
    const auto ran = Program{{EGB_ZSH, "-n", completion("_ghostctl")}, {}}.finish();
    EXPECT_EQ(ran.code, 0) << ran.err;
}

} // namespace

} // namespace egb::cli
