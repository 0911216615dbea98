// Writes folded layers as gzipped CSV parts and a manifest. Has no threads of its own: the pipeline
// runs one write_part per part on as many threads as it likes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/batch.h"
#include "model/stage_format.h"
#include "model/staged_batch.h"
#include "stage/object_store.h"

namespace re_dms {

/// Rows [first, last) of a layer that become one file.
struct PartRange {
  std::size_t first = 0;
  std::size_t last = 0;

  bool operator==(const PartRange&) const = default;
};

/// Cuts a layer's rows into even parts of at most about `part_bytes` of keys and tuples each;
/// depends on the layer's content alone. Every part has a row that is not void; a layer without
/// such rows has no parts.
std::vector<PartRange> plan_parts(const Layer& layer, std::size_t part_bytes);

/// The staged form of a layer, without its files. Relies on the layer's counts being filled. What
/// an added column gives to older rows is as the target can hold it.
StagedLayer describe(const Layer& layer, const StageFormat& format = {});

/// Names the objects of one run of the daemon, of which no two share one, and says how they are
/// written.
struct StageNames {
  std::string system_identifier;
  std::string slot;
  std::uint64_t epoch = 0;
  std::string random;  ///< hex
  std::string room{};  ///< numbers its batches by itself; no two of a run share one
  StageFormat format{};

  /// "<system identifier>/<slot>/<epoch>-<random>/"
  std::string prefix() const;
};

/// Which part of which layer of which batch; layers and parts count from 0.
struct PartNumber {
  std::uint64_t batch = 0;
  std::size_t layer = 0;
  std::size_t part = 0;
};

/// Writes one part as "<prefix><room>b<batch>-l<layer>-p<part>.csv.gz"; visible in the store only
/// when complete. A part that is rewritten after a failure is identical, byte for byte. Safe to
/// call from several threads for one layer. Throws what the store throws.
StagedFile write_part(ObjectStore& store, const StageNames& names, const PartNumber& number,
                      const Layer& layer, const PartRange& range, Compression compression);

/// The manifest that COPY of Redshift reads the layer's files by, as
/// "<prefix><room>b<batch>-l<layer>.copy.json". Returns its path, as StagedLayer::manifest_path.
std::string write_copy_manifest(ObjectStore& store, const StageNames& names,
                                const PartNumber& number, const StagedLayer& layer);

/// Writes the manifest: batch span and every file with rows, bytes and longest row, as JSON
/// (docs/stage_format.md). Written when all its files are. Returns its path, as
/// StagedBatch::manifest_path.
std::string write_manifest(ObjectStore& store, const StageNames& names, const StagedBatch& batch);

/// Removes the files and the manifest of a loaded batch. May be called again after a failure.
void remove_batch(ObjectStore& store, const StagedBatch& batch);

/// Removes what runs of this slot of an older epoch left behind, unfinished objects included;
/// nothing else: one of a newer epoch has taken the target over since. What a target left that was
/// given up for a new one, whose epochs begin at 1, goes once they have grown beyond its own.
/// Called behind the target's fence.
void remove_older_runs(ObjectStore& store, const StageNames& names);

}  // namespace re_dms
