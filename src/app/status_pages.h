// The pages of a running daemon and the command that reads them.
#pragma once

#include <functional>
#include <optional>
#include <ostream>
#include <vector>

#include "base/clock.h"
#include "base/exit_code.h"
#include "model/progress.h"
#include "observe/http_fetch.h"
#include "observe/http_server.h"
#include "observe/metrics.h"
#include "observe/status.h"

namespace re_dms {

/// "/" for people (a browser asks again every two seconds), /status.json, /metrics, /healthz (the
/// process answers) and /readyz (it streams and loads; 503 with the reason otherwise). `metrics`
/// must outlive the server.
std::vector<HttpRoute> status_pages(std::function<DaemonStatus()> status, const Metrics& metrics);

/// Puts the positions of `progress` and the lag at `now` into `status`. Lag in seconds is the age
/// of the last commit loaded, 0 when the target holds everything received.
void fill_progress(DaemonStatus& status, const Progress& progress, SystemTime now);

/// Whether a re_dms serves its status there.
bool re_dms_listens(const ListenAddress& listen);

/// What the daemon that listens there answers, as JSON. Throws Fatal when there is none, Usage
/// without an address.
HttpAnswer fetch_status(const std::optional<ListenAddress>& listen);

/// SetAside when tables are set aside.
ExitCode exit_code_of(const DaemonStatus& status);

/// `re_dms status`: asks the daemon that listens there and prints its answer. Failed when there is
/// none, SetAside when tables are set aside.
ExitCode show_status(const std::optional<ListenAddress>& listen, bool json, std::ostream& out);

}  // namespace re_dms
