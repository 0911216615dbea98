#include "base/quantities.h"

#include <gtest/gtest.h>

namespace re_dms::quantities_test {
namespace {

TEST(Quantities, SizesHaveAUnit) {
  EXPECT_EQ(parse_size("0B"), 0U);
  EXPECT_EQ(parse_size("17B"), 17U);
  EXPECT_EQ(parse_size("3KiB"), 3072U);
  EXPECT_EQ(parse_size("512MiB"), 512ULL << 20);
  EXPECT_EQ(parse_size("50GiB"), 50ULL << 30);
  EXPECT_EQ(parse_size("2TiB"), 2ULL << 40);
  for (const char* wrong : {"", "1", "GiB", "1GB", "1 GiB", " 1GiB", "1GiB ", "-1GiB", "1.5GiB",
                            "9000000TiB", "99999999999999999999B", "1gib", "+1B", "0x1B"}) {
    EXPECT_EQ(parse_size(wrong), std::nullopt) << wrong;
  }
}

TEST(Quantities, DurationsHaveAUnit) {
  EXPECT_EQ(parse_duration("500ms"), std::chrono::milliseconds(500));
  EXPECT_EQ(parse_duration("10s"), std::chrono::seconds(10));
  EXPECT_EQ(parse_duration("2m"), std::chrono::minutes(2));
  EXPECT_EQ(parse_duration("8760h"), std::chrono::hours(8760));
  for (const char* wrong :
       {"", "10", "s", "1 s", "1d", "-1s", "0.5s", "8761h", "9223372036854775807h"}) {
    EXPECT_EQ(parse_duration(wrong), std::nullopt) << wrong;
  }
}

TEST(Quantities, AreShownInTheLargestUnitThatSaysSomething) {
  EXPECT_EQ(size_text(0), "0 B");
  EXPECT_EQ(size_text(1023), "1023 B");
  EXPECT_EQ(size_text(512ULL << 20), "512 MiB");
  EXPECT_EQ(size_text(1'288'490'189), "1.2 GiB");
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(1'000), "1,000");
  EXPECT_EQ(count_text(1'234'567), "1,234,567");
  EXPECT_EQ(duration_text(-1), "0 s");
  EXPECT_EQ(duration_text(0.25), "250 ms");
  EXPECT_EQ(duration_text(4.24), "4.2 s");
  EXPECT_EQ(duration_text(42.4), "42 s");
  EXPECT_EQ(duration_text(90), "1 min 30 s");
  EXPECT_EQ(duration_text(11'530), "3 h 12 min");
  EXPECT_EQ(duration_text(180'000), "2 d 2 h");
}

}  // namespace
}  // namespace re_dms::quantities_test
