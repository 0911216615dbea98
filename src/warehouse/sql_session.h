// Statements in a target, for what is written once for all engines.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "warehouse/sql.h"

namespace re_dms {

/// Whose trouble a refused statement is. A failing disk, a full one or too little memory is the
/// target's (Transient) in either case.
enum class Blame {
  Target,  ///< Fatal: the target is not what this program expects
  Table,   ///< Table: the statement depends on one table's rows or shape
};

/// What a name stands for in the target.
enum class Named { Nothing, Table, Other };

/// The target's table is not the copy that it should be. Of kind Table.
class NotTheCopy : public Error {
 public:
  explicit NotTheCopy(const std::string& text) : Error(ErrorKind::Table, text) {}
};

/// A row of a query's result, every value as the engine's text.
using Row = std::vector<std::optional<std::string>>;

class SqlSession {
 public:
  virtual ~SqlSession() = default;

  /// Runs one statement; returns how many rows it changed (0 for statements that change none).
  virtual std::uint64_t execute(const Sql& statement, Blame blame) = 0;

  /// Runs one SELECT.
  virtual std::vector<Row> query(const Sql& select, Blame blame) = 0;

  /// What the transaction sees under a name; names that differ only in letter case are equal.
  virtual Named named(const QualifiedName& name) = 0;

  /// A value, quoted as the engine reads it.
  virtual Sql text(std::string_view value) const = 0;

  /// The most bytes that a text in a table of the engine has; 0: any number.
  virtual std::size_t text_bytes_max() const { return 0; }

  /// How many lanes the target has service tables for.
  virtual int lanes() const { return 0; }

  std::uint64_t execute(const Sql& statement) { return execute(statement, Blame::Target); }

  std::vector<Row> query(const Sql& select) { return query(select, Blame::Target); }
};

}  // namespace re_dms
