// Writes folded layers as gzipped CSV parts and a manifest. Has no threads of its own: the pipeline
// runs one write_part per part on as many threads as it likes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/batch.h"
#include "model/staged_batch.h"
#include "stage/object_store.h"

namespace re_dms {

/// Rows [first, last) of a layer that become one file.
struct PartRange {
  std::size_t first = 0;
  std::size_t last = 0;

  bool operator==(const PartRange&) const = default;
};

/// Cuts a layer's rows into parts of about `part_bytes` of tuple bytes each; depends on the layer's
/// content alone. No part is empty; a layer without rows has none.
std::vector<PartRange> plan_parts(const Layer& layer, std::size_t part_bytes);

/// The staged form of a layer, without its files.
StagedLayer describe(const Layer& layer);

/// Names the objects of one run of the daemon; no two runs share one.
struct StageNames {
  std::string system_identifier;
  std::string slot;
  std::uint64_t epoch = 0;
  std::string random;  ///< hex

  /// "<system identifier>/<slot>/<epoch>-<random>/"
  std::string prefix() const;
};

/// Writes one part under a fresh name; visible in the store only when complete. Safe to call from
/// several threads for one layer. Throws what the store throws (Transient, or Fatal when full).
StagedFile write_part(ObjectStore& store, const StageNames& names, std::uint64_t batch_number,
                      std::size_t layer_index, std::size_t part_index, const Layer& layer,
                      const PartRange& range);

/// Writes the manifest: batch span and every file with rows, bytes and longest row, as JSON
/// (docs/stage_format.md). Returns its path, as StagedBatch::manifest_path.
std::string write_manifest(ObjectStore& store, const StageNames& names, const StagedBatch& batch);

/// Removes the files and the manifest of a loaded batch.
void remove_batch(ObjectStore& store, const StagedBatch& batch);

/// After the fence was taken: removes what older epochs of this slot left behind, nothing else.
void remove_older_epochs(ObjectStore& store, const StageNames& names);

}  // namespace re_dms
