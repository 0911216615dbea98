// How far the journal is durable: the only thing its writer and its readers share.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
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
  /// Everything before `place` is durable.
  void publish(JournalPlace place);

  JournalPlace place() const;

  /// Waits until the durable end lies beyond `place`, `patience` passed or stop was requested;
  /// gives the durable end.
  JournalPlace wait_beyond(JournalPlace place, std::chrono::milliseconds patience,
                           const std::stop_token& stop) const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable_any moved_;
  JournalPlace place_;
};

}  // namespace re_dms
