"""The extended protocol: Parse, Bind, Describe, Execute, Close, Sync."""

import struct
import time

import wire
from limits import check_size
from planner import plan_statement
from tokens import split, tokenize
from wire import Refused, SqlError

PARAMETERS_MAX = 32767


class Extended:
    """What is parsed and bound in one session. A statement that the stand-in runs itself, or that becomes
    several, waits for Execute; every other one is parsed and bound by PostgreSQL."""

    def __init__(self, session):
        self.session = session
        self.statements, self.portals = {}, {}  # name: text of those that wait, else None
        self.failed = False
        self.texts, self.bound = {}, {}  # statement: its text; portal: the text

    def take(self, kind, content):
        if kind == b"S":
            self._sync()
            return
        if kind == b"H":
            self.session.flush()
            return
        if self.failed:
            return
        handle = {b"P": self._parse, b"B": self._bind, b"D": self._describe, b"E": self._execute,
                  b"C": self._close}.get(kind)
        try:
            if handle is None:
                raise Refused(6, "08P01", f"invalid frontend message type {kind[0]}")
            handle(content)
        except Refused as refused:
            self.failed = True
            self.session.refuse(refused, "")
        except SqlError as error:
            self.failed = True
            self.session.put(wire.error_message(error.fields))

    def _sync(self):
        back = self.session.back
        back.send(b"S")
        self.failed = False
        try:
            self.session.relay(-1)
        except SqlError:
            pass
        self.session.snapshot = self.session.state != b"I"
        self.session.put(wire.ready(self.session.state))
        self.session.flush()

    def _forward(self, kind, content, until):
        """Sends one message; passes on what is not the answer that ends it, then that."""
        session = self.session
        session.back.send(kind, content)
        session.back.send(b"H")
        shape = None
        while True:
            answer, data = session.back.stream.receive()
            if answer == b"E":
                raise session.server.translate_error(wire.error_fields(data))
            if answer == b"T":
                described, shape = session.describe(data)
                session.put(described)
            elif answer == b"D" and shape:
                session.put(shape(data))
            elif answer in b"NDCtIns123" and answer != b"N":
                session.put(wire.message(answer, data))
            if answer in until:
                return

    def _parse(self, content):
        name, at = wire.read_cstring(content)
        sql, at = wire.read_cstring(content, at)
        check_size(content)
        statements = split(tokenize(sql))
        self.texts[name] = sql
        if len(statements) > 1:
            raise Refused(6, "42601", "cannot insert multiple commands into a prepared statement")
        if not statements:
            self.statements[name] = None
            self._forward(b"P", content, (b"1",))
            return
        if struct.unpack_from("!H", content, at)[0] > PARAMETERS_MAX:
            raise Refused(6, "42P02", "there is no parameter $-32768")
        for token in statements[0]:
            if token.kind == "parameter" and int(token.text[1:]) > PARAMETERS_MAX:
                raise Refused(6, "42P02", "there is no parameter $-32768")
        self.session.check_state(statements[0])
        plan = plan_statement(statements[0], self.session)
        alone = plan.before and statements[0][0].word not in ("SELECT", "WITH", "(") \
            and not any(token.kind == "parameter" for token in statements[0])
        if plan.action or plan.after or plan.tag or alone:
            self.statements[name] = sql
            self.session.put(wire.message(b"1"))
        else:
            self.statements[name] = None
            self._forward(b"P", wire.cstring(name) + wire.cstring(plan.main) + content[at:], (b"1",))

    def _bind(self, content):
        portal, at = wire.read_cstring(content)
        name, at = wire.read_cstring(content, at)
        (formats,) = struct.unpack_from("!H", content, at)
        (count,) = struct.unpack_from("!H", content, at + 2 + 2 * formats)
        if count > PARAMETERS_MAX:
            raise Refused(6, "42P02", "there is no parameter $-32768")
        waiting = self.statements.get(name)
        self.portals[portal], self.bound[portal] = waiting, self.texts.get(name, "")
        if waiting:
            self.session.put(wire.message(b"2"))
        else:
            self._forward(b"B", content, (b"2",))

    def _describe(self, content):
        name = wire.read_cstring(content, 1)[0]
        waiting = (self.statements if content[:1] == b"S" else self.portals).get(name)
        if not waiting:
            self._forward(b"D", content, (b"T", b"n"))
            return
        if content[:1] == b"S":
            self.session.put(wire.message(b"t", struct.pack("!H", 0)))
        self.session.put(wire.message(b"n"))

    def _execute(self, content):
        portal = wire.read_cstring(content)[0]
        waiting = self.portals.get(portal)
        if not waiting:
            text, begin = self.bound.get(portal, ""), time.monotonic()
            with self.session.server.faults.around(self.session, text):
                self._forward(b"E", content, (b"C", b"I", b"s"))
            self.session.log_text(text, begin, "ok", None)
            return
        # PostgreSQL has nothing open but perhaps what was parsed before: that ends here.
        self.session.back.send(b"S")
        self.session.relay(-1)
        if not self.session.statement(split(tokenize(waiting))[0]):
            self.failed = True

    def _close(self, content):
        names = self.statements if content[:1] == b"S" else self.portals
        names.pop(wire.read_cstring(content, 1)[0], None)
        self._forward(b"C", content, (b"3",))
