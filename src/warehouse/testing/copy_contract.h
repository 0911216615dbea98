// Copies as every engine takes them: what the tests of these have in common.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "warehouse/testing/contract.h"

namespace re_dms::testing {

inline constexpr Oid kCopiedOid = 701;

inline TablePtr items(Oid oid = kCopiedOid, const QualifiedName& name = {"shop", "items"}) {
  return make_table(oid, name, {key_column("id", bigint_type()), column("a", text_type())});
}

/// What happens to a table on its way: a suite of its own.
class CopyContract : public WarehouseContract {
 protected:
  /// The table is met with rows: it waits for a copy.
  void meet(const TablePtr& table = items()) {
    load({}, {{table->oid, table->name, "it is new", loaded_, Remedy::Copy}});
  }

  StagedLayer step(std::uint64_t number, bool last, Lsn position, std::vector<TextRow> rows,
                   const TablePtr& table = items(), InitialCopy initial_copy = InitialCopy::Auto) {
    LayerBuilder builder(table);
    if (number == 1) {
      builder.create();
    }
    for (TextRow& row : rows) {
      builder.insert(std::move(row));
    }
    StagedLayer layer = staged(builder);
    layer.copy = CopyStep{number, last, position, 0, initial_copy};
    return layer;
  }

  LoadReport load_copy(std::vector<StagedLayer> layers, std::vector<SetAside> set_aside = {}) {
    StagedBatch batch;
    batch.kind = BatchKind::Copy;
    batch.span.number = ++copies_;
    batch.layers = std::move(layers);
    batch.set_aside = std::move(set_aside);
    return taken().load(batch, {});
  }

  /// Changes of the table between two positions, which it is to stand at.
  LoadReport catch_up(Lsn stands_at, Lsn from, Lsn to, std::vector<StagedLayer> layers) {
    StagedBatch batch = next_batch(std::move(layers));
    batch.kind = BatchKind::CatchUp;
    batch.span.from = from;
    batch.span.to = to;
    batch.tables = {{kCopiedOid, stands_at}};
    return taken().load(batch, {});
  }

  LoadReport join(Lsn stands_at) {
    StagedBatch batch;
    batch.kind = BatchKind::Join;
    batch.span.number = ++copies_;
    batch.tables = {{kCopiedOid, stands_at}};
    return taken().load(batch, {});
  }

  /// From now on a transaction takes one copy; in the next ones of this warehouse object.
  void load_one_by_one() {
    WarehouseSettings settings = target_->settings();
    settings.watch.begins = [this, filled = 0](std::string_view statement) mutable {
      filled = statement.starts_with("BEGIN") ? 0 : filled;
      if (statement.starts_with("INSERT INTO") &&
          statement.find("\"re_dms_copy_") != std::string_view::npos && ++filled > 1) {
        throw Error(ErrorKind::Table, "DuckDB: Out of Memory Error: could not allocate block");
      }
      if (!refused_.empty() && statement.starts_with(refused_)) {
        throw Error(ErrorKind::Table, "a fault of its own");
      }
      committed_ = statement.starts_with("COMMIT") || (committed_ && ends_behind_commit_);
      if (ends_behind_commit_ && committed_ && !statement.starts_with("COMMIT")) {
        throw Error(ErrorKind::Transient, "the disk is away");
      }
    };
    warehouse_ = open_warehouse(settings, clock_);
    warehouse_->take_over(test_origin(), unknown_before(), {});
    committed_ = false;
  }

  TargetTable ask(Wish wish) { return taken().grant({{kCopiedOid, wish}}, {}).at(0); }

  Rows rows() { return select("SELECT * FROM shop.items"); }

  std::string position() {
    return select("SELECT complete_lsn FROM re_dms.tables WHERE source_table = 'items'").at(0);
  }

  std::uint64_t copies_ = 0;
  std::string refused_;              ///< how a statement begins that fails
  bool ends_behind_commit_ = false;  ///< what follows a COMMIT meets an outage
  bool committed_ = false;
};

}  // namespace re_dms::testing
