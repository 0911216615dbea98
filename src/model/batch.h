// A batch: the net effect of all transactions between two commits of one reader.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/layer.h"
#include "model/lsn.h"
#include "model/table_state.h"

namespace re_dms {

/// A table that cannot go on, with the reason a person needs. Its rows are skipped from `position`
/// on; the target keeps what it has: layers of the table in the batch that names it are void.
struct SetAside {
  Oid oid = 0;
  QualifiedName table;
  std::string reason;
  Lsn position;
  Remedy remedy = Remedy::Person;
  std::uint64_t attempt = 0;  ///< that a copy ends in; as TableRecord counts them

  bool operator==(const SetAside&) const = default;
};

/// From where to where a batch reaches: it holds every transaction with from <= commit_lsn < to.
struct BatchSpan {
  std::uint64_t number = 0;  ///< counts up within one run of the daemon, from 1
  Lsn from;
  Lsn to;
  std::uint64_t transactions = 0;
  std::uint64_t changes = 0;  ///< row changes received, before folding
  SystemTime first_commit;    ///< commit times of the first and last transaction; epoch when none
  SystemTime last_commit;
  /// How often tables that had caught up joined before it: what it holds of them follows that.
  std::uint64_t joins = 0;

  bool operator==(const BatchSpan&) const = default;
};

/// Takes what the fold makes. Layers arrive in the order they are applied and belong to the batch
/// that the next seal ends. Called by the fold's thread only.
class BatchSink {
 public:
  virtual ~BatchSink() = default;
  /// May block while staging is behind.
  virtual void layer(Layer&& layer) = 0;

  /// The open batch is one transaction that is handed on before its end, in layers: it can be
  /// loaded only when all of them are there. Comes before its first layer; may come again.
  virtual void cut_transaction(std::uint32_t /*xid*/, Lsn /*commit_lsn*/) {}

  /// The batch is complete: its end is a commit (or an idle position).
  virtual void seal(const BatchSpan& span, std::vector<SetAside> set_aside) = 0;
  /// The open batch is void: every layer since the last seal is forgotten.
  virtual void drop() = 0;
};

}  // namespace re_dms
