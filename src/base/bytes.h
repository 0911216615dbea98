// Big-endian and little-endian integers in byte strings, and a reader that never runs past its end.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/error.h"

namespace re_dms {

/// Loads an unsigned big-endian integer (network order, as PostgreSQL sends them).
template <typename T>
inline T load_be(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  if constexpr (sizeof(T) == 2) {
    value = static_cast<T>(__builtin_bswap16(value));
  } else if constexpr (sizeof(T) == 4) {
    value = static_cast<T>(__builtin_bswap32(value));
  } else if constexpr (sizeof(T) == 8) {
    value = static_cast<T>(__builtin_bswap64(value));
  }
  return value;
}

/// Loads an unsigned little-endian integer (the byte order of our own files).
template <typename T>
inline T load_le(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

template <typename T>
inline void store_be(char* to, T value) {
  const T swapped = load_be<T>(reinterpret_cast<const char*>(&value));
  std::memcpy(to, &swapped, sizeof(T));
}

template <typename T>
inline void store_le(char* to, T value) {
  std::memcpy(to, &value, sizeof(T));
}

template <typename T>
inline void append_be(std::string& to, T value) {
  char bytes[sizeof(T)];
  store_be(bytes, value);
  to.append(bytes, sizeof(T));
}

template <typename T>
inline void append_le(std::string& to, T value) {
  char bytes[sizeof(T)];
  store_le(bytes, value);
  to.append(bytes, sizeof(T));
}

/// Reads from a byte string that came from outside. Every step checks the bounds and throws a Fatal
/// Error that names the offset; nothing is ever read past the end.
class ByteReader {
 public:
  /// `what` names the thing being read in errors; must outlive the reader.
  ByteReader(std::string_view bytes, std::string_view what) : bytes_(bytes), what_(what) {}

  std::size_t offset() const { return offset_; }

  std::size_t remaining() const { return bytes_.size() - offset_; }

  bool at_end() const { return offset_ == bytes_.size(); }

  std::uint8_t u8() { return static_cast<std::uint8_t>(*take(1)); }

  std::uint16_t u16() { return load_be<std::uint16_t>(take(2)); }

  std::uint32_t u32() { return load_be<std::uint32_t>(take(4)); }

  std::uint64_t u64() { return load_be<std::uint64_t>(take(8)); }

  std::string_view bytes(std::size_t count) { return {take(count), count}; }

  /// A string up to its NUL byte, which is consumed and not returned.
  std::string_view text();

  std::string_view rest() { return bytes(remaining()); }

  /// Throws unless everything was read.
  void expect_end() const;

  [[noreturn]] void fail(std::string_view problem) const;

 private:
  const char* take(std::size_t count) {
    if (count > remaining()) [[unlikely]] {
      fail("ends too early");
    }
    const char* at = bytes_.data() + offset_;
    offset_ += count;
    return at;
  }

  std::string_view bytes_;
  std::string_view what_;
  std::size_t offset_ = 0;
};

}  // namespace re_dms
