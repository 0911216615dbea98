#include "app/table_config.h"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <set>
#include <string_view>

#include "base/error.h"
#include "source/catalog/pattern.h"

namespace re_dms {

namespace {

/// Redshift database developer guide, "CREATE TABLE" and "Character types".
constexpr std::size_t kSortColumnsMax = 400;
constexpr int kVarcharBytesMax = 65535;

void read_bad_values(ConfigReader& reader, const std::string& section, TableSettings& table) {
  constexpr std::string_view kKnown = R"("usual", "error", "null", "clamp" or "truncate")";
  const std::string of_table = section + ".bad_values";
  if (const auto wanted = reader.text(of_table)) {
    const auto known = bad_values(*wanted);
    table.bad_values = known.value_or(table.bad_values);
    if (!known) {
      reader.refuse(of_table, kKnown);
    }
  }
  const std::string of_columns = section + ".column_bad_values";
  for (const auto& [column, wanted] : reader.named_texts(of_columns)) {
    if (const auto known = bad_values(wanted)) {
      table.column_bad_values[column] = *known;
    } else {
      reader.fault(of_columns,
                   fmt::format("found {} = \"{}\", expected {}", column, wanted, kKnown));
    }
  }
}

void read_layout(ConfigReader& reader, const std::string& section, TableLayout& layout) {
  const std::string style = section + ".diststyle";
  layout.diststyle = reader.text(style).value_or("");
  if (const std::string& given = layout.diststyle;
      !given.empty() && given != "auto" && given != "even" && given != "all") {
    reader.refuse(style, R"("auto", "even" or "all"; a column stands in distkey)");
  }
  layout.distkey = reader.text(section + ".distkey").value_or("");
  if (!layout.distkey.empty() && !layout.diststyle.empty()) {
    reader.fault(section + ".distkey", "goes without diststyle: rows are spread by one of both");
  }
  const std::string sort = section + ".sortkey";
  layout.sortkey = reader.names(sort);
  if (layout.sortkey.size() > kSortColumnsMax) {
    reader.fault(sort, fmt::format("has {} columns, and Redshift takes {} at most",
                                   layout.sortkey.size(), kSortColumnsMax));
  }
  const std::set<std::string> different(layout.sortkey.begin(), layout.sortkey.end());
  if (different.size() < layout.sortkey.size()) {
    reader.fault(sort, "names a column twice");
  }
}

/// "super", "varchar(100)".
bool is_target_type(std::string_view text) {
  constexpr std::string_view kVarchar = "varchar(";
  int bytes = 0;
  if (text == "super") {
    return true;
  }
  if (!text.starts_with(kVarchar)) {
    return false;
  }
  text.remove_prefix(kVarchar.size());
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  return fault == std::errc() && std::string_view(end, text.data() + text.size()) == ")" &&
         bytes >= 1 && bytes <= kVarcharBytesMax;
}

void read_types(ConfigReader& reader, const std::string& section,
                std::map<std::string, std::string>& types) {
  const std::string key = section + ".types";
  for (const auto& [column, wanted] : reader.named_texts(key)) {
    if (is_target_type(wanted)) {
      types[column] = wanted;
    } else {
      reader.fault(key, fmt::format("found {} = \"{}\", expected \"super\" or \"varchar(N)\", N "
                                    "bytes from 1 to {}",
                                    column, wanted, kVarcharBytesMax));
    }
  }
}

}  // namespace

void check_pattern(ConfigReader& reader, std::string_view key, const std::string& pattern) {
  try {
    const TablePattern sound(pattern);
  } catch (const Error&) {
    reader.fault(key,
                 fmt::format("\"{}\" is not a table pattern; write \"schema.table\", with * and "
                             "? for any letters and double quotes around special names",
                             pattern));
  }
}

std::vector<TableSettings> read_tables(ConfigReader& reader) {
  std::vector<TableSettings> tables;
  for (const std::string& section : reader.sections("table")) {
    TableSettings& table = tables.emplace_back();
    const std::string match = section + ".match";
    table.match = reader.text(match).value_or(table.match);
    check_pattern(reader, match, table.match);
    const std::string on_drop = section + ".on_drop_column";
    if (const auto wanted = reader.text(on_drop)) {
      table.keeps_columns = *wanted == "keep";
      if (!table.keeps_columns && *wanted != "drop") {
        reader.refuse(on_drop, "\"drop\" or \"keep\"");
      }
    }
    const std::string copy = section + ".initial_copy";
    if (const auto wanted = reader.text(copy)) {
      if (const auto known = initial_copy(*wanted)) {
        table.initial_copy = *known;
      } else {
        reader.refuse(copy, "\"auto\", \"adopt\" or \"never\"");
      }
    }
    read_bad_values(reader, section, table);
    read_layout(reader, section, table.layout);
    read_types(reader, section, table.types);
  }
  return tables;
}

void refuse_layouts(ConfigReader& reader, const std::vector<TableSettings>& tables) {
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const auto refuse = [&](bool given, std::string_view name) {
      if (given) {
        reader.fault(fmt::format("table[{}].{}", i + 1, name), "counts for Redshift only");
      }
    };
    refuse(!tables[i].layout.diststyle.empty(), "diststyle");
    refuse(!tables[i].layout.distkey.empty(), "distkey");
    refuse(!tables[i].layout.sortkey.empty(), "sortkey");
    refuse(!tables[i].types.empty(), "types");
  }
}

}  // namespace re_dms
