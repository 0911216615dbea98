// The version of a table's rows follows from its timeline: wherever reading starts, the same
// version, or the table is to be copied. A failure prints its seed.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "base/testing/sanitizer.h"
#include "batch/batcher.h"
#include "batch/testing/altered_table.h"
#include "batch/testing/target_model.h"

namespace re_dms::timeline_test {
namespace {

using Row = AlteredTable::Row;

constexpr std::uint64_t kSeeds = kUnderSanitizer ? 500 : 2000;

/// A table as the target has it, with the version that is stored with it.
struct Target {
  TableSchema schema;
  std::vector<Row> rows;
  Lsn position;

  std::string key_of(const Row& row) const {
    std::string key;
    for (const std::size_t index : key_columns(schema)) {
      append_key_part(key, row.at(schema.columns[index].attnum).text);
    }
    return key;
  }

  void apply(const Layer& layer) {
    for (const SchemaChange& change : layer.changes) {
      const auto* added = std::get_if<AddColumn>(&change);
      const auto* dropped = std::get_if<DropColumn>(&change);
      for (Row& row : rows) {
        if (added != nullptr) {
          const auto& missing = added->column.missing;
          row.emplace(added->column.attnum, missing ? Cell(*missing) : kNull);
        } else if (dropped != nullptr) {
          row.erase(std::ranges::find(schema.columns, dropped->name, &Column::name)->attnum);
        }
      }
    }
    schema = *layer.table;
    if (layer.truncate) {
      rows.clear();
    }
    for (std::size_t i = 0; i < layer.rows.size(); ++i) {
      if (!layer.rows[i].void_row) {
        apply(layer.row(i));
      }
    }
  }

  void apply(const NetRow& net) {
    const bool known = net.op != RowOp::Insert;
    const std::size_t gone =
        std::erase_if(rows, [&](const Row& row) { return known && key_of(row) == net.origin_key; });
    ASSERT_EQ(gone, known ? 1U : 0U);
    if (net.op == RowOp::Delete) {
      return;
    }
    Row row;
    const Cells cells = cells_of(net.tuple);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      row.emplace(schema.columns[i].attnum, cells[i]);
    }
    rows.push_back(std::move(row));
  }
};

struct Tally {
  int added = 0;
  int dropped = 0;
  int copied = 0;
  int to_the_end = 0;
};

/// One reader of the table's journal.
class Reading {
 public:
  /// From `from` on, into a target that may be further.
  Reading(AlteredTable& table, Lsn from, Target target)
      : table_(table),
        target_(std::move(target)),
        batcher_({1U << 20, 1U << 20}, from, {{target_.schema, true, target_.position}}, sink_) {}

  /// `seals`: one batch for so many transactions, on average.
  void run(std::uint64_t seals) {
    for (const AlteredTable::Unit& unit : table_.units()) {
      batcher_.consume({unit.kind, unit.records});
      if (!batcher_.in_transaction() && table_.random(seals) == 0) {
        batcher_.seal();
      }
      ASSERT_NO_FATAL_FAILURE(load());
      if (copied_) {
        return;
      }
    }
    batcher_.seal();
    load();
  }

  /// What the target had at the ends of batches.
  const std::vector<Target>& ends() const { return ends_; }

  bool copied() const { return copied_; }

  Tally tally;

 private:
  void load() {
    for (const SealedBatch& batch : sink_.batches) {
      if (!batch.set_aside.empty()) {
        ASSERT_EQ(batch.set_aside[0].remedy, Remedy::Copy) << batch.set_aside[0].reason;
        copied_ = true;
        return;
      }
      for (const Layer& layer : batch.layers) {
        target_.apply(layer);
        for (const SchemaChange& change : layer.changes) {
          tally.added += std::holds_alternative<AddColumn>(change) ? 1 : 0;
          tally.dropped += std::holds_alternative<DropColumn>(change) ? 1 : 0;
        }
      }
      target_.position = std::max(target_.position, batch.span.to);
      ends_.push_back(target_);
      if (target_.position == batch.span.to) {
        ASSERT_NO_FATAL_FAILURE(compare(table_.states().at(batch.span.to)));
      }
    }
    sink_.batches.clear();
  }

  /// Columns that the stream has told nothing of yet are the source's own, and those that it has
  /// told nothing of any more are the target's; each holds its own values only.
  void compare(const AlteredTable::State& source) {
    const auto text = [](const Row& row, const TableSchema& of, const TableSchema& other) {
      std::string all;
      for (const Column& column : of.columns) {
        const Cell& cell = row.at(column.attnum);
        EXPECT_TRUE(cell == kNull || cell.text.starts_with(fmt::format("c{}", column.attnum)))
            << cell.text << " is in column " << column.attnum;
        if (std::ranges::find(other.columns, column.attnum, &Column::attnum) !=
            other.columns.end()) {
          all += fmt::format("{}={} ", column.attnum, cell == kNull ? "NULL" : cell.text);
        }
      }
      return all;
    };
    std::vector<std::string> expected;
    std::vector<std::string> found;
    for (const Row& row : source.rows) {
      expected.push_back(text(row, source.schema, target_.schema));
    }
    for (const Row& row : target_.rows) {
      found.push_back(text(row, target_.schema, source.schema));
    }
    std::ranges::sort(expected);
    std::ranges::sort(found);
    ASSERT_EQ(found, expected) << "at " << to_string(target_.position);
    ASSERT_FALSE(::testing::Test::HasFailure());
  }

  AlteredTable& table_;
  RecordingSink sink_;
  Target target_;
  Batcher batcher_;
  std::vector<Target> ends_;
  bool copied_ = false;
};

Target first_of(const AlteredTable& table) {
  return {table.first().schema, table.first().rows, AlteredTable::kFrom};
}

/// Attribute numbers, names and keys where both readings ended a batch at the same place.
void expect_same_versions(const Reading& one, const Reading& other) {
  for (const Target& end : one.ends()) {
    const auto same = std::ranges::find(other.ends(), end.position, &Target::position);
    if (same != other.ends().end()) {
      ASSERT_TRUE(std::ranges::equal(
          end.schema.columns, same->schema.columns, {},
          [](const Column& column) { return std::tuple(column.attnum, column.name, column.key); },
          [](const Column& column) { return std::tuple(column.attnum, column.name, column.key); }))
          << "at " << to_string(end.position);
    }
  }
}

TEST(Timeline, GivesTheSameVersionsWhereverReadingStarts) {
  Tally all;
  int restarts_to_the_end = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    AlteredTable table(seed);
    Reading first(table, AlteredTable::kFrom, first_of(table));
    ASSERT_NO_FATAL_FAILURE(first.run(1 + table.random(4)));
    all.added += first.tally.added;
    all.dropped += first.tally.dropped;
    all.copied += first.copied() ? 1 : 0;
    all.to_the_end += first.copied() ? 0 : 1;
    for (int restart = 0; restart < 3 && !first.ends().empty(); ++restart) {
      const Target& at = first.ends()[table.random(first.ends().size())];
      // The table stands where all do, or ahead of them.
      const auto place = std::next(
          table.states().begin(), static_cast<std::ptrdiff_t>(table.random(table.states().size())));
      Reading again(table, std::min(place->first, at.position), at);
      ASSERT_NO_FATAL_FAILURE(again.run(1 + table.random(4)));
      ASSERT_NO_FATAL_FAILURE(expect_same_versions(again, first));
      restarts_to_the_end += again.copied() ? 0 : 1;
    }
  }
  // Not everything is answered by a copy.
  const int seeds = static_cast<int>(kSeeds);
  EXPECT_GT(all.added, seeds / 4);
  EXPECT_GT(all.dropped, seeds / 8);
  EXPECT_GT(all.copied, seeds / 10);
  EXPECT_GT(all.to_the_end, seeds / 10);
  EXPECT_GT(restarts_to_the_end, seeds / 4);
}

}  // namespace
}  // namespace re_dms::timeline_test
