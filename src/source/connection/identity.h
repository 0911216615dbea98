// Which cluster this is, and whether it can be replicated from.
#pragma once

#include "model/origin.h"
#include "source/connection/connection.h"

namespace re_dms {

/// The oldest version that runs at all, as PQserverVersion. Supported are 15 to 18.
inline constexpr int kOldestServer = 140000;

/// "15.18".
std::string version_text(int server_version);

/// Connects both ways. Throws Fatal for a version below kOldestServer, a standby, wal_level below
/// logical, and a role without the replication right.
Origin identify_source(const SourceSettings& settings);

/// What the server at the other end of a replication connection says of itself.
struct Identity {
  Origin origin;
  Lsn flushed;  ///< end of the WAL it has flushed
};

/// As identify_source, of one connection: with several hosts in source.url, a proxy or a failover
/// each connection may lead to another server.
Identity identify_server(Connection& replication, const SourceSettings& settings);

/// Throws Fatal unless `now` is the cluster, timeline and database, and names the slot and
/// publication, that the journal was begun with.
void require_same_source(const Origin& journal, const Origin& now);

/// Throws Fatal unless a plain connection leads to the journal's cluster. A role that may not ask
/// is believed.
void require_same_cluster(const Origin& journal, Connection& plain);

}  // namespace re_dms
