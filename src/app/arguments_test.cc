#include "app/arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/suggestion.h"
#include "base/error.h"

namespace re_dms::arguments_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

template <typename T>
T command(const std::vector<std::string>& words) {
  return std::get<T>(parse_arguments(words).command);
}

std::string refusal(const std::vector<std::string>& words) {
  try {
    parse_arguments(words);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Usage);
    return error.what();
  }
  ADD_FAILURE() << "was not refused";
  return {};
}

TEST(Arguments, RunGoesOnUntilStoppedUnlessAPositionIsGiven) {
  EXPECT_EQ(command<RunCommand>({"run"}).until, std::nullopt);
  EXPECT_EQ(command<RunCommand>({"run", "--until", "now"}).until, RunUntil(UntilNow{}));
  EXPECT_EQ(command<RunCommand>({"run", "--until=16/B374D848"}).until, RunUntil(Lsn{0x16B374D848}));
  EXPECT_THAT(refusal({"run", "--until", "yesterday"}), HasSubstr("16/B374D848"));
  EXPECT_THAT(refusal({"run", "--until", "0/0"}), HasSubstr("neither"));
}

TEST(Arguments, EachCommandHasItsOwnOptions) {
  EXPECT_TRUE(std::holds_alternative<CheckCommand>(parse_arguments({"check"}).command));
  EXPECT_TRUE(std::holds_alternative<SetupCommand>(parse_arguments({"setup"}).command));
  EXPECT_TRUE(std::holds_alternative<VersionCommand>(parse_arguments({"version"}).command));
  EXPECT_TRUE(std::holds_alternative<VersionCommand>(parse_arguments({"--version"}).command));
  EXPECT_FALSE(command<TeardownCommand>({"teardown"}).confirmed);
  EXPECT_TRUE(command<TeardownCommand>({"teardown", "--yes"}).confirmed);
  EXPECT_TRUE(command<TeardownCommand>({"teardown", "--keep-journal"}).keep_journal);
  EXPECT_TRUE(command<StatusCommand>({"status", "--json"}).json);
  EXPECT_FALSE(command<StatusCommand>({"status"}).watch);
  EXPECT_TRUE(command<StatusCommand>({"status", "--watch"}).watch);
  EXPECT_THAT(refusal({"status", "--watch", "--json"}), HasSubstr("--json"));
  const auto inspect = command<JournalInspectCommand>({"journal", "inspect", "dir", "--json"});
  EXPECT_EQ(inspect.directory, "dir");
  EXPECT_TRUE(inspect.json);
}

TEST(Arguments, TheDemosProgramGetsItsWordsAsTheyAre) {
  EXPECT_TRUE(command<DemoCommand>({"demo"}).words.empty());
  const std::vector<std::string> words = {"--seconds", "5", "--help", "-v", "run"};
  EXPECT_EQ(command<DemoCommand>({"demo", "--seconds", "5", "--help", "-v", "run"}).words, words);
}

TEST(Arguments, GlobalOptionsStandBeforeOrBehindTheCommand) {
  EXPECT_EQ(parse_arguments({"run"}).config_path, "/etc/re_dms/re_dms.toml");
  EXPECT_EQ(parse_arguments({"run"}).log_level, LogLevel::Info);
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"-c", "a.toml", "-v", "run"}, {"run", "--config", "a.toml", "--verbose"}}) {
    EXPECT_EQ(parse_arguments(words).config_path, "a.toml");
    EXPECT_EQ(parse_arguments(words).log_level, LogLevel::Debug);
  }
  EXPECT_EQ(parse_arguments({"-q", "check"}).log_level, LogLevel::Warn);
  EXPECT_THAT(refusal({"-q", "-v", "check"}), HasSubstr("--quiet"));
}

TEST(Arguments, HelpIsATextThatEndsInOneNewline) {
  const std::string all = command<HelpCommand>({"--help"}).text;
  for (const char* word : {"run", "check", "setup", "teardown", "status", "journal", "demo",
                           "version", "--config", "Exit codes"}) {
    EXPECT_THAT(all, HasSubstr(word));
  }
  EXPECT_TRUE(all.ends_with("\n") && !all.ends_with("\n\n"));
  const std::string run = command<HelpCommand>({"run", "--help"}).text;
  EXPECT_THAT(run, HasSubstr("--until now|LSN"));
  EXPECT_THAT(run, Not(HasSubstr("First steps")));
}

TEST(Arguments, WhatIsNotKnownIsRefusedWithASuggestion) {
  EXPECT_THAT(refusal({}), HasSubstr("no command given"));
  EXPECT_THAT(refusal({"stauts"}), HasSubstr("perhaps you mean \"status\""));
  EXPECT_THAT(refusal({"replicate"}), HasSubstr("unknown command \"replicate\""));
  EXPECT_THAT(refusal({"journal"}), HasSubstr("journal inspect DIR"));
  EXPECT_THAT(refusal({"journal", "inspct", "d"}), HasSubstr("perhaps you mean \"inspect\""));
  EXPECT_THAT(refusal({"journal", "inspect"}), HasSubstr("DIR"));
  EXPECT_THAT(refusal({"run", "--frob"}), HasSubstr("unexpected \"--frob\""));
  EXPECT_THAT(refusal({"status", "check"}), HasSubstr("unexpected \"check\""));
}

TEST(Arguments, CommandsThatDoNotExistYetAreNotKnown) {
  for (const char* verb : {"init", "schema"}) {
    EXPECT_THAT(refusal({verb}), HasSubstr("unknown command")) << verb;
  }
}

TEST(Arguments, ResyncNamesItsTablesOrAll) {
  const auto tables = [](const std::vector<std::string>& words) {
    return std::get<VerbCommand>(parse_arguments(words).command).tables;
  };
  EXPECT_EQ(tables({"resync", "public.a", "b*"}), (std::vector<std::string>{"public.a", "b*"}));
  EXPECT_EQ(tables({"resync", "--all"}), (std::vector<std::string>{"*.*"}));
  EXPECT_THAT(refusal({"resync"}), HasSubstr("resync --all"));
  EXPECT_THAT(refusal({"resync", "--all", "a"}), HasSubstr("--all"));
}

TEST(Arguments, VerbsNameTheirTablesOrNone) {
  for (const char* word : {"pause", "resume"}) {
    const auto all = std::get<VerbCommand>(parse_arguments({word}).command);
    EXPECT_EQ(all.verb, word);
    EXPECT_TRUE(all.tables.empty());
    const auto some = std::get<VerbCommand>(parse_arguments({word, "a", "b*"}).command);
    EXPECT_EQ(some.tables, (std::vector<std::string>{"a", "b*"}));
  }
}

TEST(EditDistance, CountsSwapsAsOneStep) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("slot", "slot"), 0U);
  EXPECT_EQ(edit_distance("slto", "slot"), 1U);
  EXPECT_EQ(edit_distance("slott", "slot"), 1U);
  EXPECT_EQ(edit_distance("", "slot"), 4U);
  EXPECT_EQ(edit_distance("abc", "xyz"), 3U);
}

TEST(Nearest, IsEmptyWhenNothingIsClose) {
  const std::vector<std::string> known = {"source.slot", "batch.interval", "journal.max_bytes"};
  EXPECT_EQ(nearest("source.slto", known), "source.slot");
  EXPECT_EQ(nearest("source.interval", known), "batch.interval");
  EXPECT_EQ(nearest("batch.maxbytes", known), "");
  EXPECT_EQ(nearest("journal.maxbytes", known), "journal.max_bytes");
  EXPECT_EQ(nearest("control.socket", known), "");
  EXPECT_EQ(nearest("", known), "");
  EXPECT_EQ(nearest(std::string(100'000, 'x'), known), "");
}

}  // namespace
}  // namespace re_dms::arguments_test
