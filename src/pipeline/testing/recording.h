// A made-up stream of one server and seed, for tests that replay a journal.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "batch/batcher.h"
#include "batch/testing/source_model.h"
#include "batch/testing/stream_builder.h"
#include "journal/journal_writer.h"

namespace re_dms {

/// What a server sends in one run of a seed: transactions of several tables, some larger than what
/// reader and batch take at a time, some cut off and sent again, idle positions, answers of the
/// catalog between transactions, and one row too large for its table to go on.
class Recording {
 public:
  static constexpr Lsn kStart{1000};

  explicit Recording(std::uint64_t seed) : source_(seed) {
    for (const TableSchema& table : source_.schemas()) {
      known.push_back({table, true});
    }
    for (int i = 0; i < kTransactions; ++i) {
      between_transactions(i);
      transaction(i);
    }
  }

  /// Records, each a string.
  const std::vector<std::string>& records() const { return records_; }

  Lsn end() const { return Lsn{position_}; }

  std::vector<KnownTable> known;

 private:
  void between_transactions(int number) {
    if (source_.random(10) == 0) {
      records_.push_back(StreamBuilder().idle(Lsn{position_ + 5}).bytes());
    }
    if (number == kTransactions / 5) {
      records_.push_back(StreamBuilder().catalog({{late_, true}}).bytes());
    } else if (source_.random(10) == 0) {
      const std::vector<TableSchema> all = source_.schemas();
      records_.push_back(
          StreamBuilder().catalog({{all[source_.random(all.size())], true}}).bytes());
    }
  }

  void transaction(int number) {
    const Lsn commit{position_ + 90};
    const SystemTime time{std::chrono::seconds(number)};
    position_ += 100;
    std::vector<std::string> changes = source_.transaction(commit);
    if (number % 40 == 0) {
      for (int i = 0; i < 60; ++i) {
        const std::vector<std::string> more = source_.transaction(commit);
        changes.insert(changes.end(), more.begin(), more.end());
      }
    }
    if (number > kTransactions / 5 && number % 3 == 0) {
      // One of these is larger than rows may be.
      const std::size_t size = number == 111 ? 30'000 : 10;
      changes.push_back(StreamBuilder().relation(late_).bytes());
      changes.push_back(StreamBuilder()
                            .insert(kLateTable, {std::to_string(number), std::string(size, 'x')})
                            .bytes());
    }
    const std::string begin = StreamBuilder().begin(commit, time).bytes();
    if (source_.random(5) == 0) {
      records_.push_back(begin);
      const std::size_t sent = source_.random(changes.size() + 1);
      records_.insert(records_.end(), changes.begin(), changes.begin() + static_cast<long>(sent));
      JournalBlock abort;
      abort.add(RecordKind::Abort, {});
      records_.push_back(abort.bytes);
    }
    records_.push_back(begin);
    records_.insert(records_.end(), changes.begin(), changes.end());
    StreamBuilder ending;
    ending.begin(commit, time).clear();
    records_.push_back(ending.commit(Lsn{position_}).bytes());
  }

  static constexpr Oid kLateTable = 77;
  static constexpr int kTransactions = 150;

  SourceModel source_;
  TableSchema late_ = text_table(kLateTable, "late", {"k", "a"});
  std::vector<std::string> records_;
  std::uint64_t position_ = kStart.value;
};

/// Appends in blocks and syncs in groups of random size.
inline void write(const Recording& recording, JournalWriter& journal, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  JournalBlock block;
  for (const std::string& record : recording.records()) {
    block.bytes += record;
    if (random() % 20 == 0) {
      journal.append(block);
      block = {};
    }
    if (random() % 60 == 0) {
      journal.sync();
      std::this_thread::yield();
    }
  }
  journal.append(block);
  journal.sync();
}

}  // namespace re_dms
