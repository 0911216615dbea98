// Makes what the source received durable, in segments, and forgets what the target has.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "journal/journal_tail.h"
#include "model/journal_block.h"
#include "model/lsn.h"
#include "model/origin.h"

namespace re_dms {

struct JournalLimits {
  std::string directory;
  std::uint64_t segment_bytes = 64ULL << 20;
  std::uint64_t max_bytes = 50ULL << 30;     ///< reading pauses between transactions above it
  std::uint64_t reserve_bytes = 2ULL << 30;  ///< free disk that even one open transaction leaves
  /// Bytes on the journal's disk that a load gives back when it ends; it may hold half of the
  /// reserve. Asked by the journal's thread, only when the disk is nearly full. Empty: none.
  std::function<std::uint64_t()> spilled_bytes{};
};

/// Owned by the journal's thread. Only release_below, begin, bytes, oldest_since, bytes_behind,
/// full, disk_low and tail may be called from others.
class JournalWriter {
 public:
  /// Recovers the directory's segments: checks all of the last one and the headers of all, fsyncs
  /// every segment kept and the directory, and puts a new file without the torn tail in the place
  /// of the last one unless close() left a proof of its end; an open transaction is closed by an
  /// Abort record (fsynced). Starts the first segment at origin.consistent_point when
  /// there is none. On return everything up to position() is durable. Throws Fatal on a segment of
  /// another origin, a gap, a bad header, or a last segment whose records contradict each other. A
  /// bad record in the last segment is taken for the torn tail; those of earlier ones are left to
  /// the readers, who refuse it.
  JournalWriter(FileSystem& files, JournalLimits limits, const Origin& origin);
  ~JournalWriter();

  /// Fills the block's CRCs and writes it; repeats table facts and starts new segments where
  /// needed. Not durable on return. Throws Fatal when the disk's reserve is reached (names the
  /// transaction and its size) or a write fails; after a throw the writer must not be used again.
  void append(JournalBlock& block);

  /// fsyncs what was appended (file, and directory when there is a new one), then publishes it to
  /// readers through tail(). One call covers all appends before it.
  void sync();

  /// The orderly end of writing: as sync(), then notes durably that everything is on the disk, so
  /// that the next start need not write the last segment anew. append() and sync() must not follow.
  void close();

  /// Everything below is durable: end of the last synced COMMIT or idle position.
  Lsn position() const;

  /// End of the last synced COMMIT; where replication starts (never an idle position: after a
  /// failover only the end of a transaction is safe). Origin's consistent point when there is none.
  Lsn last_commit_end() const;

  /// Deletes whole segments that no reader at `position` or later needs; durable on return. A
  /// segment that begins inside a transaction keeps those before it, and a reader keeps the one it
  /// stands in and those after it: to be called again when it has moved on.
  void release_below(Lsn position);

  /// Whether release_below would delete something now.
  bool would_release_below(Lsn position) const;

  /// A reader can start here, and nowhere before.
  Lsn begin() const;

  /// Bytes of all segments on disk.
  std::uint64_t bytes() const;

  /// Since when its first segment is there, counted from this start for one from before it.
  SteadyTime oldest_since() const;

  /// What a reader that stands there has still to read, with what is written and not durable yet.
  std::uint64_t bytes_behind(JournalPlace place) const;

  /// At or above max_bytes, or the disk is within 64 MiB of its reserve: the source pauses before
  /// the next transaction. A journal of one segment never counts as full by its bytes, because no
  /// load could make room. Touches the disk only in the second case, once a second.
  bool full() const;

  /// Three quarters of max_bytes are used.
  bool filling() const;

  /// Whether it is full because its disk has no more than the reserve, however small the journal
  /// is.
  bool disk_low() const;

  const JournalTail& tail() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace re_dms
