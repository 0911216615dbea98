// What DuckDB's errors mean for the daemon, and how much of their text may be passed on.
#pragma once

#include <duckdb.h>

#include <string>
#include <string_view>

#include "base/error.h"

namespace re_dms::duckdb {

/// The error for a file that cannot be opened, from DuckDB's text.
Error open_error(const std::string& path, std::string_view text);

/// Whether DuckDB's text about a file that cannot be opened says that its log cannot be replayed.
bool is_unreplayable_log(std::string_view text);

/// The error for a refused statement; `fault` is the kind when the statement itself is at fault.
/// Too little memory and DuckDB's own bugs are the table's when `fault` is: the same statement
/// would meet them again and again, and the other tables would wait for it.
Error statement_error(duckdb_error_type type, std::string_view text, ErrorKind fault);

/// Whether a statement's error says that memory ran out.
bool is_out_of_memory(const Error& error);

/// Whether it says that a disk failed or is full.
bool is_of_the_disk(const Error& error);

/// The error of a COMMIT that DuckDB refused, with what to do where memory ran out.
Error commit_error(const Error& error);

/// Whether a statement's error says that a disk is full, the one for what does not fit into memory
/// included.
bool is_out_of_room(const Error& error);

/// The first line of DuckDB's text, cut where a value may begin: row values appear in no log and no
/// reason. Names are lost with it where DuckDB quotes both in the same way.
std::string without_values(duckdb_error_type type, std::string_view text);

}  // namespace re_dms::duckdb
