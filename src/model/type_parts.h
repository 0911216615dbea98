// What the text of a type's values is made of, down to types without parts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace re_dms {

/// Domains are followed to their base.
struct TypeParts {
  enum class Kind : char { Single = 's', Array = 'a', Composite = 'c', Hstore = 'h' };

  /// Deeper ones, and ones of more types in all, are not looked into.
  static constexpr std::size_t kDepthMax = 32;
  static constexpr std::size_t kCountMax = 2000;

  Kind kind = Kind::Single;
  std::uint32_t oid = 0;  ///< pg_type.oid
  char delimiter = ',';   ///< Array: what stands between two elements
  /// As an attribute of a composite: its name, and pg_attribute.attnum, which outlives a name and
  /// is never given twice.
  std::string name{};
  std::int16_t attnum = 0;
  std::vector<TypeParts> parts{};  ///< Array: the type of its elements; Composite: its attributes

  bool operator==(const TypeParts&) const = default;
};

}  // namespace re_dms
