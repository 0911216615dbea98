// What lies between libpq and the socket, where poll does not see it. libpq takes one TLS record a
// call, and a walsender makes a record of each message: a reader that waits after each call that
// brought little waits after every row.
#pragma once

#include <libpq-fe.h>

namespace re_dms {

/// Whether TLS or GSS encryption stands between libpq and the socket.
bool is_encrypted(PGconn* connection);

/// Whether PQconsumeInput has to be called again before anybody waits for the socket: the TLS layer
/// may hold input, because the last call on it did not end for lack of more. False without TLS,
/// where poll sees everything, with GSS encryption, where libpq does not tell, and while a write is
/// stuck.
bool may_hold_input(PGconn* connection);

/// From now on the TLS layer takes from the socket what is there, up to a record's greatest size,
/// instead of each record's header and body separately: with small records, two system calls for
/// several hundred rows instead of two for each. Only for connections on which libpq itself no
/// longer waits for input (COPY BOTH, non-blocking): libpq would not see what is read ahead either.
void read_tls_ahead(PGconn* connection);

}  // namespace re_dms
