// The tables of a Redshift database, as loads handle them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/table_layout.h"
#include "warehouse/redshift/copies_left.h"
#include "warehouse/redshift/copy_statement.h"
#include "warehouse/redshift/session.h"
#include "warehouse/redshift/target_shape.h"
#include "warehouse/service_tables.h"
#include "warehouse/target_tables.h"

namespace re_dms::redshift {

/// How staged files are read, and tables made.
struct LoadSettings {
  CopySettings copies;
  /// Of the source's table; empty: what is usual.
  std::function<TableLayout(const QualifiedName& table)> layout{};
};

/// Rows that are merged are copied into temporary tables of the session before the transaction that
/// applies them, so that a refused value costs no lock; layers of inserts go straight into their
/// tables inside it.
class RedshiftTables final : public TargetTables {
 public:
  /// `expected`: what the transaction has to find under the fence. `lane`: whose fence that is;
  /// 0: all. The session must outlive it.
  RedshiftTables(Session& session, const LoadSettings& settings, const StoredPosition& expected,
                 int lane = 0)
      : session_(session), settings_(settings), expected_(expected), lane_(lane) {}

  SqlSession& session() override { return session_; }

  /// Throws Fatal where another daemon took the target over, Transient where it does not stand
  /// where it was expected to: a transaction of ours whose end nobody heard of has taken place.
  void begin(const std::vector<const StagedLayer*>& layers,
             const std::vector<QualifiedName>& targets, std::size_t known) override;
  void roll_back() override;
  std::uint64_t apply(const StagedLayer& layer, StoredTable& table) override;

  const StagedFile* reading() const override {
    return copying_ == nullptr ? nullptr : copying_->files.data();
  }

  const StagedLayer* staging() const override { return staging_; }

  std::optional<std::string> refused_values(const StagedLayer& layer,
                                            const StagedFile& file) override;

  /// The cluster's memory is nobody's of ours.
  bool is_out_of_memory(const Error& /*error*/) const override { return false; }

  bool is_same_name(const QualifiedName& a, const QualifiedName& b) const override;
  bool has_column(const QualifiedName& target, const std::string& column) override;
  QualifiedName copy_name(const QualifiedName& target, Oid oid) const override;
  void drop_copy(const QualifiedName& copy) override;

  /// It goes behind the transaction: a DROP that is refused would end that.
  bool give_copy_up(const QualifiedName& copy, Oid table) override {
    given_up_.push_back({table, copy});
    return false;
  }

  /// The copies that were given up in transactions until now.
  std::vector<CopyLeft> take_given_up() { return std::exchange(given_up_, {}); }

  bool is_to_be_refilled(const StoredTable& table, const TableSchema& becomes) override;
  void drop_table(const StoredTable& table) override;
  void put_copy_in_place(const QualifiedName& target, Oid oid) override;
  void require_fit(const StoredTable& table, bool known) override;
  void refill(const QualifiedName& copy, const StoredTable& table, bool known) override;

 private:
  void stage(const std::vector<const StagedLayer*>& layers);
  void take_fence();
  TableLayout layout(const TableSchema& table) const;
  void drop_column(const StoredTable& table, const std::string& name);
  void add_column(const StoredTable& table, const Column& column);
  void change_shape(const StagedLayer& layer, StoredTable& table);
  void drop_if_there(const QualifiedName& name);

  Session& session_;
  const LoadSettings& settings_;
  const StoredPosition expected_;
  const int lane_;
  std::map<const StagedLayer*, Sql> staged_;  ///< the temporary tables that are there
  const StagedLayer* staging_ = nullptr;
  const StagedLayer* copying_ = nullptr;
  std::optional<TargetCatalog> catalog_;  ///< of the open transaction
  std::vector<CopyLeft> given_up_;
  /// What gives the rights again on tables that the open transaction dropped; names as folded.
  std::map<QualifiedName, std::vector<Sql>> grants_;
};

}  // namespace re_dms::redshift
