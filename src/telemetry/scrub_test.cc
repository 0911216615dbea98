#include "telemetry/scrub.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace re_dms::scrub_test {
namespace {

TEST(Scrub, PasswordsAndTokensGoWhereverTheyStand) {
  const ScrubRules rules{{"hunter2"}, true};
  EXPECT_EQ(scrub("postgresql://re_dms:pa55@db/app failed", rules),
            "postgresql://re_dms:[secret]@db/app failed");
  EXPECT_EQ(scrub("host=db password=pa55 user=x", rules), "host=db password=[secret] user=x");
  EXPECT_EQ(scrub("\"token\": \"abc\", more", rules), "\"token\": [secret], more");
  EXPECT_EQ(scrub("the word hunter2 alone", rules), "the word [secret] alone");
  EXPECT_EQ(scrub("key AKIAIOSFODNN7EXAMPLE of", rules), "key [secret] of");
  EXPECT_EQ(scrub("Authorization: Bearer abc.def-1", rules).find("abc"), std::string::npos);
}

TEST(Scrub, ValuesOfRowsGoUnlessTheyAreAllowed) {
  const std::string key = "duplicate key (Key (id, mail)=(5, ann@example.org) already exists.)";
  EXPECT_EQ(scrub(key, {}), "duplicate key (Key (id, mail)=([value]) already exists.)");
  EXPECT_EQ(scrub(key, {{}, true}), key);
  EXPECT_EQ(scrub("Could not convert string 'ann' to INT32", {}),
            "Could not convert string '[value]' to INT32");
  EXPECT_EQ(scrub("invalid input syntax for type integer: \"ann\" [22P02]", {}),
            "invalid input syntax for type integer: [value] [22P02]");
  EXPECT_EQ(scrub("Failing row contains (1, ann, (2)).", {}), "Failing row contains ([value]).");
}

TEST(Scrub, ACutLeavesNoPartOfASecretOrValue) {
  const ScrubRules rules{{"configured-hunter2"}, false};
  // The secret of each begins with "hun".
  const auto texts = std::to_array<std::string>({
      "it is configured-hunter2 here",
      "postgresql://re_dms:hunter2-of-a-command@db/app",
      "password=hunter2hunter2 ",
      "\"token\": \"hunter2 with spaces\"",
      "Authorization: Bearer hunter2hunter2",
      "could not convert 'hunter2 and more words' to a number",
      "Key (id)=(hunter2, 5) already exists",
      "Failing row contains (hunter2, 5)",
      "invalid input syntax for type integer: \"hunter2 and more\"",
  });
  for (const std::string& text : texts) {
    // The cut is anywhere in it.
    for (std::size_t before = 4096 - text.size(); before <= 4096; ++before) {
      const std::string made =
          scrub(std::string(before - 1, 'x') + " " + text + std::string(200, 'y'), rules);
      ASSERT_EQ(made.find("hun"), std::string::npos) << text << " behind " << before;
    }
  }
}

TEST(Scrub, NamesStay) {
  const std::string text = "column \"total\" of public.orders is no longer in the stream at 0/1A2B";
  EXPECT_EQ(scrub(text, {}), text);
}

}  // namespace
}  // namespace re_dms::scrub_test
