// What a process that dies by a signal leaves behind, for the next start to report.
#pragma once

#include <optional>
#include <string>

#include "base/file_system.h"
#include "telemetry/error_report.h"

namespace re_dms {

/// From now on SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT (a failed assertion, an exception that
/// nobody catches) write the signal and the stack to the file, which is opened now, before they
/// take their usual course (a core file, if the system makes one). A stack that overflowed is noted
/// too, of the thread that calls this and of those that call begin_thread(); DuckDB's own have no
/// other stack to say it from. Called once; the file is emptied.
void note_crashes(const std::string& path);

/// The report of the crash that the file tells of; nothing when there was none. The file is
/// removed.
std::optional<ErrorReport> take_crash_note(FileSystem& files, const std::string& path);

}  // namespace re_dms
