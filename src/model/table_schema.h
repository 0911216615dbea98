// One version of a table as the stream delivers it: what the Relation message says, completed by
// what the catalog said at that place of the stream.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/lsn.h"
#include "model/type_parts.h"

namespace re_dms {

using Oid = std::uint32_t;

/// The type of a target's column that keeps JSON as a value instead of a text.
inline constexpr std::string_view kSuper = "super";

/// pg_class.relreplident.
enum class ReplicaIdentity : char { Default = 'd', Nothing = 'n', Full = 'f', Index = 'i' };

struct QualifiedName {
  std::string schema;
  std::string name;

  auto operator<=>(const QualifiedName&) const = default;
};

/// "schema.name" for messages; not quoted, not for SQL.
std::string to_string(const QualifiedName& name);

/// A column's type with the facts of pg_type that a target needs. For a domain, `oid` and `typmod`
/// are those of the column and `base_oid`, `base_typmod` those of the type below all domains.
struct ColumnType {
  Oid oid = 0;
  std::int32_t typmod = -1;
  std::string name;  ///< format_type(oid, typmod), for people and reports
  char kind =
      'b';  ///< pg_type.typtype of the base: b base, c composite, e enum, r range, m multirange
  Oid base_oid = 0;  ///< equals oid when the type is no domain
  std::int32_t base_typmod = -1;
  Oid element_oid = 0;  ///< of a true array (typcategory 'A'), else 0
  /// What the target's column was made as, where somebody wanted another type than the usual one:
  /// "super", "varchar(100)". Not part of what the source says.
  std::string target{};
  /// Of composites, hstore and arrays of types that are not built in; absent: not known, or a type
  /// without parts. In a version of a table only where the target's column is made of them: then
  /// those of the time when it was made.
  SharedParts parts{};

  bool operator==(const ColumnType&) const = default;
};

/// Whether it may be made of others. Those that are built in have no parts that are not known from
/// their OID, but for the delimiter of boxes.
bool may_have_parts(const ColumnType& type);

struct Column {
  std::string name;
  std::int16_t attnum = 0;  ///< pg_attribute.attnum: the identity of a column through renames
  ColumnType type;
  bool key = false;  ///< rows are told apart by it and the other key columns
  bool not_null = false;
  /// The value in rows written before the column was added (pg_attribute.attmissingval, text form);
  /// empty: NULL, unless the table was rewritten since.
  std::optional<std::string> missing;

  bool operator==(const Column&) const = default;
};

/// What a catalog says of a table's past: whether the values of older rows can be known when a
/// column is new. 0 in a field: not known.
struct TableHistory {
  /// pg_class.relfilenode. If it changed, the rows were rewritten since (a volatile default, VACUUM
  /// FULL, TRUNCATE), and their values in a new column may be nowhere in the stream.
  Oid file_node = 0;
  /// pg_class.relnatts: the highest attribute number ever given; numbers are never given twice.
  std::int16_t last_attnum = 0;
  /// The highest attribute number of a dropped column; 0 also when there is none.
  std::int16_t last_dropped = 0;
  /// The table has no rows: it was created or emptied, and none was added since. Then there are no
  /// older rows. Known from the stream, not part of a catalog's answer.
  bool empty = false;

  bool operator==(const TableHistory&) const = default;
};

/// A row of a system catalog as it was last written: its OID, or that of the table it is about, and
/// its xmin. Freezing changes neither.
struct CatalogRow {
  Oid oid = 0;
  std::uint32_t xmin = 0;

  bool operator==(const CatalogRow&) const = default;
};

/// How our publication publishes a table. If the value changes, the publication or the table's
/// place in it was altered in between, and changes may not be in the stream.
struct Publishing {
  CatalogRow publication;  ///< pg_publication
  /// What leads to it: the row of pg_publication_rel (else pg_publication_namespace) that names the
  /// table or the ancestor nearest to it, then the pg_inherits rows from the table up to that
  /// ancestor. Empty: FOR ALL TABLES.
  std::vector<CatalogRow> path;

  bool operator==(const Publishing&) const = default;
};

/// A primary key that is valid and immediate (not deferrable).
struct PrimaryKey {
  Oid index = 0;
  std::vector<std::int16_t> columns;  ///< attribute numbers in the index's order

  bool operator==(const PrimaryKey&) const = default;
};

/// A primary key that tells rows apart although the replica identity is FULL.
struct CertainKey {
  PrimaryKey key;
  Lsn since;  ///< transactions that commit here or later found it in force

  bool operator==(const CertainKey&) const = default;
};

/// Immutable once made; shared by all rows that have this shape.
struct TableSchema {
  Oid oid = 0;
  QualifiedName name;
  ReplicaIdentity identity = ReplicaIdentity::Default;
  /// In the order of the stream's tuples: by attnum, the live columns that are sent.
  std::vector<Column> columns;
  TableHistory history;  ///< as the catalog gave it for this version
  /// As the catalog gave it; absent: not known, or (in a CatalogTable with `asked_at`) not
  /// published.
  std::optional<Publishing> publication;
  /// Under REPLICA IDENTITY FULL; absent: no key is certain. Not part of a catalog's answer.
  std::optional<CertainKey> certain_key{};

  bool operator==(const TableSchema&) const = default;
};

using TablePtr = std::shared_ptr<const TableSchema>;

/// What somebody wants a table's column to be in the target; empty: the usual type.
using WantedTypes =
    std::function<std::string(const QualifiedName& table, const std::string& column)>;

/// For a table that the target is yet to make.
void set_target_types(TableSchema& table, const WantedTypes& wanted);

/// Indexes into `columns` of the key columns, ascending.
std::vector<std::size_t> key_columns(const TableSchema& table);

/// Nothing tells the table's rows apart (REPLICA IDENTITY FULL without a usable primary key): of
/// equal rows only the number is known.
bool is_multiset(const TableSchema& table);

/// What the catalog said of a table at one place of the stream.
struct CatalogTable {
  TableSchema schema;
  /// Replication of this table began with its first row; false: it was met with rows of unknown
  /// history and must not be loaded before a copy.
  bool admitted = false;
  /// Every change of the catalog that the answer shows was committed before this position; but for
  /// the types' parts, which a second statement reads, so that they may be of a later time.
  /// Unknown: the answer is of a version that did not ask for it, nor for the primary key and
  /// publication.
  Lsn asked_at{};
  std::optional<PrimaryKey> primary_key{};
  /// The index that is its replica identity has a column that PostgreSQL does not send, a generated
  /// one or one outside the column list: the key columns of `schema` do not tell its rows apart.
  bool unsent_key = false;
  /// The database's encoding is SQL_ASCII, so its text may not be UTF-8.
  bool raw_text = false;
  /// The names, and the values of older rows in new columns, that are not UTF-8: for people, and
  /// escaped here. Empty: all are UTF-8. A table that has any cannot be followed.
  std::string unreadable{};
};

}  // namespace re_dms
