#include "warehouse/redshift/redshift_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/failpoint.h"
#include "warehouse/load_checks.h"
#include "warehouse/redshift/fence.h"
#include "warehouse/redshift/grants.h"
#include "warehouse/redshift/kept_table.h"
#include "warehouse/redshift/layer_merge.h"
#include "warehouse/redshift/staged_columns.h"
#include "warehouse/redshift/types.h"

namespace re_dms::redshift {

namespace {

bool is_merged(const StagedLayer& layer) {
  return !layer.files.empty() && layer.shape != LayerShape::Inserts;
}

}  // namespace

void RedshiftTables::begin(const std::vector<const StagedLayer*>& layers,
                           const std::vector<QualifiedName>& targets, std::size_t /*known*/) {
  staging_ = nullptr;
  copying_ = nullptr;
  catalog_.reset();
  grants_.clear();
  stage(layers);
  take_fence();
  catalog_.emplace(session_, targets);
}

/// All in one transaction: a COPY outside of one is a commit.
void RedshiftTables::stage(const std::vector<const StagedLayer*>& layers) {
  std::map<const StagedLayer*, Sql> staged;
  for (const StagedLayer* layer : layers) {
    if (!is_merged(*layer) || staged_.contains(layer)) {
      continue;
    }
    if (staged.empty()) {
      session_.execute(sql("BEGIN"));
    }
    const Sql name = sql("re_dms_staged_{}", staged_.size() + staged.size() + 1);
    staging_ = layer;
    if (const auto reason = columns_refusal(*layer->table)) {
      throw Error(ErrorKind::Table, *reason);
    }
    session_.execute(
        create_staged(*layer, name, distribution_column(*layer->table, layout(*layer->table))),
        Blame::Table);
    copying_ = layer;
    copy_files(session_, settings_.copies, *layer, name, joined(staged_names(*layer)));
    copying_ = nullptr;
    staging_ = nullptr;
    staged.emplace(layer, name);
  }
  if (!staged.empty()) {
    session_.commit();
    staged_.merge(staged);
    failpoint("redshift-staged");
  }
}

void RedshiftTables::take_fence() {
  if (lane_ == 0) {
    begin_behind_fences(session_);
  } else {
    begin_behind_fence(session_, lane_);
  }
  const StoredPosition stored = ServiceTables(session_).stored_position();
  require_epoch(stored, expected_.epoch);
  if (stored.loaded != expected_.loaded || stored.loads != expected_.loads) {
    throw Error(ErrorKind::Transient,
                "a load of this daemon whose end nobody heard of has taken place");
  }
}

void RedshiftTables::roll_back() {
  session_.execute(sql("ROLLBACK"));
  failpoint("redshift-rolled-back");
}

std::uint64_t RedshiftTables::apply(const StagedLayer& layer, StoredTable& table) {
  change_shape(layer, table);
  if (layer.truncate) {
    // TRUNCATE commits.
    session_.execute(sql("DELETE FROM {}", qualified(table.target)), Blame::Table);
  }
  if (layer.files.empty()) {
    RE_DMS_CHECK(layer.counts.rows() == 0);
    return 0;
  }
  if (!is_merged(layer)) {
    copying_ = &layer;
    copy_files(session_, settings_.copies, layer, qualified(table.target),
               joined(column_list(*layer.table)));
    copying_ = nullptr;
    return 0;
  }
  const Sql& staged = staged_.at(&layer);
  const std::uint64_t not_there = LayerMerge(session_, layer, table, staged).apply();
  session_.execute(sql("DROP TABLE {}", staged), Blame::Table);
  return not_there;
}

void RedshiftTables::change_shape(const StagedLayer& layer, StoredTable& table) {
  const bool made_here = std::ranges::any_of(layer.changes, [](const SchemaChange& change) {
    return std::holds_alternative<CreateTable>(change);
  });
  // Before any column of it goes, which Redshift refuses. The planner relies on the declared key,
  // and NOT NULL cannot be taken back.
  if (!made_here && !table.is_kept() && declared_key(table.schema) != declared_key(*layer.table)) {
    throw NotTheCopy("its key changed, and its table in Redshift declares the earlier one");
  }
  if (!made_here && is_multiset(*layer.table) &&
      !std::ranges::all_of(layer.table->columns, can_be_compared, &Column::type)) {
    throw NotTheCopy("its rows have no key any more, and it has a column that cannot be compared");
  }
  if (const auto reason =
          made_here || layer.changes.empty() ? std::nullopt : columns_refusal(*layer.table)) {
    throw Error(ErrorKind::Table, *reason);
  }
  bool created = false;
  bool altered = false;
  for (const SchemaChange& change : layer.changes) {
    if (std::holds_alternative<CreateTable>(change)) {
      create_target(session_, table.target, *layer.table, layout(*layer.table));
      created = true;
    } else if (const auto* drop = std::get_if<DropColumn>(&change)) {
      if (drop->kept) {
        continue;
      }
      drop_column(table, drop->name);
      altered = true;
    } else if (const auto* add = std::get_if<AddColumn>(&change); add != nullptr && !created) {
      add_column(table, add->column);
      altered = true;
    }
  }
  table.schema = *layer.table;
  if (created || altered) {
    catalog_->changed(table);
  } else if (const auto difference = catalog_->difference(table)) {
    throw NotTheCopy(*difference);
  }
}

TableLayout RedshiftTables::layout(const TableSchema& table) const {
  return settings_.layout ? settings_.layout(table.name) : TableLayout{};
}

/// Redshift refuses it where rows are spread or sorted by the column, or a view shows it: a copy
/// has another shape.
void RedshiftTables::drop_column(const StoredTable& table, const std::string& name) {
  try {
    session_.execute(
        sql("ALTER TABLE {} DROP COLUMN {}", qualified(table.target), identifier(name)),
        Blame::Table);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Table) {
      throw;
    }
    throw NotTheCopy(fmt::format("its column \"{}\" was dropped: {}", name, error.message()));
  }
}

/// To a kept table somebody may have added it before: it is taken, whatever stood in it.
void RedshiftTables::add_column(const StoredTable& table, const Column& column) {
  const Sql target = qualified(table.target);
  const Sql name = identifier(column.name);
  const bool is_there = table.is_kept() && catalog_->has(table.target, column.name);
  if (!is_there) {
    session_.execute(sql("ALTER TABLE {} ADD COLUMN {} {}", target, name, target_type(column.type)),
                     Blame::Table);
  }
  if (is_there || column.missing) {
    session_.execute(sql("UPDATE {} SET {} = {}", target, name,
                         column.missing ? value(column.type, *column.missing) : sql("NULL")),
                     Blame::Table);
  }
}

std::optional<std::string> RedshiftTables::refused_values(const StagedLayer& layer,
                                                          const StagedFile& /*file*/) {
  return load_errors(session_, layer);
}

bool RedshiftTables::is_same_name(const QualifiedName& a, const QualifiedName& b) const {
  return folded(a) == folded(b);
}

bool RedshiftTables::has_column(const QualifiedName& target, const std::string& column) {
  return TargetCatalog(session_, {target}).has(target, column);
}

QualifiedName RedshiftTables::copy_name(const QualifiedName& target, Oid oid) const {
  return redshift::copy_name(target, oid);
}

void RedshiftTables::drop_copy(const QualifiedName& copy) {
  drop_if_there(copy);
}

/// IF EXISTS alone may be refused in a schema that is not there.
void RedshiftTables::drop_if_there(const QualifiedName& name) {
  if (session_.named(name) != Named::Nothing) {
    session_.execute(sql("DROP TABLE IF EXISTS {}", qualified(name)), Blame::Table);
  }
}

bool RedshiftTables::is_to_be_refilled(const StoredTable& table, const TableSchema& becomes) {
  const std::vector<std::string> views = views_on(session_, table.target);
  if (views.empty()) {
    return false;
  }
  StoredTable wanted = table;
  wanted.schema = becomes;
  wanted.initial_copy = InitialCopy::Adopt;  // columns that the source dropped go
  std::vector<std::string> misfits = TargetCatalog(session_, {table.target}).misfits(wanted);
  if (declared_key(table.schema) != declared_key(becomes)) {
    misfits.emplace_back("its key changed");
  }
  if (!misfits.empty()) {
    throw Error(ErrorKind::Table,
                fmt::format("its table in Redshift has to be made anew ({}), and the view {} is "
                            "bound to it: drop the view, or make it WITH NO SCHEMA BINDING, and "
                            "then run `re_dms resync`",
                            fmt::join(misfits, "; "), fmt::join(views, ", ")));
  }
  return true;
}

void RedshiftTables::drop_table(const StoredTable& table) {
  grants_[folded(table.target)] = grants_of(session_, table.target);
  drop_if_there(table.target);
}

void RedshiftTables::put_copy_in_place(const QualifiedName& target, Oid oid) {
  if (session_.named(target) != Named::Nothing) {
    throw name_taken(target);
  }
  session_.execute(sql("ALTER TABLE {} RENAME TO {}", qualified(copy_name(target, oid)),
                       identifier(target.name)),
                   Blame::Table);
  for (const Sql& grant : grants_[folded(target)]) {
    session_.execute(grant, Blame::Table);
  }
}

void RedshiftTables::require_fit(const StoredTable& table, bool known) {
  redshift::require_fit(session_, table, known);
}

void RedshiftTables::refill(const QualifiedName& copy, const StoredTable& table, bool known) {
  redshift::refill(session_, copy, table, known);
}

}  // namespace re_dms::redshift
