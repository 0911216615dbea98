// References in a connection's URL or key=value text: what is put in stays one part of it, whatever
// letters it has.
#pragma once

#include <string>
#include <string_view>

#include "app/substitution.h"

namespace re_dms {

/// As substitute(), for a text that libpq reads. What is put in is written so that libpq reads it
/// as the value it is:
///  - in a URL percent-encoded; host and port as they are, but for letters that would end them;
///  - in a key=value text with backslashes before spaces, quotes and backslashes;
///  - as it is where it stands for more than one value: at the beginning of the text (the whole
///  URL,
///    or the most of it), for whole parameters of a URL's query, for whole key=value pairs.
/// (PostgreSQL 15, libpq, 34.1.1 Connection Strings; fe-connect.c.)
std::string connection_text(std::string_view text, const Surroundings& surroundings);

}  // namespace re_dms
