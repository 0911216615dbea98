// How to reach the source and what to replicate of it: the [source] section of the configuration.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "model/bad_values.h"
#include "model/initial_copy.h"
#include "model/table_layout.h"

namespace re_dms {

/// What is done about a live table that the stream cannot tell about.
enum class OnDoubt { Recopy, SetAside };

/// A [[table]] section: what is wanted of the tables that it matches.
struct TableSettings {
  std::string match = "*";  ///< a TablePattern
  InitialCopy initial_copy = InitialCopy::Auto;
  bool keeps_columns = false;  ///< the target keeps columns that the source's table drops
  BadValues bad_values = BadValues::Usual;
  std::map<std::string, BadValues> column_bad_values;  ///< of columns that differ, by name
  TableLayout layout{};                                ///< of a table that re_dms makes
  /// What columns of such a table are to be, by name: "super", "varchar(100)".
  std::map<std::string, std::string> types{};
};

/// Which tables to replicate, and how: what may change while the daemon runs.
struct TableChoice {
  std::vector<std::string> include = {"public.*"};
  std::vector<std::string> exclude;
  std::vector<TableSettings> tables;  ///< the first that matches a table counts
};

struct SourceSettings : TableChoice {
  std::string url;               ///< libpq URL or conninfo
  std::string password_command;  ///< run at each connect; empty: none
  std::string slot = "re_dms";
  std::string publication = "re_dms";
  bool auto_setup = true;
  OnDoubt on_doubt = OnDoubt::Recopy;
  int workers = 2;  ///< sessions that copy tables at the same time
  std::chrono::milliseconds lock_timeout{5000};
};

}  // namespace re_dms
