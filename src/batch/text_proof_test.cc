// Values and names that are not UTF-8: the table is set aside, the others go on.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batch/testing/fold_run.h"

namespace re_dms::text_proof_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Oid kNotes = 100;
constexpr Oid kOthers = 101;
constexpr const char* kBad = "caf\xE9";
constexpr const char* kGood = "caf\xC3\xA9";

TableSchema notes() {
  return text_table(kNotes, "notes", {"id", "text"});
}

TableSchema others() {
  return text_table(kOthers, "others", {"id", "text"});
}

CatalogTable raw(TableSchema schema) {
  CatalogTable table{std::move(schema), true};
  table.raw_text = true;
  return table;
}

/// What becomes of `notes` after what `fill` does to it in a database of the encoding SQL_ASCII.
template <typename F>
std::string reason_of(F fill) {
  FoldRun run({notes(), others()});
  run.transaction([](StreamBuilder& to) {
    to.catalog({raw(notes()), raw(others())}).insert(kNotes, {"1", "a"}).insert(kNotes, {"2", "b"});
  });
  run.transaction([&](StreamBuilder& to) { fill(to), to.insert(kOthers, {"1", kGood}); });
  run.transaction([](StreamBuilder& to) { to.insert(kOthers, {"2", "a"}); });
  const std::string changes = run.seal();
  EXPECT_THAT(changes, HasSubstr("others:\nI 1,caf\xC3\xA9\nI 2,a\n"));
  if (run.last().set_aside.empty()) {
    EXPECT_THAT(changes, HasSubstr("notes:\n"));
    return "";
  }
  EXPECT_THAT(changes, ::testing::Not(HasSubstr("notes:\n")));
  return run.last().set_aside.at(0).reason;
}

TEST(TextProof, SetsATableAsideThatGetsOtherBytes) {
  const auto of_the_column = AllOf(HasSubstr("column text"), HasSubstr("SQL_ASCII"));
  EXPECT_THAT(reason_of([](StreamBuilder& to) { to.insert(kNotes, {"3", kBad}); }), of_the_column);
  EXPECT_THAT(reason_of([](StreamBuilder& to) { to.update(kNotes, {"1", kBad}); }), of_the_column);
  EXPECT_THAT(reason_of([](StreamBuilder& to) {
                to.erase(kNotes, {kBad, kNull});
              }),
              HasSubstr("column id"));
  EXPECT_THAT(reason_of([](StreamBuilder& to) {
                to.update(kNotes, {kBad, kNull}, {"4", "a"});
              }),
              HasSubstr("column id"));
}

TEST(TextProof, LeavesUtf8Alone) {
  EXPECT_THAT(reason_of([](StreamBuilder& to) {
                to.insert(kNotes, {"3", kGood}).update(kNotes, {"1", kUnchanged});
              }),
              IsEmpty());
}

TEST(TextProof, TakesTheServersWordInOtherDatabases) {
  FoldRun run({notes()});
  run.transaction([](StreamBuilder& to) { to.insert(kNotes, {"1", kBad}); });
  EXPECT_EQ(run.seal(), "notes:\nI 1,caf\xE9\n");
}

TEST(TextProof, LooksAtTheTypeThatHoldsAnyByte) {
  TableSchema flags = text_table(kNotes, "notes", {"id", "flag"});
  flags.columns[1].type.oid = flags.columns[1].type.base_oid = 18;
  FoldRun run({flags});
  run.transaction([](StreamBuilder& to) { to.insert(kNotes, {"1", "\xE9"}); });
  EXPECT_EQ(run.seal(), "");
  EXPECT_THAT(run.last().set_aside.at(0).reason,
              AllOf(HasSubstr("column flag"), HasSubstr("\"char\"")));
}

TEST(TextProof, RefusesNamesThatNoTargetTakes) {
  EXPECT_THAT(reason_of([](StreamBuilder& to) {
                TableSchema renamed = notes();
                renamed.columns[1].name = kBad;
                to.relation(renamed).insert(kNotes, {"3", "a"});
              }),
              HasSubstr("caf\\xE9"));
  EXPECT_THAT(reason_of([](StreamBuilder& to) {
                CatalogTable answer = raw(notes());
                answer.unreadable = "the type caf\\xE9";
                to.catalog({answer}).insert(kNotes, {"3", "a"});
              }),
              HasSubstr("the type caf\\xE9"));
}

TEST(TextProof, NamesATableThatIsNewAndUnreadable) {
  FoldRun run({others()});
  TableSchema unreadable = notes();
  unreadable.name.name = kBad;
  run.transaction([&](StreamBuilder& to) {
    CatalogTable answer = raw(unreadable);
    answer.schema.name.name = "caf\\xE9";
    answer.unreadable = "the table caf\\xE9";
    to.catalog({answer}).relation(unreadable).insert(kNotes, {"3", "a"});
  });
  EXPECT_EQ(run.seal(), "");
  EXPECT_EQ(run.last().set_aside.at(0).table.name, "caf\\xE9");
}

}  // namespace
}  // namespace re_dms::text_proof_test
