// Staged layers for tests, written without the stage: CSV with gzip in a directory.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/staged_batch.h"

namespace re_dms::testing {

/// One value of a row: nothing is NULL.
using Text = std::optional<std::string>;
using TextRow = std::vector<Text>;

/// Writes rows as one staged file; `path` must not exist.
StagedFile write_rows(const std::string& path, const std::vector<TextRow>& rows);

/// Gzips `csv` as it is into a file that claims `rows` rows.
StagedFile write_csv(const std::string& path, std::string_view csv, std::uint64_t rows);

/// Collects net rows of one table and writes them as the stage would.
class LayerBuilder {
 public:
  explicit LayerBuilder(TablePtr table) : table_(std::move(table)) {}

  LayerBuilder& create();
  LayerBuilder& add_column(const std::string& name);
  LayerBuilder& drop_column(const std::string& name);
  /// The source drops it, and the target keeps it.
  LayerBuilder& keep_column(const std::string& name);
  LayerBuilder& store_schema();
  LayerBuilder& truncate();
  LayerBuilder& insert(TextRow values);
  LayerBuilder& replace(const TextRow& key, TextRow values);
  /// `mask` has '1' for each column that `values` carries.
  LayerBuilder& update(const TextRow& key, const std::string& mask, TextRow values);
  LayerBuilder& remove(const TextRow& key);
  /// In a multiset: one row fewer that equals `values`.
  LayerBuilder& take(TextRow values);

  /// Cuts the rows into files of `rows_per_file` under `directory`.
  StagedLayer build(const std::string& directory, std::size_t rows_per_file = 1000) const;

 private:
  LayerBuilder& change(const std::string& op, const Text& mask, const TextRow& key, TextRow values);

  TablePtr table_;
  std::vector<SchemaChange> changes_;
  bool truncate_ = false;
  LayerCounts counts_;
  std::vector<bool> updated_;
  std::vector<TextRow> inserts_;  ///< table columns only
  std::vector<TextRow>
      changed_;  ///< op, mask, key columns, table columns; in a multiset op, columns
};

}  // namespace re_dms::testing
