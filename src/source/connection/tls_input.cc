#include "source/connection/tls_input.h"

#include <openssl/ssl.h>

namespace re_dms {

namespace {

/// Null without TLS.
SSL* tls_of(PGconn* connection) {
  return static_cast<SSL*>(PQsslStruct(connection, "OpenSSL"));
}

}  // namespace

bool is_encrypted(PGconn* connection) {
  return PQsslInUse(connection) != 0 || PQgssEncInUse(connection) != 0;
}

bool may_hold_input(PGconn* connection) {
  const SSL* tls = tls_of(connection);
  // OpenSSL 3.0, ssl3_read_n: SSL_READING from when the socket is found empty until the next call.
  return tls != nullptr && SSL_want(tls) == SSL_NOTHING;
}

void read_tls_ahead(PGconn* connection) {
  if (SSL* tls = tls_of(connection); tls != nullptr) {
    SSL_set_read_ahead(tls, 1);
  }
}

}  // namespace re_dms
