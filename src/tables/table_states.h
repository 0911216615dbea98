// The one owner of the states of all tables in the process: fold, loader, copies, status and
// metrics ask it and tell it. What it is told is durable in the target already.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/retry.h"
#include "model/batch.h"
#include "model/initial_copy.h"
#include "model/staged_batch.h"
#include "model/table_schema.h"
#include "model/table_state.h"

namespace re_dms {

/// How much of a table the target has, also of one that has its copy already. Bytes are those of
/// the table's file in the source.
struct CopyProgress {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  bool sized = false;                ///< the source was asked for the estimates
  std::uint64_t rows_estimated = 0;  ///< 0: the source knows no estimate
  std::uint64_t bytes_estimated = 0;
  /// Of a table that catches up: of the journal, still to be read for it. Nothing before that
  /// began.
  std::optional<std::uint64_t> journal_bytes_left;
  SystemTime began;
};

/// A table as the process knows it.
struct TableRecord {
  Oid oid = 0;
  QualifiedName name;
  TableState state = TableState::Waiting;
  std::string reason;  ///< why it is not live, or why it is copied again; for people
  Lsn position;        ///< of a table that is not live: it holds everything below
  TablePtr schema;     ///< at `position`, of a table that catches up
  CopyProgress copy;
  int tries = 0;   ///< copies that failed in a row
  int doubts = 0;  ///< copies that became necessary although it was live
  /// Counts what was begun to bring it up to the others; what is staged for an earlier attempt is
  /// void.
  std::uint64_t attempt = 0;
  InitialCopy initial_copy = InitialCopy::Auto;  ///< how the table that the target has began
  bool asked = false;    ///< when the target said so last, somebody wanted the copy that is due
  SteadyTime live_at{};  ///< when it became live last
  SteadyTime due{};      ///< of a waiting table: not to be copied before
  Lsn held_from;         ///< of a table being copied: changes from here on may be needed
  /// Of a table that is paused or set aside: the changes from its position on are in the journal,
  /// so that it can go on there.
  bool resumable = false;
  SystemTime since;  ///< of the state
};

/// How long a table waits for its copy.
struct CopyPauses {
  RetryPolicy failed;  ///< after a copy that failed for a reason that may pass
  /// After it was live and something came that the stream could not tell: from the second time on,
  /// counted until it was live for `longest`.
  RetryPolicy doubted;
};

/// As the daemon waits: retry_policy(), and a minute up to an hour unless RE_DMS_HEAL_MS says
/// otherwise, parsed by parse_retry_policy: tests set it.
CopyPauses copy_pauses();

/// What waits to be done at the source.
struct CopyWork {
  std::vector<TableRecord> due;  ///< tables whose copy is due, by OID
  bool publish = false;          ///< tables are missing in the publication

  bool empty() const { return due.empty() && !publish; }
};

/// Safe to use from any thread. Calls that wait say so.
class TableStates {
 public:
  TableStates(const Clock& clock, CopyPauses pauses) : clock_(clock), pauses_(pauses) {}

  /// Tables that were live and are in doubt wait for a person instead; before begin().
  void set_doubts_aside() { doubts_wait_ = true; }

  /// Tables of these names are never copied: one that was followed and cannot go on waits for a
  /// person instead. Counts for what happens from now on.
  void forbid_copies(std::function<bool(const QualifiedName&)> of);
  bool copies_forbidden(const QualifiedName& table) const;

  /// Whether the table waits for a person, and not for a copy, if it is followed and comes into
  /// doubt.
  bool holds_back(const QualifiedName& table) const;

  /// What the target knew when it was taken over. The journal holds what stands at `journal_begin`
  /// or later.
  void begin(std::vector<TableRecord> tables, Lsn journal_begin);

  /// What the target knows is known.
  bool begun() const { return begun_; }

  /// A batch with rows of the table was loaded.
  void live(Oid oid, const QualifiedName& name);

  /// The table cannot go on: it waits for a copy, or for a person; gives which, and why.
  SetAside leave(const SetAside& table);

  /// What somebody asks of a table, for whoever writes to the target: in the order in which it was
  /// asked. To be copied anew is nothing new for a table that is being copied, or that is to be
  /// already; one that waits for a person is not paused.
  void wish(Oid oid, Wish wish);
  /// Of each table the first: another one is about what becomes of it by that.
  std::vector<std::pair<Oid, Wish>> take_wishes();
  /// The same, of tables that are to leave: to be paused, or copied anew. The others wait.
  std::vector<std::pair<Oid, Wish>> take_wishes_to_leave();

  /// The wishes that were taken last are granted.
  void wishes_granted();

  /// Waits until all wishes are granted; false when `patience` passed before.
  bool wait_for_wishes(std::chrono::milliseconds patience);

  /// The target has it so now. Gives what is known of it then; nothing where that is no news.
  std::optional<TableRecord> granted(const TableRecord& table);

  /// While true, nothing is loaded and no copy begins.
  void pause_loading(bool paused);

  bool loading_paused() const { return loading_paused_; }

  /// Tables that could be replicated and are not published; they are to be.
  void unpublished(bool any);

  /// The configuration may ask for other tables than the publication has, whatever unpublished()
  /// says; or whoever looked could not.
  void look_at_publication();

  /// Waits for something to do; nothing when stopped or closed.
  CopyWork wait_for_copies(const std::stop_token& stop);

  /// What was missing in the publication is in it, but for what could not be published, with the
  /// reasons. `added` are about to be met, where they are not known yet.
  void published(const std::vector<Oid>& added, std::map<QualifiedName, std::string> failed);
  std::map<QualifiedName, std::string> publishing_failures() const;

  /// From now on changes from `from` on may be needed by those of these tables that still wait:
  /// they are given, with their attempts.
  std::map<Oid, std::uint64_t> begin_copy(const std::vector<Oid>& tables, Lsn from);

  /// The source's estimate; kept until there is another.
  void estimate(Oid oid, std::uint64_t rows, std::uint64_t bytes);
  /// The target has so much more of the copy whose snapshot is at `position`. What is loaded late
  /// of an earlier copy does not count.
  void copied_some(Oid oid, Lsn position, std::uint64_t rows, std::uint64_t bytes);

  /// The copy ended without result and is tried again after a pause.
  void copy_failed(Oid oid, const std::string& reason);

  /// The target holds the copy; `began`: what it is. Nothing there is left of another table that
  /// stood still under this name.
  void copied(const TablePtr& schema, Lsn position, InitialCopy began = InitialCopy::Auto);

  /// Waits for tables that catch up; nothing when stopped or closed.
  std::vector<TableRecord> wait_for_lagging(const std::stop_token& stop);

  /// Waits until none of these tables catches up any more, or stopped or closed.
  void wait_until_joined(const std::vector<TableRecord>& tables, const std::stop_token& stop);

  /// The table is still at this attempt.
  bool is_current(Oid oid, std::uint64_t attempt) const;

  /// Tables that became live since the last call.
  std::vector<Oid> take_joined();

  /// So much of the journal is still to be read for these tables, if they catch up.
  void journal_left(const std::vector<Oid>& tables, std::uint64_t bytes);

  /// Of tables being copied, changes below are not needed.
  void hold_from(const std::vector<Oid>& tables, Lsn position);

  /// Tables that catch up hold what stands below; `tables` says where they stood before.
  void caught_up_to(const std::vector<TableAt>& tables, Lsn position);

  /// They are live.
  void joined(const std::vector<TableAt>& tables);

  /// Nothing for a table never heard of.
  std::optional<TableState> state(Oid oid) const;

  /// The first position from which a table that is not live needs changes; unknown: none does.
  Lsn held_from() const;

  /// Of the tables that are paused or set aside, the one that needs the oldest changes needs them
  /// no longer; nothing where others need changes as old, or later ones only than `position`.
  std::optional<TableRecord> let_go(Lsn position);

  /// Which one let_go would give.
  std::optional<TableRecord> first_to_let_go(Lsn position) const;

  /// No table waits for a copy, is copied or catches up, but for those whose copy failed again and
  /// again; and none is to be published, or was and is not met yet. Not before the publication was
  /// looked at, if that is to be.
  bool settled() const;

  /// How often tables that were live had to be copied anew.
  std::uint64_t doubts() const;

  /// Some table waits for a person, or its copy failed again and again.
  bool any_set_aside() const;

  /// All tables by OID.
  std::vector<TableRecord> all() const;

  /// Whoever waits is woken, and nobody waits any more.
  void close();

 private:
  std::vector<std::pair<Oid, Wish>> take_wishes_of(const std::set<Wish>& kinds);
  TableRecord& record(Oid oid);
  void enter(TableRecord& table, TableState state);
  void wait_again(TableRecord& table, const std::string& reason);
  void doubt(TableRecord& table);

  bool is_forbidden(const QualifiedName& table) const { return forbidden_ && forbidden_(table); }

  bool is_held_back(const QualifiedName& table) const {
    return doubts_wait_ || is_forbidden(table);
  }

  std::string why_held_back(const QualifiedName& table, const std::string& reason) const;

  const TableRecord* oldest_resumable(Lsn position) const;
  static bool is_stuck(const TableRecord& table);

  const Clock& clock_;
  const CopyPauses pauses_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<Oid, TableRecord> tables_;
  std::uint64_t changes_ = 0;  ///< of states
  std::uint64_t doubts_ = 0;
  bool doubts_wait_ = false;
  std::function<bool(const QualifiedName&)> forbidden_;
  bool publish_ = false;
  bool look_again_ = false;
  bool looked_ = false;      ///< at the publication, once
  int looks_in_vain_ = 0;    ///< at it, since the last that was not
  bool publishing_ = false;  ///< somebody was told to
  std::set<Oid> expected_;   ///< published and not met yet
  int looks_left_ = 0;       ///< at the source, until nobody expects them any more
  std::vector<std::pair<Oid, Wish>> wishes_;
  bool granting_ = false;
  std::atomic<bool> begun_{false};
  std::atomic<bool> loading_paused_{false};
  std::vector<Oid> joined_;
  std::map<QualifiedName, std::string> unpublishable_;
  bool closed_ = false;
};

}  // namespace re_dms
