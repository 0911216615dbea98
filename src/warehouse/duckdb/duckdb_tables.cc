#include "warehouse/duckdb/duckdb_tables.h"

#include <algorithm>

#include "warehouse/duckdb/faults.h"
#include "warehouse/duckdb/kept_table.h"
#include "warehouse/duckdb/layer_load.h"
#include "warehouse/duckdb/refused_values.h"
#include "warehouse/duckdb/table_copy.h"

namespace re_dms::duckdb {

void DuckdbTables::begin(const std::vector<const StagedLayer*>& /*layers*/,
                         const std::vector<QualifiedName>& /*targets*/, std::size_t known) {
  reading_ = nullptr;
  changed_.clear();
  session_.execute(sql("BEGIN TRANSACTION"));
  catalog_ = std::make_unique<TargetCatalog>(session_, std::max<std::size_t>(1, known));
}

void DuckdbTables::roll_back() {
  session_.execute(sql("ROLLBACK"));
}

std::uint64_t DuckdbTables::apply(const StagedLayer& layer, StoredTable& table) {
  EarlierChanges& changed = changed_[layer.table->oid];
  LayerLoad load(session_, *catalog_, layer, table, changed);
  try {
    load.apply();
  } catch (const Error&) {
    reading_ = load.reading();
    throw;
  }
  changed = load.changes();
  return load.not_there();
}

std::optional<std::string> DuckdbTables::refused_values(const StagedLayer& layer,
                                                        const StagedFile& file) {
  return duckdb::refused_values(session_, layer, file);
}

bool DuckdbTables::is_out_of_memory(const Error& error) const {
  return duckdb::is_out_of_memory(error);
}

bool DuckdbTables::is_same_name(const QualifiedName& a, const QualifiedName& b) const {
  return duckdb::is_same_name(a, b);
}

bool DuckdbTables::has_column(const QualifiedName& target, const std::string& column) {
  return session_.named(target) == Named::Table &&
         std::ranges::any_of(session_.columns(target), [&](const Row& row) {
           return folded(row.at(0).value_or("")) == folded(column);
         });
}

QualifiedName DuckdbTables::copy_name(const QualifiedName& target, Oid oid) const {
  return duckdb::copy_name(target, oid);
}

void DuckdbTables::drop_copy(const QualifiedName& copy) {
  duckdb::drop_copy(session_, copy);
}

bool DuckdbTables::give_copy_up(const QualifiedName& copy, Oid /*table*/) {
  // What somebody put in its place is in the way of the next copy, and of nothing else.
  if (session_.named(copy) == Named::Table) {
    drop_copy(copy);
  }
  return true;
}

void DuckdbTables::drop_table(const StoredTable& table) {
  duckdb::drop_table(session_, table);
}

void DuckdbTables::put_copy_in_place(const QualifiedName& target, Oid oid) {
  duckdb::put_copy_in_place(session_, target, oid);
}

void DuckdbTables::require_fit(const StoredTable& table, bool known) {
  duckdb::require_fit(session_, *catalog_, table, known);
}

void DuckdbTables::refill(const QualifiedName& copy, const StoredTable& table, bool known) {
  duckdb::refill(session_, *catalog_, copy, table, known);
}

}  // namespace re_dms::duckdb
