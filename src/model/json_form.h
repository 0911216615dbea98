// What becomes of a value in JSON.
#pragma once

#include <string>
#include <vector>

namespace re_dms {

struct JsonForm {
  enum class Kind : char {
    Text,  ///< a string, as PostgreSQL writes the value
    Number,
    Boolean,
    Json,    ///< JSON as it is
    Array,   ///< an array, nested where it has dimensions
    Object,  ///< an object of a composite's attributes
    Pairs,   ///< an object of hstore's keys
  };

  Kind kind = Kind::Text;
  char delimiter = ',';           ///< Array: what stands between two elements in PostgreSQL's text
  std::string name{};             ///< as an attribute of a composite
  std::vector<JsonForm> parts{};  ///< Array: its elements'; Object: of each attribute

  bool operator==(const JsonForm&) const = default;
};

}  // namespace re_dms
