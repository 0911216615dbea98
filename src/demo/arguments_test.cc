#include "demo/arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace re_dms::demo::arguments_test {
namespace {

using testing::HasSubstr;

std::string refusal(std::vector<std::string> words) {
  try {
    parse_demo_arguments(std::move(words));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Usage);
    return error.what();
  }
  return "";
}

TEST(DemoArguments, HaveDefaults) {
  const DemoSettings settings = parse_demo_arguments({"--program", "re_dms"}).settings;
  EXPECT_EQ(settings.program, "re_dms");
  EXPECT_EQ(settings.seconds, 25);
  EXPECT_EQ(settings.directory, "demo");
  EXPECT_FALSE(settings.keep);
}

TEST(DemoArguments, AreTakenAsGiven) {
  const DemoSettings settings =
      parse_demo_arguments({"--program", "re_dms", "--seconds", "5", "--directory", "d", "--keep"})
          .settings;
  EXPECT_EQ(settings.seconds, 5);
  EXPECT_EQ(settings.directory, "d");
  EXPECT_TRUE(settings.keep);
}

TEST(DemoArguments, AreRefusedWithTheReason) {
  EXPECT_THAT(refusal({"--program", "p", "--seconds", "0"}), HasSubstr("86400"));
  EXPECT_THAT(refusal({"--program", "p", "--seconds", "soon"}), HasSubstr("soon"));
  EXPECT_THAT(refusal({"--program", "p", "--colour"}), HasSubstr("--colour"));
  EXPECT_THAT(refusal({}), HasSubstr("--program"));
}

TEST(DemoArguments, HelpNeedsNothingElse) {
  EXPECT_THAT(parse_demo_arguments({"--help"}).help, HasSubstr("--seconds"));
}

}  // namespace
}  // namespace re_dms::demo::arguments_test
