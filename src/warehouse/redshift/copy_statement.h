// COPY of a layer's files, and what Redshift says about rows that it refused.
#pragma once

#include <optional>
#include <string>

#include "model/staged_batch.h"
#include "warehouse/redshift/session.h"

namespace re_dms::redshift {

struct CopySettings {
  std::string iam_role;   ///< an ARN, or "default"
  std::string region;     ///< of the bucket; empty: the cluster's
  std::string null_text;  ///< what stands for NULL in staged files
};

/// Loads all files of the layer, which the fields of `columns` are the columns of, and sees that
/// the target took as many rows as were written. Throws CopyRefused, or Table for a wrong number.
void copy_files(Session& session, const CopySettings& settings, const StagedLayer& layer,
                const Sql& into, const Sql& columns);

/// Names the columns of the layer whose values were refused, with the reasons, from the cluster's
/// load errors; never a value. Nothing when it tells none. No transaction may be open: what a
/// failed one noted is seen after it only.
std::optional<std::string> load_errors(Session& session, const StagedLayer& layer);

}  // namespace re_dms::redshift
