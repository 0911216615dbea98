// A batch on its way into the target: files and what is known about them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/adjusted_values.h"
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
  AdjustedValues adjusted{};

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
  std::uint64_t received = 0;  ///< row changes that were folded into it; copied rows count too
  /// For Update rows: per column whether some row carries it. Empty when there are none.
  std::vector<bool> updated_columns;
  std::vector<StagedFile> files;
  std::string manifest_path;       ///< of its COPY manifest; empty where the target reads none
  std::optional<CopyStep> copy{};  ///< of a layer of copied rows
  /// Of what added columns give to the rows that are there; a value counts once.
  AdjustedValues adjusted{};
};

/// What a batch does to the tables it is about.
enum class BatchKind {
  Stream,   ///< changes of live tables; moves the loaded position
  CatchUp,  ///< changes of tables that catch up; moves the positions of these alone
  Copy,     ///< copied rows
  Join,     ///< no rows: the tables have caught up and are live from here on
};

/// A table and where it stands: it holds everything below.
struct TableAt {
  Oid oid = 0;
  Lsn position;
  std::uint64_t attempt = 0;  ///< to bring it up to the others; as TableRecord counts them

  bool operator==(const TableAt&) const = default;
};

/// All layers of one batch, complete and durable in the store, manifest included.
struct StagedBatch {
  BatchKind kind = BatchKind::Stream;
  BatchSpan span;  ///< of Stream and CatchUp
  /// CatchUp and Join: the tables, and where they stand before it.
  std::vector<TableAt> tables;
  std::vector<StagedLayer> layers;
  std::vector<SetAside> set_aside;
  std::string manifest_path;  ///< empty when the batch has no files
  SteadyTime sealed_at{};     ///< when the last of its layers was made
  SteadyTime staged_at{};     ///< when all of it was in the store

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
