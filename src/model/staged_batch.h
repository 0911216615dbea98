// A batch on its way into the target: files and what is known about them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/batch.h"

namespace re_dms {

/// One object in the store. CSV with gzip; layout in stage/csv.h.
struct StagedFile {
  std::string path;  ///< where the target reads it: a path of the file system (later also s3://…)
  std::uint64_t rows = 0;
  std::uint64_t csv_bytes = 0;
  std::uint64_t stored_bytes = 0;
  std::uint64_t row_bytes_max = 0;  ///< the longest CSV line, its newline counted
  std::uint32_t crc32c = 0;         ///< of the stored bytes

  bool operator==(const StagedFile&) const = default;
};

/// How the rows of a staged layer are laid out in its files.
enum class LayerShape : char {
  Inserts = 'i',  ///< the table's columns only: every row is an insert
  Changes = 'c',  ///< op, mask, origin key columns, then the table's columns
  Multiset =
      'm',  ///< op, then the table's columns: a row to add or one that equals it to take away
};

struct StagedLayer {
  TablePtr table;
  std::vector<SchemaChange> changes;
  bool truncate = false;
  LayerShape shape = LayerShape::Inserts;
  LayerCounts counts;
  /// For Update rows: per column whether some row carries it. Empty when there are none.
  std::vector<bool> updated_columns;
  std::vector<StagedFile> files;
};

/// All layers of one batch, complete and durable in the store, manifest included.
struct StagedBatch {
  BatchSpan span;
  std::vector<StagedLayer> layers;
  std::vector<SetAside> set_aside;
  std::string manifest_path;  ///< empty when the batch has no files

  std::uint64_t stored_bytes() const {
    std::uint64_t sum = 0;
    for (const StagedLayer& layer : layers) {
      for (const StagedFile& file : layer.files) {
        sum += file.stored_bytes;
      }
    }
    return sum;
  }
};

}  // namespace re_dms
