// Random transactions through the batcher into a strict target: after every batch the target holds
// what the source held at the batch's end. A failure prints its seed.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <utility>

#include "base/testing/sanitizer.h"
#include "batch/testing/fold_run.h"
#include "batch/testing/source_model.h"

namespace re_dms::fold_model_test {
namespace {

constexpr std::uint64_t kSeeds = kUnderSanitizer ? 1000 : 4000;

std::string joined(const std::vector<std::string>& records, std::size_t first, std::size_t last) {
  std::string all;
  for (std::size_t i = first; i < last; ++i) {
    all += records[i];
  }
  return all;
}

/// One history of one seed. `text` collects all that came out, for comparing two runs.
class Play {
 public:
  explicit Play(std::uint64_t seed)
      : source_(seed),
        batcher_({source_.random(2) == 0 ? 12'000U : 1U << 20, 1U << 20}, Lsn{1000},
                 FoldRun::known(source_.schemas()), sink_) {
    for (const TableSchema& table : source_.schemas()) {
      target_.create(table);
      schemas_[table.oid] = table;
    }
    ends_.push_back({Lsn{}, target_.tables, schemas_});
  }

  void run() {
    const std::uint64_t transactions = 3 + source_.random(12);
    for (std::uint64_t i = 0; i < transactions; ++i) {
      transaction();
      if (source_.random(5) == 0) {
        batcher_.seal();
      }
      check();
    }
    batcher_.seal();
    check();
    ASSERT_EQ(TargetModel::contents(target_.tables), source_.contents());
  }

  /// The same units into a target whose tables stand where batches of the first run ended, each at
  /// another one.
  void run_again_with_tables_ahead() {
    TargetModel target;
    std::vector<KnownTable> known;
    for (const auto& [oid, schema] : schemas_) {
      const End& end = ends_[source_.random(ends_.size())];
      if (const auto found = end.schemas.find(oid); found != end.schemas.end()) {
        known.push_back({found->second, true, end.position});
        target.tables[oid] = end.tables.at(oid);
      }
    }
    RecordingSink sink;
    Batcher batcher({source_.random(2) == 0 ? 12'000U : 1U << 20, 1U << 20}, Lsn{1000}, known,
                    sink);
    for (const auto& [kind, records] : units_) {
      batcher.consume({kind, records});
      if (!batcher.in_transaction() && source_.random(5) == 0) {
        batcher.seal();
      }
    }
    batcher.seal();
    for (const SealedBatch& batch : sink.batches) {
      ASSERT_TRUE(batch.set_aside.empty()) << batch.set_aside[0].reason;
      target.apply(batch);
    }
    ASSERT_EQ(TargetModel::contents(target.tables), source_.contents());
  }

  std::string text;

 private:
  /// What the target held after a batch.
  struct End {
    Lsn position;  ///< unknown: before the first one
    std::map<Oid, TargetModel::Rows> tables;
    std::map<Oid, TableSchema> schemas;
  };

  void consume(UnitKind kind, const std::string& records) {
    units_.emplace_back(kind, records);
    batcher_.consume({kind, records});
  }

  void transaction() {
    position_ += 100;
    const std::vector<std::string> records = source_.transaction(Lsn{position_ - 10});
    states_[position_] = source_.contents();
    const Lsn commit{position_ - 10};
    const std::string begin = StreamBuilder().begin(commit).bytes();
    StreamBuilder ending;
    ending.begin(commit);
    ending.clear();
    const std::string end = ending.commit(Lsn{position_}).bytes();
    while (source_.random(3) == 0) {
      const std::size_t sent = parts(begin, records);
      if (source_.random(2) == 0) {
        const std::string rest = joined(records, sent, records.size()) + end;
        return consume(UnitKind::LastPart, rest);
      }
      consume(UnitKind::Abort, {});
    }
    const std::string whole = begin + joined(records, 0, records.size()) + end;
    consume(UnitKind::Transaction, whole);
  }

  /// Sends a first part and some more; how many records that were.
  std::size_t parts(const std::string& begin, const std::vector<std::string>& records) {
    std::size_t sent = source_.random(records.size() + 1);
    const std::string first = begin + joined(records, 0, sent);
    consume(UnitKind::FirstPart, first);
    while (source_.random(2) == 0) {
      const std::size_t next = sent + source_.random(records.size() - sent + 1);
      const std::string more = joined(records, sent, next);
      consume(UnitKind::NextPart, more);
      sent = next;
    }
    return sent;
  }

  void check() {
    for (const SealedBatch& batch : sink_.batches) {
      ASSERT_TRUE(batch.set_aside.empty()) << batch.set_aside[0].reason;
      text += fmt::format("batch {} {}\n", batch.span.from, batch.span.to);
      text += describe_changes(batch.layers);
      target_.apply(batch);
      for (const Layer& layer : batch.layers) {
        schemas_[layer.table->oid] = *layer.table;
      }
      ends_.push_back({batch.span.to, target_.tables, schemas_});
      ASSERT_EQ(TargetModel::contents(target_.tables), states_.at(batch.span.to.value))
          << "after " << batch.span.to.value;
    }
    sink_.batches.clear();
  }

  SourceModel source_;
  RecordingSink sink_;
  Batcher batcher_;
  TargetModel target_;
  std::map<std::uint64_t, std::map<Oid, std::vector<std::string>>> states_;
  std::uint64_t position_ = 1000;
  std::vector<std::pair<UnitKind, std::string>> units_;
  std::map<Oid, TableSchema> schemas_;
  std::vector<End> ends_;
};

TEST(FoldModel, TheTargetEqualsTheSourceAfterEveryBatch) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Play play(seed);
    ASSERT_NO_THROW(play.run());
    if (HasFatalFailure()) {
      return;
    }
  }
}

TEST(FoldModel, WhatATableHoldsAlreadyIsSkipped) {
  for (std::uint64_t seed = 1; seed <= kSeeds / 2; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Play play(seed);
    play.run();
    ASSERT_NO_THROW(play.run_again_with_tables_ahead());
    if (HasFatalFailure()) {
      return;
    }
  }
}

TEST(FoldModel, TheSameUnitsGiveTheSameLayers) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Play first(seed);
    first.run();
    Play second(seed);
    second.run();
    ASSERT_EQ(first.text, second.text);
  }
}

}  // namespace
}  // namespace re_dms::fold_model_test
