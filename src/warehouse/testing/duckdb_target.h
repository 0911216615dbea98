// A DuckDB file for the contract tests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "warehouse/testing/contract.h"

namespace re_dms::testing {

class DuckdbTarget final : public TestTarget {
 public:
  /// The file warehouse.duckdb in `directory`.
  explicit DuckdbTarget(const std::string& directory);

  WarehouseSettings settings() const override;
  std::vector<std::string> select(const std::string& query) override;
  void execute(const std::string& statement) override;

  const std::string& path() const { return path_; }

 private:
  std::string directory_;
  std::string path_;
};

std::unique_ptr<TestTarget> make_duckdb_target(const std::string& directory);

}  // namespace re_dms::testing
