"""A client of the protocol: the stand-in's sessions with PostgreSQL, and the tests' with the stand-in."""

import hashlib
import socket
import ssl
import struct
from collections import namedtuple
from urllib.parse import parse_qs, unquote, urlsplit

import wire
from wire import SqlError

Result = namedtuple("Result", "columns rows tag")


class Address:
    """Where a server is and as whom to connect, from a libpq URL (postgresql: or redshift:)."""

    def __init__(self, url):
        parts = urlsplit(url)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        self.host = query.get("hostaddr") or query.get("host") or parts.hostname or "127.0.0.1"
        self.port = int(query.get("port") or parts.port or 5432)
        self.user = query.get("user") or unquote(parts.username or "postgres")
        self.password = query.get("password") or unquote(parts.password or "")
        self.database = unquote(parts.path[1:]) or self.user


class WireClient:
    """One session. `query` raises SqlError; `notices`, `parameters`, `pid` and `secret` are what came."""

    def __init__(self, address, *, user=None, database=None, password=None, parameters=None, tls=None,
                 seconds=None):
        """TLS: an ssl.SSLContext, or None for a connection in the clear."""
        self.address, self.password = address, address.password if password is None else password
        self.user = user or address.user
        self.notices, self.parameters, self.state = [], {}, b"I"
        self.pid = self.secret = 0
        if address.host.startswith("/"):
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(f"{address.host}/.s.PGSQL.{address.port}")
        else:
            sock = socket.create_connection((address.host, address.port))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(seconds)
        if tls:
            sock.sendall(wire.untyped(struct.pack("!I", wire.SSL_REQUEST)))
            if sock.recv(1) != b"S":
                raise wire.Gone
            sock = tls.wrap_socket(sock, server_hostname=self._named(address.host))
        self.stream = wire.Stream(sock)
        start = {"user": self.user, "database": database or address.database, **(parameters or {})}
        pairs = b"".join(wire.cstring(name) + wire.cstring(value) for name, value in start.items())
        self.stream.send(wire.untyped(struct.pack("!I", wire.PROTOCOL_3) + pairs + b"\0"))
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    @staticmethod
    def _named(host):
        """A certificate names no address."""
        return "localhost" if host.startswith("127.") else host

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            self.stream.send(wire.message(b"X"))
        except wire.Gone:
            pass
        self.stream.close()

    def _start(self):
        while True:
            kind, content = self.stream.receive()
            if kind == b"E":
                raise SqlError(wire.error_fields(content))
            if kind == b"R":
                self._authenticate(content)
            elif kind == b"S":
                name, at = wire.read_cstring(content)
                self.parameters[name] = wire.read_cstring(content, at)[0]
            elif kind == b"K":
                self.pid, self.secret = struct.unpack("!II", content)
            elif kind == b"Z":
                self.state = content
                return

    def _authenticate(self, content):
        (code,) = struct.unpack_from("!I", content)
        if code == 5:
            inner = hashlib.md5(self.password.encode() + self.user.encode()).hexdigest()
            outer = hashlib.md5(inner.encode() + content[4:8]).hexdigest()
            self.stream.send(wire.message(b"p", wire.cstring("md5" + outer)))
        elif code == 3:
            self.stream.send(wire.message(b"p", wire.cstring(self.password)))
        elif code != 0:
            raise SqlError({"S": "FATAL", "C": "28000", "M": f"authentication method {code} not supported"})

    def send(self, kind, content=b""):
        self.stream.send(wire.message(kind, content))

    def send_query(self, sql):
        self.send(b"Q", wire.cstring(sql))

    def results(self):
        """The results of a simple query, up to ReadyForQuery; an error is raised there."""
        found, columns, rows, error = [], [], [], None
        while True:
            kind, content = self.stream.receive()
            if kind == b"T":
                columns, rows = [name for name, _ in wire.read_row_description(content)], []
            elif kind == b"D":
                rows.append([None if value is None else value.decode("utf-8", "surrogateescape")
                             for value in wire.read_data_row(content)])
            elif kind == b"C":
                found.append(Result(columns, rows, wire.read_cstring(content)[0]))
                columns, rows = [], []
            elif kind == b"E":
                error = SqlError(wire.error_fields(content))
                if error.fields.get("S") in ("FATAL", "PANIC"):
                    raise error
            elif kind == b"N":
                self.notices.append(wire.error_fields(content))
            elif kind == b"Z":
                self.state = content
                if error:
                    raise error
                return found

    def query(self, sql):
        """The results of all statements of SQL."""
        self.send_query(sql)
        return self.results()

    def rows(self, sql):
        """The rows of the last statement of SQL."""
        found = self.query(sql)
        return found[-1].rows if found else []

    def value(self, sql):
        return self.rows(sql)[0][0]

    def cancel(self):
        """Asks the server to cancel what this session runs."""
        cancel(self.address, self.pid, self.secret)


def cancel(address, pid, secret):
    if address.host.startswith("/"):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(f"{address.host}/.s.PGSQL.{address.port}")
    else:
        sock = socket.create_connection((address.host, address.port))
    with sock:
        sock.sendall(wire.untyped(struct.pack("!III", wire.CANCEL_REQUEST, pid, secret)))
        sock.recv(1)


def tls_context(certificate):
    """Checks the server against CERTIFICATE, a file."""
    context = ssl.create_default_context(cafile=str(certificate))
    return context
