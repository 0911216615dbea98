// The demonstration: the whole of re_dms on one machine with nothing to prepare. A throwaway
// PostgreSQL that holds a million rows gets live traffic, a daemon copies and replicates it into a
// DuckDB file, is killed with kill -9 and started again, and in the end every value of both sides
// is compared.
#pragma once

#include <string>

namespace re_dms {

struct DemoSettings {
  std::string directory = "demo";  ///< where everything lives; made when missing
  int seconds = 25;                ///< of live traffic, once all is copied
  bool keep = false;               ///< leaves PostgreSQL's files, journal and staged files in place
  std::string program;             ///< path of the re_dms that is shown
};

/// Talks to the person on stdout. Returns 0 when both sides are equal, else 1; throws Error when it
/// cannot get that far. SIGINT, SIGTERM and SIGHUP end it early, with an Error. On return and on a
/// throw no process of it is left. Belongs to the main thread, which must not wait for these
/// signals itself.
int run_demo(const DemoSettings& settings);

}  // namespace re_dms
