#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "model/journal_block.h"
#include "model/layer.h"
#include "model/lsn.h"
#include "model/row_memory.h"

namespace re_dms {
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
}  // namespace re_dms
