// Where the rows of a layer are, by key.
#pragma once

#include <absl/container/flat_hash_set.h>
#include <absl/hash/hash.h>
#include <absl/strings/string_view.h>

#include <cstdint>
#include <string_view>
#include <utility>

#include "model/row_memory.h"

namespace re_dms {

/// An encoded key with its hash, computed once for looking up and adding.
struct HashedKey {
  explicit HashedKey(std::string_view key)
      : bytes(key),
        hash(static_cast<std::uint32_t>(
                 absl::Hash<absl::string_view>()(absl::string_view(key.data(), key.size()))) >>
             1U) {}

  std::string_view bytes;
  std::uint32_t hash;  ///< 31 bits
};

/// What the index knows of one key. 16 bytes, with the hash inside, so that growing the index
/// touches no row.
struct KeyPlace {
  static constexpr std::uint32_t kNoRow = 0xFFFFFFFFU;

  StoredBytes key;
  std::uint32_t hash : 31;
  /// The key is the origin key of a row of this layer and the bytes belong to that row; the place
  /// stays as long as the layer. Otherwise the bytes belong to the place.
  std::uint32_t origin : 1;
  /// The live row that has this key; a deleted row whose origin key it is; or none, when the row
  /// that had it took another key. May change while the place is in the index.
  mutable std::uint32_t row;
};

/// Keys to places. Never iterated: order would depend on addresses.
class KeyIndex {
 public:
  /// Null when the key is not there. Places move when keys are added.
  const KeyPlace* find(const HashedKey& key) const {
    const auto found = places_.find(key);
    return found == places_.end() ? nullptr : &*found;
  }

  /// The place and whether it is new; `make` makes it then.
  template <typename F>
  std::pair<const KeyPlace*, bool> find_or_add(const HashedKey& key, F make) {
    bool added = false;
    const auto found = places_.lazy_emplace(key, [&](const auto& construct) {
      construct(make());
      added = true;
    });
    if (added && places_.size() > keys_at_capacity_) {
      grow_counted();
    }
    return {&*found, added};
  }

  void erase(const KeyPlace& place) { places_.erase(places_.find(place)); }

  /// Gives the memory back.
  void clear() { *this = KeyIndex(); }

  /// At least what the slots take. Computed from the number of keys, not read from the table: how
  /// often that grows depends on addresses, and a batch must end at the same row in every run.
  std::size_t memory_bytes() const { return counted_bytes_; }

 private:
  struct Hash {
    using is_transparent = void;

    // The table takes its bits from both ends, so they are spread over all 64.
    static std::size_t spread(std::uint32_t hash) { return hash * 0x9E3779B97F4A7C15ULL; }

    std::size_t operator()(const KeyPlace& place) const { return spread(place.hash); }

    std::size_t operator()(const HashedKey& key) const { return spread(key.hash); }
  };

  struct Equal {
    using is_transparent = void;

    bool operator()(const KeyPlace& a, const KeyPlace& b) const {
      return a.key.block() == b.key.block();
    }

    bool operator()(const KeyPlace& a, const HashedKey& b) const {
      return a.hash == b.hash && a.key.view() == b.bytes;
    }
  };

  void grow_counted();

  absl::flat_hash_set<KeyPlace, Hash, Equal> places_;
  std::size_t keys_at_capacity_ = 0;
  std::size_t counted_bytes_ = 0;
};

}  // namespace re_dms
