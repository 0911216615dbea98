"""Messages of the PostgreSQL protocol, version 3: reading, writing, errors."""

import struct

SSL_REQUEST, GSSENC_REQUEST, CANCEL_REQUEST, PROTOCOL_3 = 80877103, 80877104, 80877102, 196608


class SqlError(Exception):
    """An error or notice as the protocol has it: fields by letter (S severity, C SQLSTATE, M message …)."""

    def __init__(self, fields):
        super().__init__(f"{fields.get('C')}: {fields.get('M')}")
        self.fields = fields

    sqlstate = property(lambda self: self.fields.get("C", ""))
    message = property(lambda self: self.fields.get("M", ""))
    detail = property(lambda self: self.fields.get("D", ""))


class Refused(SqlError):
    """What the stand-in itself refuses, and the rule (of rules.py) by which it does."""

    def __init__(self, rule, sqlstate, message, detail=None, severity="ERROR"):
        fields = {"S": severity, "C": sqlstate, "M": message}
        super().__init__({**fields, "D": detail} if detail else fields)
        self.rule = rule


class Gone(Exception):
    """The other side closed the connection."""


class Stream:
    """A socket, read message by message."""

    def __init__(self, sock):
        self.sock = sock
        self._file = sock.makefile("rb", 1 << 16)

    def exactly(self, size):
        try:
            data = self._file.read(size)
        except OSError as error:
            raise Gone from error
        if data is None or len(data) < size:
            raise Gone
        return data

    def peek(self):
        """Waits until something came; the socket's time-out counts."""
        if not self._file.peek(1):
            raise Gone

    def receive(self):
        """(type, content) of the next message."""
        head = self.exactly(5)
        return head[:1], self.exactly(struct.unpack_from("!I", head, 1)[0] - 4)

    def receive_untyped(self):
        """The content of a message of the start-up, which has no type."""
        return self.exactly(struct.unpack("!I", self.exactly(4))[0] - 4)

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise Gone from error

    def close(self):
        for close in (self._file.close, self.sock.close):
            try:
                close()
            except OSError:
                pass


def message(kind, content=b""):
    return kind + struct.pack("!I", len(content) + 4) + content


def untyped(content):
    return struct.pack("!I", len(content) + 4) + content


def cstring(text):
    return text.encode("utf-8", "surrogateescape") + b"\0"


def read_cstring(data, at=0):
    end = data.index(b"\0", at)
    return data[at:end].decode("utf-8", "surrogateescape"), end + 1


def error_fields(content):
    fields = {}
    for part in content.rstrip(b"\0").split(b"\0"):
        fields[chr(part[0])] = part[1:].decode("utf-8", "replace")
    return fields


def error_message(fields, kind=b"E"):
    parts = b"".join(letter.encode() + cstring(text) for letter, text in fields.items() if text is not None)
    return message(kind, parts + b"\0")


def notice_message(severity, text):
    return error_message({"S": severity, "C": "00000", "M": text}, b"N")


def complete(tag):
    return message(b"C", cstring(tag))


def ready(state):
    return message(b"Z", state)


def parameter(name, value):
    return message(b"S", cstring(name) + cstring(value))


def row_description(columns):
    """COLUMNS: (name, type OID, type modifier)."""
    parts = [struct.pack("!H", len(columns))]
    for name, oid, modifier in columns:
        parts.append(cstring(name) + struct.pack("!IhIhih", 0, 0, oid, -1, modifier, 0))
    return message(b"T", b"".join(parts))


def read_row_description(content):
    """[(name, rest)]: the 18 bytes after a name are kept as they are."""
    (count,), at, columns = struct.unpack_from("!H", content), 2, []
    for _ in range(count):
        name, at = read_cstring(content, at)
        columns.append((name, content[at : at + 18]))
        at += 18
    return columns


def write_row_description(columns):
    return message(b"T", struct.pack("!H", len(columns))
                   + b"".join(cstring(name) + rest for name, rest in columns))


def read_data_row(content):
    """The values of a row: bytes or None."""
    (count,), at, values = struct.unpack_from("!H", content), 2, []
    for _ in range(count):
        (size,) = struct.unpack_from("!i", content, at)
        at += 4
        values.append(None if size < 0 else content[at : at + size])
        at += max(size, 0)
    return values


def data_row(values):
    parts = [struct.pack("!H", len(values))]
    for value in values:
        parts.append(struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value)
    return message(b"D", b"".join(parts))
