// How far the journal is durable, and where its readers stand: all that its writer and they share.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <set>
#include <stop_token>

namespace re_dms {

/// A place in the journal's files: byte `offset` of segment `segment`.
struct JournalPlace {
  std::uint64_t segment = 0;
  std::uint64_t offset = 0;

  auto operator<=>(const JournalPlace&) const = default;
};

/// Written by the journal's thread, read and awaited by readers.
class JournalTail {
 public:
  /// Where one reader stands. While it lives, no segment from there on is deleted, whatever was
  /// loaded: attempts at a large transaction that were cut off end below the loaded position, and
  /// a reader may still be in them. Begins before all segments.
  class Claim {
   public:
    /// Null: claims nothing. The tail outlives it.
    explicit Claim(const JournalTail* tail);
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    ~Claim();

    void move_to(std::uint64_t segment);

   private:
    const JournalTail* tail_;
    std::uint64_t segment_ = 0;
  };

  /// Everything before `place` is durable.
  void publish(JournalPlace place);

  JournalPlace place() const;

  /// Waits until the durable end lies beyond `place`, `patience` passed or stop was requested;
  /// gives the durable end.
  JournalPlace wait_beyond(JournalPlace place, std::chrono::milliseconds patience,
                           const std::stop_token& stop) const;

  /// The first segment that a reader claims; the largest number when none does.
  std::uint64_t first_claimed() const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable_any moved_;
  JournalPlace place_;
  mutable std::multiset<std::uint64_t> claims_;
};

}  // namespace re_dms
