// Streams as the source would hand them to the journal, and what a reader makes of a journal, as
// text. For tests of the journal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "journal/journal_reader.h"
#include "journal/journal_writer.h"
#include "model/journal_block.h"
#include "model/journal_unit.h"
#include "model/origin.h"

namespace re_dms {

inline constexpr std::string_view kSampleDirectory = "/journal";
inline constexpr Lsn kSampleStart{0x1000};

Origin sample_origin();

/// Directory /journal, segments of 4 KiB, no bound.
JournalLimits sample_limits();

/// Builds one block.
class StreamSample {
 public:
  StreamSample& begin(std::uint32_t xid, Lsn commit_lsn);
  /// The end is 0x40 behind the commit.
  StreamSample& commit(Lsn commit_lsn);
  StreamSample& relation(Oid table);
  StreamSample& catalog(const std::vector<Oid>& tables);
  StreamSample& insert(Oid table, std::string_view text);
  StreamSample& truncate(const std::vector<Oid>& tables);
  StreamSample& logical_message(std::string_view content);
  StreamSample& idle(Lsn lsn);
  StreamSample& abort();

  /// The block so far; the next one begins empty.
  JournalBlock take();

 private:
  JournalBlock block_;
};

/// Transaction number `n` (from 1), with its own xid, commit LSN and rows: a pure function of n.
Lsn nth_commit(std::uint32_t n);
Lsn nth_end(std::uint32_t n);
std::size_t nth_rows(std::uint32_t n);
/// The whole of it, with the Relation of its table first.
JournalBlock nth_transaction(std::uint32_t n);

/// "Transaction B7 R16384 I16384:abc C", records by type letter and what tells them apart.
std::string describe(const JournalUnit& unit);

/// All units from `from` on, read without a tail.
std::vector<std::string> read_units(FileSystem& files, Lsn from, ReaderLimits limits = {});

/// As read_units, but only complete transactions, without the facts that segments repeat; large
/// ones put together again.
std::vector<std::string> read_transactions(FileSystem& files, Lsn from, ReaderLimits limits = {});

/// Where /journal begins for its readers: it holds every transaction with commit_lsn >= this. Empty
/// when there is no segment that a reader can start in.
std::optional<Lsn> journal_begin(FileSystem& files);

/// Copies the durable content of /journal.
void copy_journal(FileSystem& from, FileSystem& to);

}  // namespace re_dms
