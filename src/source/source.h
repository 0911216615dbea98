// The connection to PostgreSQL: slot, publication, catalog and the stream of changes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "base/error.h"
#include "model/lsn.h"
#include "model/origin.h"
#include "source/settings.h"
#include "source/setup/setup_result.h"
#include "source/stream/wiring.h"

namespace re_dms {

class Connection;

struct PublicationState;

class Source {
 public:
  explicit Source(SourceSettings settings);
  ~Source();

  /// Connects and reads cluster, timeline, database and server version. Refuses (Fatal) PostgreSQL
  /// older than 14, a standby, wal_level below logical and a missing replication right.
  Origin identify();

  /// Drops the slot that the interrupted first start of this intention may have left, for when
  /// source.slot names another one since, or somebody else is to make it. Refuses (Fatal) where it
  /// may lie in another cluster or database. May be repeated.
  void drop_slot_of(const Origin& intended);

  /// First start. Creates the publication with the tables that qualify, one by one, then the slot;
  /// `intend` is called after all checks and must have made the intention durable before it
  /// returns: only then is the slot created. `intended_before` is the intention of a first start
  /// of this slot that was interrupted: what it left is dropped; where that may lie in another
  /// cluster or database, this refuses. Any other slot of our name is refused. With
  /// auto_setup = false publication and slot must exist and are used as they are, so `intend` has
  /// nothing to keep. Tables that hold rows at the consistent point are not admitted. After an
  /// error: take_back.
  SlotCreation create_slot(const std::optional<Origin>& intended_before,
                           const std::function<void(const Origin&)>& intend);

  /// For when create_slot failed, or its caller could not keep what it made, for this reason. Drops
  /// the slot, and also the publication if create_slot made it, unless the reason may pass
  /// (Transient): then the next try continues with the publication. Returns what stays behind
  /// because dropping failed, and how to drop it; empty: nothing. Never throws.
  std::string take_back(ErrorKind reason);

  /// Later starts and every connect. Refuses a cluster, timeline, database or slot other than the
  /// origin's, a slot that is gone, invalidated or of another plugin, a server whose commits wait
  /// for us, and a publication that is gone or has tables that nobody asked for. Other faults for
  /// which create_slot refuses a publication are logged as warnings. Refusals by the server (a
  /// password, a standby) are Fatal until create_slot or verify has succeeded once, then Transient.
  void verify(const Origin& origin);

  /// Streams until stop is requested (returns) or something fails (throws). Starts at `from`. After
  /// START_REPLICATION and before the first feedback the slot's confirmed position must not lie
  /// beyond `journaled_to`. `open` says whether an earlier try left a transaction unfinished in
  /// `out`; it is closed by an Abort record first, and updated as transactions come and go.
  void stream(Lsn from, Lsn journaled_to, const Origin& origin, bool& open,
              const StreamWiring& wiring, const std::stop_token& stop);

  /// The server's current end of WAL.
  Lsn current_lsn();

  const std::vector<LeftOut>& left_out() const;

  /// From now on these tables are asked for; by the thread that streams.
  void choose(const TableChoice& choice);

 private:
  void verify_now(const Origin& origin);
  void take_out_unselected(Connection& plain, PublicationState publication,
                           const std::vector<Oid>& admitted);
  void warn_of_publication(const PublicationState& publication);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace re_dms
