// Tables whose changes were not published for a while: the stream does not show it, the catalog
// does.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batch/testing/fold_run.h"

namespace re_dms::publication_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Oid kOrders = 100;
constexpr Oid kItems = 101;
const Publishing kFirst{{1, 700}, {{11, 701}}};

Publishing altered(Publishing publishing) {
  publishing.publication.xmin += 1;
  return publishing;
}

Publishing put_back(Publishing publishing) {
  publishing.path = {{12, 900}};
  return publishing;
}

TableSchema table(Oid oid, const std::string& name, std::optional<Publishing> publishing) {
  TableSchema schema = text_table(oid, name, {"id", "a"});
  schema.publication = std::move(publishing);
  return schema;
}

TableSchema orders(std::optional<Publishing> publishing = kFirst) {
  return table(kOrders, "orders", std::move(publishing));
}

TableSchema items(std::optional<Publishing> publishing = kFirst) {
  return table(kItems, "items", std::move(publishing));
}

CatalogTable answer(TableSchema schema) {
  return {std::move(schema), true, Lsn{5000}};
}

void tell(FoldRun& run, const std::vector<CatalogTable>& answers) {
  StreamBuilder records;
  run.feed(records.catalog(answers), UnitKind::Facts);
}

void insert(FoldRun& run, const char* id) {
  run.transaction([&](StreamBuilder& to) {
    to.insert(kOrders, {id, "a"}).insert(kItems, {id, "a"});
  });
}

/// A transaction, an answer about orders, another transaction: the reason why orders was set aside.
/// Where a person has to look at it, all that came before is loaded first.
std::string reason_after(const CatalogTable& about_orders) {
  FoldRun run({orders(), items()});
  insert(run, "1");
  tell(run, {about_orders, answer(items())});
  insert(run, "2");
  run.seal();
  const SealedBatch& last = run.last();
  if (last.set_aside.empty()) {
    EXPECT_EQ(describe_changes(last.layers), "orders:\nI 1,a\nI 2,a\nitems:\nI 1,a\nI 2,a\n");
    return "";
  }
  EXPECT_EQ(last.set_aside.size(), 1U);
  const SetAside& left = last.set_aside[0];
  EXPECT_EQ(left.oid, kOrders);
  EXPECT_EQ(left.position, last.span.from);
  if (left.remedy == Remedy::Copy) {
    EXPECT_EQ(describe_changes(last.layers), "items:\nI 1,a\nI 2,a\n");
    return left.reason;
  }
  EXPECT_EQ(describe_changes(last.layers), "items:\nI 2,a\n");
  EXPECT_EQ(describe_changes(run.sink.batches.front().layers), "orders:\nI 1,a\nitems:\nI 1,a\n");
  return left.reason;
}

TEST(Publication, ThatIsAsBeforeChangesNothing) {
  EXPECT_EQ(reason_after(answer(orders())), "");
}

TEST(Publication, ThatIsAnotherSetsItsTableAside) {
  EXPECT_THAT(reason_after(answer(orders(put_back(kFirst)))), HasSubstr("put back"));
  EXPECT_THAT(reason_after(answer(orders(altered(kFirst)))), HasSubstr("publication was altered"));
  EXPECT_THAT(reason_after(answer(orders(Publishing{{2, 800}, {{11, 701}}}))),
              HasSubstr("recreated"));
  EXPECT_THAT(reason_after(answer(orders(std::nullopt))),
              HasSubstr("no longer in the publication"));
}

TEST(Publication, OfATableThatIsGoneWaitsForAPerson) {
  CatalogTable gone;
  gone.schema.oid = kOrders;
  gone.asked_at = Lsn{1050};
  EXPECT_THAT(reason_after(gone), HasSubstr("was dropped in the source"));
}

TEST(Publication, NobodyAskedForIsNotKnown) {
  CatalogTable old = answer(orders(std::nullopt));
  old.asked_at = {};
  EXPECT_EQ(reason_after(old), "");
}

TEST(Publication, FirstKnownIsStoredAndComparedFromThenOn) {
  FoldRun run({orders(std::nullopt)});
  tell(run, {answer(orders())});
  tell(run, {answer(orders())});
  run.transaction([](StreamBuilder& to) { to.insert(kOrders, {"1", "a"}); });
  EXPECT_EQ(run.seal(), "orders: store\nI 1,a\n");
  EXPECT_EQ(run.last().layers.back().table->publication, kFirst);
  tell(run, {answer(orders(put_back(kFirst)))});
  run.transaction([](StreamBuilder& to) { to.insert(kOrders, {"2", "a"}); });
  EXPECT_EQ(run.seal(), "");
  EXPECT_EQ(run.last().set_aside.size(), 1U);
}

TEST(Publication, IsStoredWithANewTableAndThroughNewColumns) {
  FoldRun run({});
  run.transaction([](StreamBuilder& to) {
    to.catalog({answer(orders())}).relation(orders()).insert(kOrders, {"1", "a"});
  });
  EXPECT_EQ(run.seal(), "orders: create\nI 1,a\n");
  EXPECT_EQ(run.last().layers.at(0).table->publication, kFirst);
  TableSchema wider = text_table(kOrders, "orders", {"id", "a", "b"});
  wider.publication = kFirst;
  run.transaction([&](StreamBuilder& to) {
    to.catalog({answer(wider)}).relation(wider).insert(kOrders, {"2", "a", "b"});
  });
  EXPECT_EQ(run.seal(), "orders: +b\nI 2,a,b\n");
  EXPECT_EQ(run.last().layers.at(0).table->publication, kFirst);
}

TEST(Publication, OfAnAnswerBeforeTheStartIsOlderThanTheTargets) {
  RecordingSink sink;
  Batcher batcher({}, Lsn{1000}, {{orders(put_back(kFirst)), true}}, sink);
  StreamBuilder records;
  batcher.consume(records.catalog({answer(orders())}).unit(UnitKind::Facts));
  records.clear();
  records.begin(Lsn{1000}).relation(orders()).insert(kOrders, {"1", "a"}).commit(Lsn{1100});
  batcher.consume(records.unit(UnitKind::Transaction));
  batcher.seal();
  EXPECT_THAT(sink.batches.at(0).set_aside, IsEmpty());
  records.clear();
  batcher.consume(records.catalog({answer(orders())}).unit(UnitKind::Facts));
  records.clear();
  batcher.consume(records.idle(Lsn{1200}).unit(UnitKind::Idle));
  batcher.seal();
  EXPECT_EQ(sink.batches.at(1).set_aside.size(), 1U);
}

TEST(Publication, SeenInATransactionThatWasCutOffCountsAllTheSame) {
  FoldRun run({orders(std::nullopt), items()});
  run.part(UnitKind::FirstPart, [](StreamBuilder& to) {
    to.catalog({answer(orders()), answer(items(put_back(kFirst)))});
    to.relation(orders()).insert(kOrders, {"1", "a"}).relation(items()).insert(kItems, {"1", "a"});
  });
  run.abort();
  run.transaction([](StreamBuilder& to) { to.insert(kOrders, {"1", "a"}); });
  EXPECT_EQ(run.seal(), "orders: store\nI 1,a\n");
  ASSERT_EQ(run.last().set_aside.size(), 1U);
  EXPECT_EQ(run.last().set_aside[0].oid, kItems);
}

}  // namespace
}  // namespace re_dms::publication_test
