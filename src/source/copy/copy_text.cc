#include "source/copy/copy_text.h"

#include <fmt/format.h>

#include <cstring>

#include "base/bytes.h"
#include "base/error.h"
#include "model/tuple.h"

namespace re_dms {

namespace {

char unescaped(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    default:
      return c;
  }
}

void append_unescaped(std::string_view field, std::size_t backslash, std::string& to) {
  while (backslash != field.npos && backslash + 1 < field.size()) {
    to.append(field.substr(0, backslash));
    to.push_back(unescaped(field[backslash + 1]));
    field.remove_prefix(backslash + 2);
    backslash = field.find('\\');
  }
  to.append(field);
}

void append_value(std::string_view field, std::string& tuple) {
  const std::size_t backslash = field.find('\\');
  if (backslash == field.npos) [[likely]] {
    char header[5] = {static_cast<char>(ValueKind::Text)};
    store_be(header + 1, static_cast<std::uint32_t>(field.size()));
    tuple.append(header, sizeof(header));
    tuple.append(field);
    return;
  }
  if (field == "\\N") {
    tuple.push_back(static_cast<char>(ValueKind::Null));
    return;
  }
  tuple.push_back(static_cast<char>(ValueKind::Text));
  const std::size_t at = tuple.size();
  tuple.append(4, '\0');
  append_unescaped(field, backslash, tuple);
  store_be(tuple.data() + at, static_cast<std::uint32_t>(tuple.size() - at - 4));
}

}  // namespace

void tuple_of_copy_line(std::string_view line, std::size_t columns, std::string& tuple) {
  if (line.ends_with('\n')) {
    line.remove_suffix(1);
  }
  tuple.resize(2);
  store_be(tuple.data(), static_cast<std::uint16_t>(columns));
  for (std::size_t column = 1; column < columns; ++column) {
    const std::size_t tab = line.find('\t');
    if (tab == line.npos) {
      throw Error(ErrorKind::Fatal,
                  fmt::format("a copied row has {} values, not {}", column, columns));
    }
    append_value(line.substr(0, tab), tuple);
    line.remove_prefix(tab + 1);
  }
  if (line.find('\t') != line.npos || (columns == 0 && !line.empty())) {
    throw Error(ErrorKind::Fatal, fmt::format("a copied row has more than {} values", columns));
  }
  if (columns > 0) {
    append_value(line, tuple);
  }
}

}  // namespace re_dms
