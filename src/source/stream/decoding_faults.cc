#include "source/stream/decoding_faults.h"

#include <fmt/format.h>

#include "observe/advice.h"

namespace re_dms {

bool is_decoding_fault(std::string_view sqlstate) {
  return sqlstate == "XX000" || sqlstate.starts_with("54");
}

Error DecodingFaults::note(const DecodingFailed& error, Lsn received, const std::string& slot) {
  if (received != at_) {
    at_ = received;
    tries_ = 0;
  }
  ++tries_;
  if (tries_ < kTriesMax) {
    return {ErrorKind::Transient,
            tries_ == 1 ? error.message()
                        : fmt::format("{}; {} times in a row behind {}, after {} re_dms gives up",
                                      error.message(), tries_, received, kTriesMax),
            error.advice()};
  }
  return Error(
             ErrorKind::Fatal,
             fmt::format("slot \"{}\" cannot be read beyond {}: {} times in a row PostgreSQL has "
                         "ended decoding there with an error of its own. {}",
                         slot, received, tries_, error.message()),
             begin_anew("Changes from there on are not lost as long as the slot is there, but it "
                        "holds all WAL since, until the source's disk is full. The source's server "
                        "log has the error. A row of more than 1 GB as text does this, and so do "
                        "faults of PostgreSQL: its newest minor release may read on, and re_dms "
                        "goes on there when it is started again. If nothing helps, nobody can read "
                        "this slot any more. "))
      .needing_a_person();
}

}  // namespace re_dms
