#include "base/utf8.h"

#include <gtest/gtest.h>

namespace re_dms::utf8_test {
namespace {

TEST(Utf8, IsWhatTheStandardSays) {
  for (const char* good :
       {"", "a", "sixteen letters: ", "\xC3\xA9", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF",
        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "eight at \xE2\x82\xAC a time"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
    EXPECT_EQ(readable(good), good);
  }
  for (const char* bad :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC3", "\xC3(", "\xE0\x9F\xBF", "\xE2\x82",
        "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF",
        "behind eight letters \xE9", "\xE9 before eight letters"}) {
    EXPECT_FALSE(is_utf8(bad)) << readable(bad);
  }
}

TEST(Utf8, ShowsWhatIsNone) {
  EXPECT_EQ(readable("caf\xE9 \xE2\x82\xAC \xE2\x82"), "caf\\xE9 \xE2\x82\xAC \\xE2\\x82");
}

}  // namespace
}  // namespace re_dms::utf8_test
