// How a copy takes the place of what the target has under its name.
#include <fmt/format.h>

#include "base/error.h"
#include "warehouse/batch_load.h"

namespace re_dms {

QualifiedName copy_of(const TargetTables& target, const std::string& schema,
                      const StoredTable& table) {
  if (!table.copy.name.empty()) {
    return table.copy;
  }
  const QualifiedName& name = table.schema.name;
  return target.copy_name({schema.empty() ? name.schema : schema, name.name}, table.schema.oid);
}

/// Before the first rows of another one, which is called `copy`. What was begun while the source's
/// table, or the target's schema, had another name is elsewhere.
void BatchLoad::drop_earlier_copies(const StoredTable& table, const QualifiedName& copy) {
  if (!table.copy.name.empty() && !target_.is_same_name(table.copy, copy)) {
    target_.drop_copy(table.copy);
  }
  target_.drop_copy(copy);
}

/// The layer's rows are in the copy.
void BatchLoad::note_step(const StagedLayer& layer, StoredTable& table) {
  RE_DMS_CHECK(layer.copy->number == 1 || layer.copy->number == table.copy_step + 1);
  table.state = TableState::Copying;
  table.held_back = false;
  table.position = layer.copy->position;
  table.copy_step = layer.copy->number;
  const QualifiedName target = final_name(layer.table->name);
  table.copy = target_.copy_name(target, table.schema.oid);
  if (!layer.copy->last) {
    return;
  }
  take_name_over(layer, table);
  if (keeps_table(layer)) {
    target_.refill(table.copy, kept(layer), is_known(table, layer));
  } else if (is_known(table, layer) && layer.copy->initial_copy == InitialCopy::Auto &&
             target_.is_to_be_refilled(table, *layer.table)) {
    StoredTable own = table;
    own.schema = *layer.table;
    own.initial_copy = InitialCopy::Auto;
    target_.refill(table.copy, own, true);
  } else {
    // Without columns the target has had no table of ours yet; what somebody wants to be kept stays
    // under the name that it has.
    if (!table.schema.columns.empty() && layer.copy->initial_copy == InitialCopy::Auto) {
      target_.drop_table(table);
    }
    target_.put_copy_in_place(target, table.schema.oid);
  }
  table.schema = *layer.table;
  table.target = target;
  table.initial_copy = layer.copy->initial_copy;
  if (!table.may_lack_rows() || !layer.copy->keeps_columns) {
    table.kept_columns.clear();
  }
  table.state = TableState::CatchingUp;
  table.reason.clear();
  table.copy_step = 0;
  table.copy = {};
  table.asked = false;
}

/// Whether the copy's rows go into a table that is there. Throws Table where that is another one's.
bool BatchLoad::keeps_table(const StagedLayer& layer) {
  const QualifiedName target = final_name(layer.table->name);
  if (layer.copy->initial_copy == InitialCopy::Auto ||
      target_.session().named(target) == Named::Nothing) {
    return false;
  }
  for (const auto& [oid, known] : known_) {
    const StoredTable& other = present(known);
    if (oid != layer.table->oid && !other.schema.columns.empty() &&
        target_.is_same_name(other.target, target) && !gave_name_away(other, layer.table->name)) {
      throw Error(ErrorKind::Table,
                  fmt::format("the table {} of the target is that of {} already, and rows of two "
                              "tables would be mixed there: drop or rename one of them, or choose "
                              "another warehouse.schema",
                              to_string(target), to_string(other.schema.name)));
    }
  }
  return true;
}

/// As the open transaction has it.
const StoredTable& BatchLoad::present(const StoredTable& known) const {
  const auto changed = tables_.find(known.schema.oid);
  return changed == tables_.end() ? known : changed->second;
}

/// The table of the target that takes the copy's rows.
StoredTable BatchLoad::kept(const StagedLayer& layer) const {
  StoredTable table;
  table.schema = *layer.table;
  table.target = final_name(layer.table->name);
  table.initial_copy = layer.copy->initial_copy;
  return table;
}

/// Whether the kept table has held this one's rows before.
bool BatchLoad::is_known(const StoredTable& table, const StagedLayer& layer) const {
  return !table.schema.columns.empty() &&
         target_.is_same_name(table.target, final_name(layer.table->name));
}

/// Two tables of the source never have one name: the source has given that of the copied one away,
/// unless it is still followed.
bool BatchLoad::gave_name_away(const StoredTable& other, const QualifiedName& name) {
  return other.schema.name == name && !other.schema.columns.empty() && !is_followed(other.state);
}

/// What an earlier table of the name left in the target goes, unless the copy's rows go into it.
/// One that is still followed has stayed behind the snapshot, in which it has another name or is no
/// more: its copy finds out.
void BatchLoad::take_name_over(const StagedLayer& layer, const StoredTable& table) {
  const QualifiedName& name = layer.table->name;
  const QualifiedName target = final_name(name);
  for (auto& [oid, known] : known_) {
    // This transaction may have given it another name already.
    const StoredTable& now = present(known);
    if (oid == table.schema.oid || now.schema.name != name || now.schema.columns.empty()) {
      continue;
    }
    StoredTable& other = tables_.try_emplace(oid, known).first->second;
    if (layer.copy->keeps_columns) {
      require_none_there(other, other.kept_columns);
    }
    if (layer.copy->initial_copy == InitialCopy::Auto ||
        !target_.is_same_name(other.target, target)) {
      target_.drop_table(other);
    }
    other.schema.columns.clear();
    other.kept_columns.clear();
    if (is_followed(other.state)) {
      gave_way_[oid] = {oid, name, "its name is another table's now", {}, Remedy::Copy};
    } else if (other.state != TableState::Copying) {
      other.position = {};
    }
  }
}

}  // namespace re_dms
