// What the text of a type's values is made of, down to types without parts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace re_dms {

/// Domains are followed to their base.
struct TypeParts {
  enum class Kind : char { Single = 's', Array = 'a', Composite = 'c', Hstore = 'h' };

  /// Deeper ones, and ones of more types in all, are not looked into; nor are those of a table's
  /// later columns where its columns would have more together.
  static constexpr std::size_t kDepthMax = 32;
  static constexpr std::size_t kCountMax = 2000;
  static constexpr std::size_t kTableCountMax = 10'000;

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

/// A type's parts, or nothing. Immutable, and shared by the columns of the type: most columns have
/// none, and for one of these it costs the pointer. Equal where the parts are.
class SharedParts {
 public:
  SharedParts() = default;

  explicit SharedParts(TypeParts parts)
      : parts_(std::make_shared<const TypeParts>(std::move(parts))) {}

  explicit operator bool() const { return parts_ != nullptr; }

  /// Of parts that are there.
  const TypeParts& operator*() const { return *parts_; }

  const TypeParts* operator->() const { return parts_.get(); }

  void reset() { parts_.reset(); }

  bool operator==(const SharedParts& other) const {
    return parts_ == other.parts_ || (parts_ && other.parts_ && *parts_ == *other.parts_);
  }

 private:
  std::shared_ptr<const TypeParts> parts_;
};

}  // namespace re_dms
