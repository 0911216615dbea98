// A temporary slot, and the snapshot of the database that belongs to it.
#pragma once

#include <stop_token>
#include <string>

#include "model/lsn.h"
#include "model/origin.h"
#include "source/connection/connection.h"
#include "source/settings.h"

namespace re_dms {

/// What the snapshot shows is every transaction whose commit_lsn is below its position. It can be
/// imported as long as this object lives; sessions that have imported it keep it. The slot goes
/// with the connection, whatever ends it.
class ExportedSnapshot {
 public:
  /// Waits until every transaction that writes at present has ended, without holding any lock
  /// itself: so tables whose publication was committed before the call are published in all of the
  /// stream behind the snapshot. Throws Transient naming them when that takes longer than
  /// `patience`, Stopped on stop.
  ExportedSnapshot(const SourceSettings& settings, const Origin& origin,
                   std::chrono::milliseconds patience, const std::stop_token& stop);

  Lsn position() const { return position_; }

  const std::string& name() const { return name_; }

 private:
  Connection replication_;
  Lsn position_;
  std::string name_;
};

}  // namespace re_dms
