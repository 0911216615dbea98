// What systemd, which started the daemon as a service, asks to be told of it, through libsystemd.
// Nothing of this does anything where nobody asked (NOTIFY_SOCKET is not set).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace re_dms {

/// Whether somebody asked to be told.
bool service_is_watched();

/// How long the service may be silent before it is killed (WATCHDOG_USEC, of this process); empty:
/// for ever.
std::optional<std::chrono::microseconds> service_watchdog();

/// Sends lines "NAME=VALUE" as sd_notify(3) has them. What cannot be told is passed over: nothing
/// depends on it. May block for as long as the receiver reads nothing.
void tell_service(const std::string& lines);

/// STATUS=`text` as such a line: without line ends, and cut where it is too long to be read.
std::string service_status_line(std::string_view text);

}  // namespace re_dms
