// From a line of COPY … TO STDOUT in text format to the tuple encoding of the stream.
#pragma once

#include <string>
#include <string_view>

namespace re_dms {

/// Puts the line's values into `tuple` as pgoutput would send them (model/tuple.h). `line` may end
/// with its newline; `columns` is how many values it holds. In text format a tab separates values,
/// \N alone is NULL, and a backslash begins \b \f \n \r \t \v or stands for the character behind it
/// (PostgreSQL 15, sql-copy, File Formats). Throws Fatal for a line of another number of values.
void tuple_of_copy_line(std::string_view line, std::size_t columns, std::string& tuple);

}  // namespace re_dms
