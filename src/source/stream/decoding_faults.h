// Errors of PostgreSQL itself that end the stream: those that pass, and those that come back for
// ever.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "model/lsn.h"

namespace re_dms {

/// The server ended the stream with an internal error of its own, or a bound that it has.
/// Transient.
class DecodingFailed : public Error {
 public:
  explicit DecodingFailed(const Error& error)
      : Error(ErrorKind::Transient, error.message(), error.advice()) {}
};

/// Whether an error with this SQLSTATE is one of these: XX000, internal_error, and class 54,
/// program_limit_exceeded.
bool is_decoding_fault(std::string_view sqlstate);

/// Counts them while the stream gets no further. PostgreSQL decodes the same WAL again at each try:
/// what does not pass by itself holds the slot, and the WAL behind it, until somebody acts.
class DecodingFaults {
 public:
  /// With the pauses between tries, about nine minutes.
  static constexpr int kTriesMax = 30;

  /// What to throw where a stream of this slot that is received up to `received` ended so: an error
  /// that says how often it did, and the last time one for a person.
  Error note(const DecodingFailed& error, Lsn received, const std::string& slot);

 private:
  int tries_ = 0;
  Lsn at_;
};

}  // namespace re_dms
