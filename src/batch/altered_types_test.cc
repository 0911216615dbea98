// Types that columns are made of are altered: the stream says nothing of it, the catalog does.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batch/testing/fold_run.h"

namespace re_dms::altered_types_test {
namespace {

using ::testing::HasSubstr;

constexpr Oid kOrders = 100;
const Publishing kPublishing{{1, 700}, {{11, 701}}};

TypeParts pair_of(const char* one, const char* other) {
  return {
      .kind = TypeParts::Kind::Composite,
      .oid = 70000,
      .parts = {{.oid = 25, .name = one, .attnum = 1}, {.oid = 25, .name = other, .attnum = 2}}};
}

TableSchema orders(const TypeParts& parts, const std::string& target = "super") {
  TableSchema schema = text_table(kOrders, "orders", {"id", "p"});
  schema.columns[1].type.parts = SharedParts(parts);
  schema.columns[1].type.target = target;
  schema.publication = kPublishing;
  return schema;
}

CatalogTable answer(const TypeParts& parts) {
  return {orders(parts, ""), true, Lsn{5000}};
}

void tell(FoldRun& run, const CatalogTable& what) {
  StreamBuilder records;
  run.feed(records.catalog({what}), UnitKind::Facts);
}

/// The reason why the table is to be copied, if it is.
std::string reason(FoldRun& run) {
  run.seal();
  if (run.sink.batches.empty() || run.last().set_aside.empty()) {
    return "";
  }
  EXPECT_EQ(run.last().set_aside[0].remedy, Remedy::Copy);
  return run.last().set_aside[0].reason;
}

void insert(FoldRun& run, const char* id) {
  run.transaction([&](StreamBuilder& to) { to.insert(kOrders, {id, "(x,y)"}); });
}

TEST(AlteredTypes, HaveTheTableCopiedWithoutARow) {
  FoldRun run({orders(pair_of("a", "b"))});
  tell(run, answer(pair_of("a", "b")));
  insert(run, "1");
  EXPECT_EQ(run.seal(), "orders:\nI 1,(x,y)\n");
  tell(run, answer(pair_of("a", "c")));
  run.transaction([](StreamBuilder&) {});
  EXPECT_THAT(reason(run), HasSubstr("column \"p\""));
}

TEST(AlteredTypes, AreFoundByARestartToo) {
  // All that is told is from before the table's position.
  FoldRun run({}, {{orders(pair_of("a", "b")), true, Lsn{1100}}});
  run.transaction([](StreamBuilder&) {});
  EXPECT_EQ(reason(run), "");
  tell(run, answer(pair_of("a", "c")));
  run.transaction([](StreamBuilder&) {});
  EXPECT_THAT(reason(run), HasSubstr("ALTER TYPE"));
}

TEST(AlteredTypes, OfAnAnswerFromBeforeTheCopyAreNone) {
  FoldRun run({}, {{orders(pair_of("a", "c")), true, Lsn{1150}}});
  tell(run, answer(pair_of("a", "b")));
  insert(run, "1");
  insert(run, "2");
  EXPECT_EQ(reason(run), "");
  EXPECT_EQ(describe_changes(run.last().layers), "orders:\nI 2,(x,y)\n");
  tell(run, answer(pair_of("a", "c")));
  insert(run, "3");
  EXPECT_EQ(reason(run), "");
  tell(run, answer(pair_of("a", "b")));
  insert(run, "4");
  EXPECT_NE(reason(run), "");
}

TEST(AlteredTypes, DoNotMatterWhereTheTargetHasTheText) {
  TableSchema text = orders(pair_of("a", "b"), "");
  text.columns[1].type.parts.reset();
  FoldRun run({text});
  tell(run, answer(pair_of("a", "c")));
  insert(run, "1");
  EXPECT_EQ(reason(run), "");
}

TEST(AlteredTypes, KeepTheirPartsThroughOtherChanges) {
  FoldRun run({orders(pair_of("a", "b"))});
  TableSchema wider = text_table(kOrders, "orders", {"id", "p", "more"});
  wider.columns[1].type.parts = SharedParts(pair_of("a", "b"));
  wider.history.last_attnum = 3;
  wider.publication = kPublishing;
  run.transaction([&](StreamBuilder& to) {
    to.catalog({{wider, true, Lsn{5000}}}).relation(wider).insert(kOrders, {"1", "(x,y)", "z"});
  });
  EXPECT_EQ(reason(run), "");
  const ColumnType& type = run.last().layers.at(0).table->columns[1].type;
  EXPECT_EQ(type.parts, SharedParts(pair_of("a", "b")));
  EXPECT_EQ(type.target, "super");
}

/// A table that begins with its first row, and is told of by these answers before it.
std::string reason_of_empty(const std::vector<CatalogTable>& answers) {
  const WantedTypes super = [](const QualifiedName&, const std::string& column) {
    return column == "p" ? "super" : "";
  };
  FoldRun run({.types = &super}, std::vector<KnownTable>());
  for (const CatalogTable& each : answers) {
    tell(run, each);
  }
  run.transaction([&](StreamBuilder& to) {
    to.relation(orders({}, "")).insert(kOrders, {"1", "(x,y)"});
  });
  std::string said = reason(run);
  if (said.empty()) {
    EXPECT_EQ(describe_changes(run.last().layers), "orders: create\nI 1,(x,y)\n");
    EXPECT_EQ(run.last().layers.at(0).table->columns[1].type.parts, SharedParts(pair_of("a", "b")));
  }
  return said;
}

TEST(AlteredTypes, OfATableThatBeginsEmpty) {
  EXPECT_EQ(reason_of_empty({answer(pair_of("a", "b"))}), "");
  // The rows may be from before that.
  EXPECT_NE(reason_of_empty({answer(pair_of("a", "b")), answer(pair_of("a", "c"))}), "");
  CatalogTable unknown = answer(pair_of("a", "b"));
  unknown.schema.columns[1].type.parts.reset();
  EXPECT_NE(reason_of_empty({unknown, answer(pair_of("a", "b"))}), "");
  unknown.schema.columns[1].type.kind = 'c';
  EXPECT_THAT(reason_of_empty({unknown}), HasSubstr("is not known"));
}

}  // namespace
}  // namespace re_dms::altered_types_test
