"""A client's session: what it sends is checked and translated, one session of PostgreSQL does the rest."""

import hashlib
import re
import secrets
import socket
import ssl
import struct
import time

import extended
import wire
from faults import Kill
from limits import check_size
from planner import plan_statement
from redshift_types import OIDS
from session_commands import check_float_digits
from tokens import render, split, tokenize
from wire import Gone, Refused, SqlError

STARTUP_PARAMETERS = {"user", "database", "client_encoding", "datestyle", "application_name", "options",
                      "client_protocol_version", "driver_version", "os_version", "plugin_name"}
ENDS = {"ROLLBACK", "ABORT", "COMMIT", "END"}
AUTH_CODES = {"md5": 5, "password": 3, "sha256": 13, "idp": 14, "scram": 10}


class Session:
    """One connection, in a thread of its own."""

    def __init__(self, server, sock):
        self.server, self.options = server, server.options
        self.client = wire.Stream(sock)
        self.back, self.user, self.program, self.number = None, "", "", 0
        self.last_copy_count = self.last_copy_id = self.last_query_id = self.query_id = 0
        self.settings = {}  # of Redshift, which PostgreSQL does not know
        self.search_path = ["public"]
        self.expanding = []  # views without binding, while their texts are put in place
        self.widened, self.updated = set(), set()  # tables, in this transaction
        self.cancelled = self.snapshot = self.muted = False
        self.said = []  # in the open transaction
        self.out = bytearray()
        self.extended = extended.Extended(self)

    # The start.

    def run(self):
        try:
            if self._start():
                self._serve()
        except Kill:
            self.log_text("", 0, "killed", None)
        except (Gone, OSError, ssl.SSLError):
            pass
        finally:
            self.client.close()
            if self.back:
                self.back.close()
            self.server.forget(self)

    def _start(self):
        """Up to ReadyForQuery; False when there will be no session."""
        while True:
            content = self.client.receive_untyped()
            (code,) = struct.unpack_from("!I", content)
            if code == wire.SSL_REQUEST:
                if not self.server.tls:
                    self.client.send(b"N")
                    continue
                self.client.send(b"S")
                self.client = wire.Stream(self.server.tls.wrap_socket(self.client.sock, server_side=True))
            elif code == wire.CANCEL_REQUEST:
                self.server.cancel(*struct.unpack_from("!II", content, 4))
                return False
            elif code == wire.PROTOCOL_3:
                break
            else:  # Redshift knows no GSSENCRequest and hangs up.
                return False
        fields = content[4:].rstrip(b"\0").split(b"\0")
        given = {name.decode(): value.decode() for name, value in zip(fields[::2], fields[1::2])}
        try:
            self._open(given)
        except SqlError as error:
            self.client.send(wire.error_message({**error.fields, "S": "FATAL"}))
            self.log_text("", 0, error.sqlstate, error)
            return False
        return True

    def _open(self, given):
        self.user, self.program = given.get("user", ""), given.get("application_name", "")
        for name, value in given.items():
            if name.lower() == "extra_float_digits" and value.lstrip("-").isdigit():
                check_float_digits([value])
            elif name.lower() not in STARTUP_PARAMETERS:
                raise Refused(1, "42704", f'unrecognized configuration parameter "{name}"')
        self._authenticate()
        if given.get("database", self.user) != self.options.database:
            raise Refused(1, "3D000", f'database "{given.get("database", self.user)}" does not exist')
        self.back = self.server.open_backend(self.user, self)
        answer = bytearray(wire.message(b"R", struct.pack("!I", 0)))
        for name, value in {
                "server_version": "8.0.2", "server_encoding": "UNICODE", "client_encoding": "UNICODE",
                "is_superuser": "off", "session_authorization": self.user, "DateStyle": "ISO, MDY",
                "TimeZone": "UTC", "integer_datetimes": "on", "padb_version": "1.0.48805", "padb_revision": "48805",
                "server_protocol_version": "2", "datashare_enabled": "on", "max_numeric_precision": "38",
                "max_varchar_size": "65535", "application_name": given.get("application_name", "")}.items():
            answer += wire.parameter(name, value)
        answer += wire.message(b"K", struct.pack("!II", self.back.pid, self.back.secret)) + wire.ready(b"I")
        self.client.send(bytes(answer))

    def _authenticate(self):
        method = self.options.auth
        if self.server.faults.login_expired():
            raise Refused(11, "28000", "IAM Authentication token has expired")
        code = AUTH_CODES[method]
        salt = secrets.token_bytes(4) if code == 5 else b""
        if code in (13, 14):  # which no client of PostgreSQL knows
            self.client.send(wire.message(b"R", struct.pack("!II", code, 0)))
            raise Gone
        self.client.send(wire.message(b"R", struct.pack("!I", code) + salt))
        kind, content = self.client.receive()
        password = self.options.users.get(self.user)
        if kind != b"p" or password is None:
            raise Refused(3, "28000", f'password authentication failed for user "{self.user}"')
        said = content.rstrip(b"\0").decode()
        wanted = password
        if code == 5:
            inner = hashlib.md5(password.encode() + self.user.encode()).hexdigest()
            wanted = "md5" + hashlib.md5(inner.encode() + salt).hexdigest()
        if said != wanted:
            raise Refused(3, "28000", f'password authentication failed for user "{self.user}"')

    # Messages.

    def _serve(self):
        while True:
            self._wait()
            kind, content = self.client.receive()
            if kind == b"X":
                return
            if kind == b"Q":
                self._simple(content[:-1])
            else:
                self.extended.take(kind, content)

    def _wait(self):
        """An idle session and an idle transaction are ended after a while."""
        most = self.options.idle_transaction_seconds if self.state != b"I" else self.options.idle_session_seconds
        self.client.sock.settimeout(most or None)
        try:
            self.client.peek()
        except socket.timeout:
            text = "idle transaction timeout" if self.state != b"I" else "idle session timeout"
            self.client.send(wire.error_message({"S": "FATAL", "C": "57P05", "M": f"terminating connection: {text}"}))
            raise Gone from None
        self.client.sock.settimeout(None)

    state = property(lambda self: self.back.state)

    def _simple(self, data):
        statements, sql = [], data.decode("utf-8", "surrogateescape")
        try:
            check_size(data)
            statements = split(tokenize(sql))
            if not statements:
                self.put(wire.message(b"I"))
        except Refused as refused:
            self.refuse(refused, sql[:1000])
        # One after the other, each with its own commit unless there is a BEGIN: what several in one message
        # are to Redshift is not known.
        for statement in statements:
            if not self.statement(statement):
                break
        self.put(wire.ready(self.state))
        self.flush()

    def put(self, data):
        if not self.muted:
            self.out += data
            if len(self.out) > 1 << 16:
                self.flush()

    def flush(self):
        data, self.out = bytes(self.out), bytearray()
        if data and not self.muted:
            try:
                self.client.send(data)
            except Gone:
                # What runs is ended before that is noticed.
                self.muted = True

    def statement(self, tokens):
        """Runs one statement; False after an error."""
        text, begin = render(tokens), time.monotonic()
        self.number += 1
        self.query_id = self.server.next_query_id()
        self.cancelled = False
        # The text as it came, for patterns and for the log: planning rewrites the tokens.
        try:
            with self.server.faults.around(self, text):
                self.check_state(tokens)
                plan = plan_statement(tokens, self)
                tag = self.perform(plan)
                self.note(plan)
        except Refused as refused:
            self.refuse(refused, text, begin)
            return False
        except SqlError as error:
            self.put(wire.error_message(error.fields))
            self.log_text(text, begin, error.sqlstate, error)
            return False
        self.log_text(text, begin, "ok", None, tag)
        return True

    def check_state(self, tokens):
        if self.state == b"E" and tokens[0].word not in ENDS:
            raise Refused(58, "25P02", "current transaction is aborted, commands ignored until end of"
                          " transaction block")

    def note(self, plan):
        """What later statements of this session depend on."""
        if not plan.asks_for_last:
            self.last_query_id = self.query_id
        if self.state == b"I":
            self.snapshot = False
            self.widened, self.updated = set(), set()
        elif plan.takes_snapshot:
            self.snapshot = True

    def refuse(self, refused, text, begin=None):
        """The answer to what the stand-in refuses itself; a transaction fails by it, or ends if that was its
        COMMIT."""
        self.put(wire.error_message(refused.fields))
        if self.state == b"T":
            self.back.send_query("ROLLBACK" if re.match(r"(COMMIT|END)\b", text, re.I) else "SELECT redshift.fail()")
            try:
                self.back.results()
            except SqlError:
                pass
        self.log_text(text, begin or time.monotonic(), refused.sqlstate, refused)

    # PostgreSQL.

    def perform(self, plan):
        """Does what PLAN says and answers the client, up to CommandComplete: the tag."""
        if plan.action:
            if plan.takes_snapshot:
                self.queue()
            tag = plan.action()
            if tag is not None:
                self.put(wire.complete(tag))
            return tag
        if plan.takes_snapshot:
            self.queue()
        parts = [*plan.before, plan.main, *plan.after]
        self.back.send_query(";\n".join(parts))
        return self.relay(len(plan.before), plan.tag)

    def queue(self):
        """A query waits for its turn, which statement_timeout counts."""
        waits, timeout = self.options.queue_seconds, int(self.settings.get("statement_timeout", 0)) / 1000
        if timeout and timeout <= waits:
            time.sleep(timeout)
            raise Refused(62, "57014", f"Query ({self.query_id}) cancelled on user's request")
        time.sleep(waits)

    def relay(self, wanted=0, tag=None, until=(b"Z",)):
        """Passes on the answers to the statement of number WANTED, and errors and notices of all."""
        count, shape, error, said = 0, None, None, None
        while True:
            kind, content = self.back.stream.receive()
            if kind == b"D" and count == wanted and not error:
                try:
                    self.put(wire.message(kind, content) if shape is None else shape(content))
                except Refused as refused:
                    error = refused
            elif kind == b"T" and count == wanted:
                described, shape = self.describe(content)
                self.put(described)
            elif kind in (b"C", b"I"):
                if count == wanted and kind == b"C" and not error:
                    said = tag or wire.read_cstring(content)[0]
                    self.put(wire.complete(said))
                elif count == wanted and kind == b"I":
                    self.put(wire.message(kind))
                count += 1
            elif kind == b"E":
                error = self.server.translate_error(wire.error_fields(content))
                if error.fields["S"] != "ERROR":
                    self.put(wire.error_message(error.fields))
                    self.flush()
                    raise Gone
            elif kind == b"N":
                fields = self.server.translate_error(wire.error_fields(content)).fields
                self.put(wire.error_message(fields, b"N"))
            elif kind in until:
                if kind == b"Z":
                    self.back.state = content
                if error:
                    raise error
                return said

    def describe(self, content):
        """(RowDescription with Redshift's types, what rewrites the rows or None)."""
        columns, binary, supers = [], [], []
        for number, (name, rest) in enumerate(wire.read_row_description(content)):
            oid = struct.unpack_from("!I", rest, 6)[0]
            kind = self.server.type_names.get(oid)
            if kind:
                rest = rest[:6] + struct.pack("!I", OIDS[kind]) + rest[10:]
                if kind == "rs_varbyte":
                    binary.append(number)
                elif kind == "jsonb":
                    supers.append(number)
            columns.append((self.server.names.long(name), rest))

        def reshape(row):
            values = wire.read_data_row(row)
            for number in supers:
                if len(values[number] or b"") > self.options.super_text_bytes:
                    raise Refused(28, "XX000", "Invalid input", "error: Invalid input code: 8001 context: String value"
                                  f" exceeds the max size of {self.options.super_text_bytes} bytes")
            for number in binary:
                if values[number] is not None:
                    values[number] = values[number].removeprefix(b"\\x")
            return wire.data_row(values)

        return wire.write_row_description(columns), reshape if binary or supers else None

    def ask(self, sql):
        """The rows of a query of the stand-in's own, in this session's transaction."""
        try:
            return self.back.rows(sql)
        except SqlError as error:
            raise self.server.translate_error(error.fields) from None

    def log_text(self, text, begin, result, error, tag=None):
        seconds = round(time.monotonic() - begin, 6) if begin else 0
        self.server.log.write(
            session=self.back.pid if self.back else 0, number=self.number, user=self.user, program=self.program,
            sql=text, seconds=seconds, result=result, tag=tag, rule=getattr(error, "rule", None), message=error.message if error else None)
