// A made-up table that is altered at random, and the journal of it: rows, Relation messages, and
// answers of a catalog that is ahead of the stream.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "batch/testing/stream_builder.h"

namespace re_dms {

/// Every value names the attribute number of its column, as in "c3r7".
class AlteredTable {
 public:
  static constexpr Oid kOid = 100;
  static constexpr Lsn kFrom{1000};

  using Row = std::map<std::int16_t, Cell>;  ///< by attribute number

  /// After a transaction.
  struct State {
    TableSchema schema;
    std::vector<Row> rows;
  };

  struct Unit {
    UnitKind kind;
    std::string records;
  };

  explicit AlteredTable(std::uint64_t seed);

  /// How the table was at kFrom; it had rows.
  const State& first() const { return states_.at(kFrom); }

  /// Where transactions end, kFrom first.
  const std::map<Lsn, State>& states() const { return states_; }

  /// All that the journal has from kFrom on.
  const std::vector<Unit>& units() const { return units_; }

  std::uint64_t random(std::uint64_t below) { return engine_() % below; }

 private:
  /// A message, and the table as the transaction that sends it sees it.
  struct Step {
    std::string message;
    TableSchema schema;
  };

  struct Transaction {
    Lsn end;
    std::vector<Step> steps;
  };

  void make_transaction();
  void alter();
  void add_column(const std::string& name);
  bool drop_column(std::size_t index);
  void rewrite();
  void switch_key();
  void change_row();
  void insert();
  void step(std::string message);
  Row values(std::uint64_t id);
  Cells cells(const Row& row, bool only_key) const;
  std::string free_name();
  void tell(std::size_t transaction);
  std::string steps(const Transaction& transaction, std::size_t number);
  std::string answer(std::size_t transaction);

  std::mt19937_64 engine_;
  State now_;
  std::uint64_t ids_ = 0;
  Oid files_ = 900;
  std::vector<Transaction> transactions_;
  std::map<Lsn, State> states_;
  std::vector<Unit> units_;
  std::size_t answered_ = 0;  // transactions that the last answer shows
  bool connected_ = false;    // the next row needs no Relation unless the table was altered
  TableSchema related_;       // of the last Relation
};

}  // namespace re_dms
