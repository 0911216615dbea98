"""Listens for clients, knows all sessions, and speaks to PostgreSQL for them."""

import itertools
import re
import socket
import ssl
import threading
import time

import wire_client
from database import SESSION, make_database
from faults import Faults
from names import Names
from session import Session
from wire import Refused, SqlError
from wire_client import Address, WireClient

DROPPED_FIELDS = "VPFLRWpq"
SERIALIZABLE_DETAIL = ("Serializable isolation violation on table - {0}, transactions forming the cycle are:"
                       " {1}, {2} (pid:{3})")


class Server:
    """The stand-in. OPTIONS: see standin.py."""

    def __init__(self, options, log):
        self.options, self.log = options, log
        self.address = Address(options.postgres)
        self.faults, self.names = Faults(self), Names(self)
        self._sessions, self._lock, self._closed_until = set(), threading.Lock(), 0
        self._ids = itertools.count(1001)
        self._side, self._side_lock = None, threading.Lock()
        self.tls = None
        if options.tls_cert:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.minimum_version = ssl.TLSVersion.TLSv1_2
            self.tls.load_cert_chain(options.tls_cert, options.tls_key)
        self.type_names = make_database(self.address, options.database, options.users, options.slices,
                                        options.isolation)
        # All there ever were, (schema, name): most statements need not ask for them.
        self.late_views = {tuple(row) for row in self.side_query("SELECT schema, name FROM redshift.late_views")}
        host, _, port = options.listen.rpartition(":")
        self._listener = socket.create_server((host or "127.0.0.1", int(port)))

    def serve(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._take, args=(sock,), daemon=True).start()

    def _take(self, sock):
        if time.monotonic() < self._closed_until:
            sock.close()
            return
        session = Session(self, sock)
        with self._lock:
            self._sessions.add(session)
        session.run()

    def forget(self, session):
        with self._lock:
            self._sessions.discard(session)

    def restart(self, seconds):
        """Ends all sessions, as a cluster's restart does, and lets nobody in for a while."""
        self._closed_until = time.monotonic() + seconds
        with self._lock:
            sessions = list(self._sessions)
        for session in sessions:
            self.end(session)

    @staticmethod
    def end(session):
        """Cuts a session's connections; what it had open is rolled back."""
        session.cancelled = True
        for stream in (session.client, session.back and session.back.stream):
            try:
                if stream:
                    stream.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def end_all(self):
        with self._lock:
            sessions = list(self._sessions)
        for session in sessions:
            self.end(session)
        return len(sessions)

    def open_backend(self, user, session):
        with self._lock:
            opened = sum(1 for one in self._sessions if one.back or one is session)
        if opened > self.options.max_connections:
            raise Refused(7, "53300", f'connection limit "{self.options.max_connections}" exceeded for'
                          " non-bootstrap users")
        level = "serializable" if self.options.isolation == "serializable" else "repeatable read"
        settings = {**SESSION, "default_transaction_isolation": level,
                    "deadlock_timeout": None, "statement_timeout": "0"}
        pairs = " ".join(f"-c {name}={escape(value)}" for name, value in settings.items() if value)
        return WireClient(self.address, user=user, database=self.options.database,
                          parameters={"options": pairs, "application_name": "standin"})

    def side_query(self, sql):
        """Rows of a query in a session of the stand-in's own, committed at once."""
        with self._side_lock:
            if self._side is None:
                self._side = WireClient(self.address, database=self.options.database,
                                        parameters={"options": "-c standard_conforming_strings=off"
                                                    " -c escape_string_warning=off"})
            return self._side.rows(sql)

    def cancel(self, pid, secret):
        with self._lock:
            sessions = [one for one in self._sessions if one.back and (one.back.pid, one.back.secret) == (pid, secret)]
        for session in sessions:
            session.cancelled = True
            wire_client.cancel(self.address, pid, secret)

    def next_query_id(self):
        return next(self._ids)

    def translate_error(self, fields):
        """An error of PostgreSQL as Redshift has it."""
        fields = {name: text for name, text in fields.items() if name not in DROPPED_FIELDS}
        for name in set("MDH") & set(fields):
            fields[name] = self.names.in_text(fields[name])
        message = fields.get("M", "")
        if fields.get("C") == "40001":
            fields["C"] = "XX000"
            if self.options.isolation == "serializable":
                fields["M"] = "1023"
                fields["D"] = SERIALIZABLE_DETAIL.format(100167, self.next_query_id(), self.next_query_id(), 4321)
            else:
                fields["M"] = "could not complete because of conflict with concurrent transaction"
                fields.pop("D", None)
        elif fields.get("C") == "57014":
            fields["M"] = f"Query ({next(self._ids)}) cancelled on user's request"
        elif message == "MERGE command cannot affect row a second time":
            fields |= {"C": "XX000", "M": "Found multiple matches to update the same tuple."}
        elif fields.get("C") == "42P07":
            found = re.match(r'relation "(.*)" already exists', message)
            fields["M"] = f'Relation "{found.group(1)}" already exists' if found else message
        fields.pop("H", None)
        return SqlError(fields)

    def close(self):
        self._listener.close()
        self.end_all()


def escape(text):
    """TEXT as a value in the startup's options."""
    return text.replace("\\", "\\\\").replace(" ", "\\ ")


