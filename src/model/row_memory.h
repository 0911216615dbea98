// Memory for folded rows: blocks cut from large chunks, reused by size, counted to the byte.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace re_dms {

/// A byte string inside a RowMemory: u32 size, then the bytes. Null means none.
class StoredBytes {
 public:
  StoredBytes() = default;

  explicit StoredBytes(char* block) : block_(block) {}

  explicit operator bool() const { return block_ != nullptr; }

  std::string_view view() const {
    std::uint32_t size = 0;
    std::memcpy(&size, block_, sizeof(size));
    return {block_ + sizeof(size), size};
  }

  char* block() const { return block_; }

 private:
  char* block_ = nullptr;
};

/// Gives out blocks rounded up to size classes, takes them back for reuse, and frees everything at
/// once when destroyed; a block above about 1 MiB is of the size asked for and goes back to the
/// system when it is released. `bytes()` counts what is taken from the system: the number that
/// budgets compare. Not thread-safe.
class RowMemory {
 public:
  RowMemory() = default;
  RowMemory(RowMemory&&) = default;
  RowMemory& operator=(RowMemory&&) = default;
  RowMemory(const RowMemory&) = delete;
  RowMemory& operator=(const RowMemory&) = delete;
  ~RowMemory() = default;

  /// Copies `bytes` in.
  StoredBytes store(std::string_view bytes);

  /// Room for `size` bytes that the caller fills through block() + 4.
  StoredBytes reserve(std::size_t size);

  /// Puts `bytes` in place of `old`, in its block where they fit the same size class. `bytes` must
  /// not lie in `old`.
  StoredBytes replace(StoredBytes old, std::string_view bytes);

  /// The block may be given out again.
  void release(StoredBytes stored);

  std::size_t bytes() const { return bytes_; }

 private:
  /// Chunks grow with what is stored, so that thousands of small tables fit into one budget.
  static constexpr std::size_t kFirstChunkBytes = 4 << 10;
  static constexpr std::size_t kChunkBytes = 256 << 10;
  static constexpr std::size_t kClasses = 64;

  char* large_block(std::size_t bytes);
  static std::size_t class_of(std::size_t block_bytes);
  static std::size_t class_bytes(std::size_t size_class);

  std::vector<std::unique_ptr<char[]>> chunks_;
  std::unordered_map<const char*, std::unique_ptr<char[]>> large_;  ///< beyond the classes
  std::array<char*, kClasses> free_{};
  char* next_ = nullptr;
  std::size_t left_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace re_dms
