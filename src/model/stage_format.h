// How staged rows are written, as the target needs to read them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "model/bad_values.h"
#include "model/table_schema.h"
#include "model/value_limits.h"

namespace re_dms {

struct StageFormat {
  /// A field without quotes that stands for NULL. A target that cannot tell it from the same text
  /// in quotes needs one that no value can be expected to be.
  std::string null_text = "\\N";
  /// Each layer with files has a manifest of its own, in the form that COPY of Redshift reads.
  bool copy_manifests = false;
  /// So many rows of a table the target keeps together: a load that ends behind a multiple of them
  /// leaves nothing that the next one has to write again.
  std::size_t rows_together = 1;
  /// The longest line that the target reads; 0: any.
  std::uint64_t row_bytes_max = 0;
  /// What the target cannot hold of a type; null: it is not asked, and values come as they are.
  ValueLimits (*limits)(const ColumnType& type) = nullptr;
  /// What is wanted for a column's values that the target cannot hold; empty: what is usual.
  std::function<BadValues(const QualifiedName& table, const std::string& column)> bad_values{};
  /// Whether the target keeps columns that the source's table drops; empty: it never does.
  std::function<bool(const QualifiedName& table)> keeps_columns{};
};

}  // namespace re_dms
