// Replaying a recorded journal gives the same batches, byte by byte: read while it was written or
// afterwards, from its beginning or from where any batch ended, without a stop or with restarts.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/testing/faulty_file_system.h"
#include "base/testing/sanitizer.h"
#include "batch/batcher.h"
#include "batch/testing/target_model.h"
#include "journal/journal_reader.h"
#include "journal/journal_writer.h"
#include "pipeline/testing/recording.h"
#include "schema/catalog_json.h"
#include "stage/csv.h"
#include "stage/stager.h"

namespace re_dms::replay_test {
namespace {

constexpr Lsn kStart = Recording::kStart;
constexpr BatchLimits kBatchLimits{12'000, 20'000};
constexpr ReaderLimits kReaderLimits{3'000};

Origin origin() {
  Origin origin;
  origin.system_identifier = "7000000000000000001";
  origin.timeline = 1;
  origin.database = "app";
  origin.slot = "re_dms";
  origin.publication = "re_dms";
  origin.server_version = 150000;
  origin.created = true;
  origin.consistent_point = kStart;
  return origin;
}

JournalLimits journal_limits() {
  JournalLimits limits;
  limits.directory = "/journal";
  limits.segment_bytes = 8'000;
  limits.reserve_bytes = 0;
  return limits;
}

/// Where it was decided to end a batch: at a position, behind so many units that did not move it
/// (answers of the catalog, for instance). What a batcher ends by itself it ends again.
struct SealPlace {
  Lsn position;
  int units = 0;

  auto operator<=>(const SealPlace&) const = default;
};

class StringSink final : public ByteSink {
 public:
  void take(std::string_view bytes) override { text.append(bytes); }

  std::string text;
};

std::string bytes_of(const Layer& layer) {
  const StagedLayer staged = describe(layer);
  std::string text = fmt::format("layer {} truncate {} rows {}+{}+{}+{}\n", to_json(*layer.table),
                                 layer.truncate, layer.counts.inserts, layer.counts.replaces,
                                 layer.counts.updates, layer.counts.deletes);
  for (const SchemaChange& change : layer.changes) {
    const auto* added = std::get_if<AddColumn>(&change);
    const auto* dropped = std::get_if<DropColumn>(&change);
    text += dropped != nullptr                            ? fmt::format("drop {}\n", dropped->name)
            : std::holds_alternative<StoreSchema>(change) ? "store\n"
            : added == nullptr                            ? "create\n"
                               : fmt::format("add {} missing {}\n", added->column.name,
                                             added->column.missing.value_or("NULL"));
  }
  for (const PartRange& part : plan_parts(layer, 1'000)) {
    StringSink sink;
    CsvWriter csv(*layer.table, staged.shape, sink);
    for (std::size_t row = part.first; row < part.last; ++row) {
      if (!layer.rows[row].void_row) {
        csv.append(layer.row(row));
      }
    }
    csv.finish();
    text += "part\n" + sink.text;
  }
  return text;
}

/// Everything of a batch but its number, which counts from 1 in each run.
std::string bytes_of(const SealedBatch& batch) {
  const BatchSpan& span = batch.span;
  std::string text = fmt::format("batch {} {} transactions {} changes {} times {} {}\n", span.from,
                                 span.to, span.transactions, span.changes,
                                 to_text(span.first_commit), to_text(span.last_commit));
  for (const Layer& layer : batch.layers) {
    text += bytes_of(layer);
  }
  for (const SetAside& table : batch.set_aside) {
    text += fmt::format("set aside {} {} at {}: {}\n", table.oid, to_string(table.table),
                        table.position, table.reason);
  }
  return text;
}

/// A batch that the target took, and the tables it has then: what a restart begins with.
struct LoadedBatch {
  Lsn to;
  std::string bytes;
  std::vector<KnownTable> known;
};

/// A run of the daemon as the fold sees it: from a position on, with the tables of the target.
class Run {
 public:
  Run(FileSystem& files, const JournalTail* tail, Lsn from, std::vector<KnownTable> known)
      : known_(std::move(known)),
        batcher_(kBatchLimits, from, known_, sink_),
        reader_(files, "/journal", tail, from, kReaderLimits) {
    batcher_.begin_at(reader_.begin());
  }

  /// One unit; false when there was none.
  bool step(std::chrono::milliseconds patience) {
    const auto unit = reader_.next(patience, {});
    if (!unit) {
      return false;
    }
    batcher_.consume(*unit);
    const Lsn position = batcher_.position();
    place_ = {position, position == place_.position ? place_.units + 1 : 0};
    collect();
    return true;
  }

  bool can_seal() const { return !batcher_.in_transaction(); }

  SealPlace place() const { return place_; }

  /// Whether that gave a batch.
  bool seal() {
    const std::size_t before = done_.size();
    batcher_.seal();
    collect();
    return done_.size() > before;
  }

  const std::vector<LoadedBatch>& batches() const { return done_; }

 private:
  static bool set_aside(const SealedBatch& batch, Oid table) {
    return std::any_of(batch.set_aside.begin(), batch.set_aside.end(),
                       [&](const SetAside& entry) { return entry.oid == table; });
  }

  void collect() {
    for (const SealedBatch& batch : sink_.batches) {
      EXPECT_EQ(batch.span.number, ++sealed_);
      for (const Layer& layer : batch.layers) {
        if (!set_aside(batch, layer.table->oid)) {
          table_of(layer.table->oid).schema = *layer.table;
        }
      }
      for (const SetAside& table : batch.set_aside) {
        table_of(table.oid).live = false;
      }
      done_.push_back({batch.span.to, bytes_of(batch), known_});
    }
    sink_.batches.clear();
  }

  KnownTable& table_of(Oid oid) {
    for (KnownTable& table : known_) {
      if (table.schema.oid == oid) {
        return table;
      }
    }
    KnownTable& added = known_.emplace_back();
    added.schema.oid = oid;
    return added;
  }

  std::vector<KnownTable> known_;
  RecordingSink sink_;
  Batcher batcher_;
  JournalReader reader_;
  SealPlace place_;
  std::uint64_t sealed_ = 0;
  std::vector<LoadedBatch> done_;
};

/// What became of a recording: batches in order, and the places where it was decided to end one.
struct History {
  std::vector<LoadedBatch> batches;
  std::set<SealPlace> seals;
};

/// Follows the journal while it is written and ends batches at random. With restarts it starts over
/// now and then where the last batch ended, as after a crash.
History follow(const Recording& recording, FileSystem& files, std::uint64_t seed, bool restarts) {
  JournalWriter journal(files, journal_limits(), origin());
  const std::jthread writer([&] { write(recording, journal, seed); });
  std::mt19937_64 random(seed);
  History history;
  auto run = std::make_unique<Run>(files, &journal.tail(), kStart, recording.known);
  std::vector<LoadedBatch>& loaded = history.batches;
  std::size_t before = 0;  // batches of earlier runs
  while (loaded.empty() || loaded.back().to != recording.end()) {
    run->step(std::chrono::milliseconds(1));
    const bool ends = run->place().position == recording.end();
    if (run->can_seal() && (ends || random() % 12 == 0) && run->seal()) {
      history.seals.insert(run->place());
    }
    loaded.resize(before);
    loaded.insert(loaded.end(), run->batches().begin(), run->batches().end());
    if (restarts && !loaded.empty() && random() % 100 == 0) {
      before = loaded.size();
      run = std::make_unique<Run>(files, &journal.tail(), loaded.back().to, loaded.back().known);
    }
  }
  return history;
}

/// Reads a finished journal from `from` on, up to its end or until there are `enough` batches.
std::vector<LoadedBatch> replay(FileSystem& files, Lsn from, const std::vector<KnownTable>& known,
                                const std::set<SealPlace>& seals, std::size_t enough) {
  Run run(files, nullptr, from, known);
  while (run.batches().size() < enough && run.step(std::chrono::milliseconds(0))) {
    if (run.can_seal() && seals.contains(run.place())) {
      run.seal();
    }
  }
  return run.batches();
}

/// Every batch's end is started from; under a sanitizer one of five.
constexpr std::size_t kStep = kUnderSanitizer ? 5 : 1;
/// Batches that are compared after each of many starts; all of them would take a minute.
constexpr std::size_t kEnough = 4;
constexpr std::size_t kAll = static_cast<std::size_t>(-1);

/// That `replayed` is what `history` has from batch `first` on.
void expect_same(const History& history, std::size_t first,
                 const std::vector<LoadedBatch>& replayed) {
  const std::size_t left = history.batches.size() - first;
  ASSERT_GE(replayed.size(), first == 0 ? left : std::min(left, kEnough)) << "from " << first;
  ASSERT_LE(replayed.size(), left) << "from " << first;
  for (std::size_t i = 0; i < replayed.size(); ++i) {
    ASSERT_EQ(replayed[i].bytes, history.batches[first + i].bytes)
        << "batch " << first + i << ", replayed from batch " << first;
  }
}

std::size_t count(const History& history, std::string_view word) {
  std::size_t found = 0;
  for (const LoadedBatch& batch : history.batches) {
    for (std::size_t at = 0; (at = batch.bytes.find(word, at)) != std::string::npos; ++at) {
      ++found;
    }
  }
  return found;
}

class Replay : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  Replay() : recording_(GetParam()) { files_.create_directories(journal_limits().directory); }

  FaultyFileSystem files_;
  Recording recording_;
};

TEST_P(Replay, GivesTheBatchesThatWereMadeWhileTheJournalWasWritten) {
  const History history = follow(recording_, files_, GetParam(), false);
  ASSERT_NO_FATAL_FAILURE(
      expect_same(history, 0, replay(files_, kStart, recording_.known, history.seals, kAll)));
  for (std::size_t i = 0; i < history.batches.size(); i += kStep) {
    const LoadedBatch& start = history.batches[i];
    ASSERT_NO_FATAL_FAILURE(
        expect_same(history, i + 1, replay(files_, start.to, start.known, history.seals, kEnough)));
  }
  // The recording has all it is meant to have.
  EXPECT_GT(files_.list(journal_limits().directory).size(), 10U);
  EXPECT_GT(history.batches.size(), 20U);
  EXPECT_GT(count(history, "layer"), 2 * history.batches.size());
  EXPECT_EQ(count(history, "set aside"), 1U);
}

TEST_P(Replay, IsTheSameWithRestartsInBetween) {
  const History history = follow(recording_, files_, GetParam(), true);
  expect_same(history, 0, replay(files_, kStart, recording_.known, history.seals, kAll));
}

INSTANTIATE_TEST_SUITE_P(Seeds, Replay,
                         ::testing::Range(std::uint64_t{1},
                                          std::uint64_t{kUnderSanitizer ? 3 : 5}));

}  // namespace
}  // namespace re_dms::replay_test
