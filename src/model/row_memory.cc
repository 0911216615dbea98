#include "model/row_memory.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/error.h"

namespace re_dms {

// Classes: multiples of 16 up to 256 (0..15), then four steps per power of two.
std::size_t RowMemory::class_of(std::size_t block_bytes) {
  if (block_bytes <= 256) {
    return (block_bytes + 15) / 16 - 1;
  }
  const auto power = static_cast<std::size_t>(std::bit_width(block_bytes - 1)) - 1;  // 2^power < b
  const std::size_t quarter = std::size_t{1} << (power - 2);
  const std::size_t step = (block_bytes - (std::size_t{1} << power) + quarter - 1) / quarter;
  return 16 + (power - 8) * 4 + step - 1;
}

std::size_t RowMemory::class_bytes(std::size_t size_class) {
  if (size_class < 16) {
    return (size_class + 1) * 16;
  }
  const std::size_t power = 8 + (size_class - 16) / 4;
  const std::size_t step = (size_class - 16) % 4 + 1;
  return (std::size_t{1} << power) + step * (std::size_t{1} << (power - 2));
}

StoredBytes RowMemory::reserve(std::size_t size) {
  RE_DMS_CHECK(size <= 0xFFFFFFF0U);
  const std::size_t needed = size + sizeof(std::uint32_t);
  const std::size_t size_class = class_of(needed);
  const bool classed = size_class < kClasses;
  const std::size_t block_bytes = classed ? class_bytes(size_class) : needed;
  const std::size_t chunk_bytes = std::clamp(bytes_, kFirstChunkBytes, kChunkBytes);
  char* block = nullptr;
  if (!classed) {
    block = large_block(block_bytes);
  } else if (free_[size_class] != nullptr) {
    block = free_[size_class];
    std::memcpy(&free_[size_class], block, sizeof(char*));
  } else if (block_bytes > chunk_bytes / 4) {
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(block_bytes));
    bytes_ += block_bytes;
    block = chunks_.back().get();
  } else {
    if (left_ < block_bytes) {
      chunks_.push_back(std::make_unique_for_overwrite<char[]>(chunk_bytes));
      bytes_ += chunk_bytes;
      next_ = chunks_.back().get();
      left_ = chunk_bytes;
    }
    block = next_;
    next_ += block_bytes;
    left_ -= block_bytes;
  }
  const auto stored = static_cast<std::uint32_t>(size);
  std::memcpy(block, &stored, sizeof(stored));
  return StoredBytes(block);
}

char* RowMemory::large_block(std::size_t bytes) {
  auto block = std::make_unique_for_overwrite<char[]>(bytes);
  char* const at = block.get();
  large_.emplace(at, std::move(block));
  bytes_ += bytes;
  return at;
}

StoredBytes RowMemory::store(std::string_view bytes) {
  const StoredBytes stored = reserve(bytes.size());
  std::memcpy(stored.block() + sizeof(std::uint32_t), bytes.data(), bytes.size());
  return stored;
}

StoredBytes RowMemory::replace(StoredBytes old, std::string_view bytes) {
  if (!old) {
    return store(bytes);
  }
  const std::size_t old_class = class_of(old.view().size() + sizeof(std::uint32_t));
  const bool fits = old_class < kClasses
                        ? old_class == class_of(bytes.size() + sizeof(std::uint32_t))
                        : old.view().size() == bytes.size();
  if (fits) {
    const auto size = static_cast<std::uint32_t>(bytes.size());
    std::memcpy(old.block(), &size, sizeof(size));
    std::memcpy(old.block() + sizeof(size), bytes.data(), bytes.size());
    return old;
  }
  const StoredBytes fresh = store(bytes);
  release(old);
  return fresh;
}

void RowMemory::release(StoredBytes stored) {
  if (!stored) {
    return;
  }
  const std::size_t bytes = stored.view().size() + sizeof(std::uint32_t);
  const std::size_t size_class = class_of(bytes);
  if (size_class < kClasses) {
    std::memcpy(stored.block(), &free_[size_class], sizeof(char*));
    free_[size_class] = stored.block();
  } else {
    RE_DMS_CHECK(large_.erase(stored.block()) == 1);
    bytes_ -= bytes;
  }
}

}  // namespace re_dms
