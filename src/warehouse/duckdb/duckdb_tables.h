// The tables of a warehouse file, as loads handle them.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "warehouse/duckdb/session.h"
#include "warehouse/duckdb/target_shape.h"
#include "warehouse/target_tables.h"

namespace re_dms::duckdb {

class DuckdbTables final : public TargetTables {
 public:
  /// The session must outlive it.
  explicit DuckdbTables(Session& session) : session_(session) {}

  SqlSession& session() override { return session_; }

  void begin(const std::vector<const StagedLayer*>& layers,
             const std::vector<QualifiedName>& targets, std::size_t known) override;
  void roll_back() override;
  std::uint64_t apply(const StagedLayer& layer, StoredTable& table) override;

  const StagedFile* reading() const override { return reading_; }

  std::optional<std::string> refused_values(const StagedLayer& layer,
                                            const StagedFile& file) override;
  bool is_out_of_memory(const Error& error) const override;
  bool is_same_name(const QualifiedName& a, const QualifiedName& b) const override;
  bool has_column(const QualifiedName& target, const std::string& column) override;
  QualifiedName copy_name(const QualifiedName& target, Oid oid) const override;
  void drop_copy(const QualifiedName& copy) override;
  bool give_copy_up(const QualifiedName& copy, Oid table) override;
  void drop_table(const StoredTable& table) override;
  void put_copy_in_place(const QualifiedName& target, Oid oid) override;
  void require_fit(const StoredTable& table, bool known) override;
  void refill(const QualifiedName& copy, const StoredTable& table, bool known) override;

 private:
  Session& session_;
  const StagedFile* reading_ = nullptr;
  // Of the open transaction.
  std::unique_ptr<TargetCatalog> catalog_;
  std::map<Oid, EarlierChanges> changed_;
};

}  // namespace re_dms::duckdb
