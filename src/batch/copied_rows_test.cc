#include "batch/copied_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batch/testing/stream_builder.h"

namespace re_dms::copied_rows_test {
namespace {

using ::testing::HasSubstr;

/// A tuple of one-byte column "id" and another column.
std::string tuple_of(const std::string& id, const std::string& text) {
  const std::string message = insert_message(1, {id, text});
  return message.substr(6);  // behind 'I', the OID and 'N'
}

TEST(CopiedRows, BecomeInsertsOfOneLayerAfterTheOther) {
  const auto table = std::make_shared<const TableSchema>(text_table(1, "t", {"id", "v"}));
  CopiedRows rows(table, {1000, false});
  EXPECT_EQ(rows.add(tuple_of("1", "a")), std::nullopt);
  EXPECT_EQ(rows.add(tuple_of("2", "b")), std::nullopt);
  const Layer layer = rows.take();
  EXPECT_EQ(layer.counts.inserts, 2U);
  EXPECT_EQ(layer.counts.rows(), 2U);
  EXPECT_EQ(layer.row(1).op, RowOp::Insert);
  EXPECT_EQ(layer.row(1).tuple.bytes(), tuple_of("2", "b"));
  EXPECT_EQ(rows.rows(), 0U);
  EXPECT_EQ(rows.take().counts.rows(), 0U);
}

TEST(CopiedRows, RefuseWhatTheStreamWouldRefuse) {
  const auto table = std::make_shared<const TableSchema>(text_table(1, "t", {"id", "v"}));
  CopiedRows rows(table, {100, true});
  EXPECT_THAT(rows.add(tuple_of("1", std::string(200, 'x'))).value_or(""),
              HasSubstr("batch.max_row_bytes"));
  EXPECT_THAT(rows.add(tuple_of("1", "\xff")).value_or(""), HasSubstr("not UTF-8"));
  EXPECT_EQ(rows.rows(), 0U);
}

}  // namespace
}  // namespace re_dms::copied_rows_test
