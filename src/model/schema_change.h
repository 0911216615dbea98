// What has to happen to a target table before rows of a new shape reach it.
#pragma once

#include <string>
#include <variant>

#include "model/table_schema.h"

namespace re_dms {

/// The table does not exist in the target yet.
struct CreateTable {
  bool operator==(const CreateTable&) const = default;
};

/// The column is appended; rows that are there get `column.missing`, or NULL.
struct AddColumn {
  Column column;

  bool operator==(const AddColumn&) const = default;
};

/// The column goes, of the rows that are there too.
struct DropColumn {
  std::string name;
  /// It stays in the target: rows that are there keep what they hold in it, later ones have NULL.
  bool kept = false;

  bool operator==(const DropColumn&) const = default;
};

/// The target's table stays as it is; its stored schema is rewritten, because the catalog said
/// something about it that was not known before.
struct StoreSchema {
  bool operator==(const StoreSchema&) const = default;
};

using SchemaChange = std::variant<CreateTable, AddColumn, DropColumn, StoreSchema>;

}  // namespace re_dms
