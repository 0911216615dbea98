// What a load does to the tables of a target, as each engine does it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/staged_batch.h"
#include "warehouse/sql_session.h"
#include "warehouse/stored_table.h"

namespace re_dms {

/// Of one transaction at a time. Where a call throws Table, the table that it is about cannot take
/// the load, and the transaction can only be rolled back.
class TargetTables {
 public:
  virtual ~TargetTables() = default;

  virtual SqlSession& session() = 0;

  /// Begins the transaction that takes these layers of the batch, in their order, each into the
  /// table of the same place in `targets`, which may yet have to be made. `known`: about how many
  /// tables the target has.
  virtual void begin(const std::vector<const StagedLayer*>& layers,
                     const std::vector<QualifiedName>& targets, std::size_t known) = 0;

  virtual void roll_back() = 0;

  /// Schema changes, then the truncation, then deletes, updates and inserts; `table` is brought to
  /// the layer's shape. Every statement touches exactly the rows that were staged for it, except
  /// where the table may lack rows: gives how many were not there.
  virtual std::uint64_t apply(const StagedLayer& layer, StoredTable& table) = 0;

  /// The file whose rows were being read when begin() or apply() threw; null at other places.
  virtual const StagedFile* reading() const = 0;

  /// The layer that begin() was at work on when it threw Table.
  virtual const StagedLayer* staging() const { return nullptr; }

  /// Names the columns of the file with values that their target type cannot hold; never a value.
  /// Nothing when all values fit, or nobody can tell. No transaction is open.
  virtual std::optional<std::string> refused_values(const StagedLayer& layer,
                                                    const StagedFile& file) = 0;

  /// Whether the error says that the engine's memory ran out, whoever took it.
  virtual bool is_out_of_memory(const Error& error) const = 0;

  /// Whether the target takes these for one name.
  virtual bool is_same_name(const QualifiedName& a, const QualifiedName& b) const = 0;

  /// Whether the target has the table, with a column of this name.
  virtual bool has_column(const QualifiedName& target, const std::string& column) = 0;

  /// Of the copy that is to become `target`, and is built beside it.
  virtual QualifiedName copy_name(const QualifiedName& target, Oid oid) const = 0;

  /// What there is of an earlier copy, if anything; its schema may be gone too.
  virtual void drop_copy(const QualifiedName& copy) = 0;

  /// A copy of the table that is not gone on with. True: what there is of it goes with the
  /// transaction. False: behind it, and until then its table's copy_step says that it is there.
  virtual bool give_copy_up(const QualifiedName& copy, Oid /*table*/) {
    drop_copy(copy);
    return true;
  }

  /// Whether something of the target is bound to this table of ours, so that a copy of the schema
  /// that it `becomes` is better put into it than in its place.
  virtual bool is_to_be_refilled(const StoredTable& /*table*/, const TableSchema& /*becomes*/) {
    return false;
  }

  /// A table of ours. Rights on it go to the copy that gets its name in the same transaction.
  virtual void drop_table(const StoredTable& table) = 0;

  /// The copy becomes `target`. Throws Table when something has that name.
  virtual void put_copy_in_place(const QualifiedName& target, Oid oid) = 0;

  /// Throws Table, with what a person can do, unless the table `table.target`, which is to be kept,
  /// can take rows of its schema from now on. `known`: it has taken some.
  virtual void require_fit(const StoredTable& table, bool known) = 0;

  /// As require_fit. The table gets the rows of the copy, which is dropped, in place of its own,
  /// or, where it began without a copy, keeps its own. One of ours loses the columns that its
  /// schema does not have.
  virtual void refill(const QualifiedName& copy, const StoredTable& table, bool known) = 0;
};

/// What a copy of the table that was begun is called. `schema`: of new tables, empty: the source's.
QualifiedName copy_of(const TargetTables& target, const std::string& schema,
                      const StoredTable& table);

}  // namespace re_dms
