#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "model/journal_block.h"
#include "model/layer.h"
#include "model/lsn.h"
#include "model/row_memory.h"
#include "model/type_parts.h"

namespace re_dms::model_test {
namespace {

TEST(Lsn, ReadsAndWritesTheTextOfPostgres) {
  EXPECT_EQ(to_string(Lsn{0x16B374D848}), "16/B374D848");
  EXPECT_EQ(Lsn::parse("16/B374D848"), Lsn{0x16B374D848});
  EXPECT_EQ(Lsn::parse("0/0"), Lsn{});
  EXPECT_EQ(Lsn::parse("16"), std::nullopt);
  EXPECT_EQ(Lsn::parse("1/2/3"), std::nullopt);
  EXPECT_EQ(Lsn::parse("x/1"), std::nullopt);
  EXPECT_LT(*Lsn::parse("9/0"), *Lsn::parse("10/0"));
}

TEST(SharedParts, AreEqualWhereThePartsAre) {
  const TypeParts type{.kind = TypeParts::Kind::Hstore, .oid = 70000};
  const SharedParts parts(type);
  EXPECT_EQ(parts, SharedParts(type));
  EXPECT_NE(parts, SharedParts(TypeParts{.kind = TypeParts::Kind::Hstore, .oid = 70001}));
  EXPECT_NE(parts, SharedParts());
  EXPECT_NE(SharedParts(), parts);
  EXPECT_EQ(SharedParts(), SharedParts());
  EXPECT_LE(sizeof(SharedParts), 2 * sizeof(void*)) << "every column of every table has them";
}

TEST(RowMemory, KeepsEveryBlockApart) {
  std::minstd_rand random(1);
  RowMemory memory;
  std::vector<std::pair<StoredBytes, std::string>> kept;
  for (int i = 0; i < 20000; ++i) {
    const std::string bytes(random() % (i % 100 == 0 ? 3'000'000 / (1 + i) + 5000 : 400),
                            static_cast<char>('a' + i % 26));
    if (i % 3 == 2) {
      auto& [stored, text] = kept[random() % kept.size()];
      stored = memory.replace(stored, bytes);
      text = bytes;
    } else if (i % 7 == 6) {
      memory.release(kept.back().first);
      kept.pop_back();
    } else {
      kept.emplace_back(memory.store(bytes), bytes);
    }
  }
  for (const auto& [stored, text] : kept) {
    ASSERT_EQ(stored.view(), text);
  }
}

TEST(RowMemory, ReusesReleasedBlocks) {
  RowMemory memory;
  StoredBytes stored = memory.store(std::string(1200, 'x'));
  stored = memory.replace(stored, std::string(900, 'y'));
  const std::size_t before = memory.bytes();
  for (int i = 0; i < 100000; ++i) {
    stored = memory.replace(stored, std::string(i % 2 == 0 ? 1200 : 900, 'y'));
  }
  EXPECT_EQ(memory.bytes(), before);
}

TEST(RowMemory, CountsLargeBlocksWhileTheyAreHeld) {
  constexpr std::size_t kLarge = 2U << 20;
  RowMemory memory;
  StoredBytes stored = memory.store(std::string(kLarge, 'x'));
  const std::size_t one = memory.bytes();
  EXPECT_GE(one, kLarge);
  const char* const place = stored.block();
  stored = memory.replace(stored, std::string(kLarge, 'y'));
  EXPECT_EQ(stored.block(), place);
  for (std::size_t i = 0; i < 100; ++i) {
    stored = memory.replace(stored, std::string(kLarge + i % 7, 'z'));
    ASSERT_LE(memory.bytes(), one + 7);
  }
  EXPECT_EQ(stored.view(), std::string(kLarge + 99 % 7, 'z'));
  memory.release(stored);
  EXPECT_EQ(memory.bytes(), 0U);
}

TEST(RowMemory, KeepsLargeBlocksApartFromSmallOnes) {
  RowMemory memory;
  std::vector<StoredBytes> kept;
  for (const std::size_t size : {100U, (1U << 20) - 4, (1U << 20) - 3, 3U << 20, 100U}) {
    kept.push_back(memory.store(std::string(size, static_cast<char>('a' + kept.size()))));
  }
  StoredBytes grown = memory.replace(kept[0], std::string(5U << 20, 'g'));
  grown = memory.replace(grown, std::string(10, 's'));
  for (std::size_t i = 1; i < kept.size(); ++i) {
    EXPECT_EQ(kept[i].view().front(), static_cast<char>('a' + i));
    EXPECT_EQ(kept[i].view().back(), static_cast<char>('a' + i));
  }
  EXPECT_EQ(grown.view(), "ssssssssss");
}

TEST(Key, PartsComeBackAsTheyWentIn) {
  std::string key;
  append_key_part(key, "a");
  append_key_part(key, "");
  append_key_part(key, std::string_view("b\0c", 3));
  std::vector<std::string> parts;
  for_each_key_part(key, [&](std::string_view part) { parts.emplace_back(part); });
  EXPECT_EQ(parts, (std::vector<std::string>{"a", "", std::string("b\0c", 3)}));
}

TEST(JournalBlock, LaysRecordsOutAsOnDisk) {
  JournalBlock block;
  block.add(RecordKind::Message, "abc");
  EXPECT_EQ(block.bytes, std::string("\x03\0\0\0\0\0\0\0mabc", 12));
}

}  // namespace
}  // namespace re_dms::model_test
