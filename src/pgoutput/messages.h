// The messages of pgoutput, protocol version 1, plus logical messages: bytes in, checked views out,
// no I/O. Source: PostgreSQL 15, protocol-logicalrep-message-formats.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "model/lsn.h"
#include "model/relation.h"
#include "model/tuple.h"

namespace re_dms::pgoutput {

struct Begin {
  Lsn commit_lsn;  ///< the message's final_lsn: where the commit record starts
  SystemTime commit_time;
  std::uint32_t xid = 0;
};

struct Commit {
  Lsn commit_lsn;
  Lsn end_lsn;  ///< position after the commit record: what is acknowledged
  SystemTime commit_time;
};

struct OriginName {
  Lsn origin_lsn;
  std::string_view name;
};

struct TypeName {
  Oid oid = 0;
  std::string_view schema;  ///< empty: pg_catalog
  std::string_view name;
};

struct Insert {
  Oid relation = 0;
  TupleView tuple;
};

/// What the old tuple of an update or delete holds.
enum class OldTuple : char { None = 0, Key = 'K', Full = 'O' };

struct Update {
  Oid relation = 0;
  OldTuple old_kind = OldTuple::None;  ///< None: the key did not change
  TupleView old_tuple;  ///< empty when None; with Key, Null means "not sent" off the key
  TupleView tuple;
};

struct Delete {
  Oid relation = 0;
  OldTuple old_kind = OldTuple::Key;
  TupleView old_tuple;
};

struct Truncate {
  bool cascade = false;
  bool restart_identity = false;
  std::vector<Oid> relations;
};

struct LogicalMessage {
  bool transactional = false;
  Lsn lsn;
  std::string_view prefix;
  std::string_view content;
};

using Message = std::variant<Begin, Commit, OriginName, Relation, TypeName, Insert, Update, Delete,
                             Truncate, LogicalMessage>;

/// Decodes one message and checks every length in it, so that views of tuples can be walked without
/// further checks. Throws Fatal with the message type and offset on anything malformed, on types of
/// other protocol versions, and on binary columns. Views point into `bytes`.
Message decode(std::string_view bytes);

// The same, one type each, for the row path: no variant, no allocation.
Begin decode_begin(std::string_view bytes);
Commit decode_commit(std::string_view bytes);
Insert decode_insert(std::string_view bytes);
Update decode_update(std::string_view bytes);
Delete decode_delete(std::string_view bytes);
Relation decode_relation(std::string_view bytes);
Truncate decode_truncate(std::string_view bytes);
LogicalMessage decode_logical_message(std::string_view bytes);

/// The table an 'I', 'U' or 'D' message concerns, without looking further. `bytes` as received.
Oid row_relation(std::string_view bytes);

/// µs since 2000-01-01 UTC, as PostgreSQL sends times.
SystemTime from_postgres_time(std::uint64_t micros);
std::uint64_t to_postgres_time(SystemTime time);

}  // namespace re_dms::pgoutput
