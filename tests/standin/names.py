"""Names longer than PostgreSQL holds, Redshift's reserved words, names of its system columns."""

import hashlib
import threading

from tokens import cut_bytes, literal, quoted

POSTGRES_BYTES = 63
SYSTEM_COLUMNS = {"oid", "ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"}
# "Reserved words", those that PostgreSQL lets stand without quotes as a column's name, and a few more that
# are known to be refused.
RESERVED = set("""AES128 AES256 ALLOWOVERWRITE AZ64 BACKUP BETWEEN BLANKSASNULL BYTEDICT BZIP2 CONNECT CREDENTIALS
    CURRENT_USER_ID DEFLATE DEFRAG DELTA DELTA32K DISABLE EMPTYASNULL ENABLE ENCODE ENCRYPT ENCRYPTION EXPLICIT
    GLOBALDICT256 GLOBALDICT64K GZIP IDENTITY IGNORE INTERVAL LANGUAGE LUN LUNS LZO LZOP MINUS MOSTLY8 MOSTLY16
    MOSTLY32 NEW NULLS OFF OFFLINE OID OLD OPEN PARALLEL PARTITION PERCENT PERMISSIONS PIVOT RAW READRATIO
    RECOVER REJECTLOG RESORT RESPECT RESTORE SNAPSHOT START SYSDATE SYSTEM TAG TDES TEXT255 TEXT32K TIMESTAMP
    TOP TRUNCATECOLUMNS UNNEST UNPIVOT WALLET WITHOUT DATE DATETIME TIME TIMETZ TIMESTAMPTZ QUERYID""".split())


class Names:
    """Which names stand for longer ones; kept in the database as well, for its views."""

    def __init__(self, server):
        self._server, self._long, self._lock = server, {}, threading.Lock()

    def short(self, name):
        """What PostgreSQL calls NAME."""
        data = name.encode("utf-8", "surrogateescape")
        if len(data) <= POSTGRES_BYTES:
            return name
        short = cut_bytes(name, POSTGRES_BYTES - 21) + "~" + hashlib.sha256(data).hexdigest()[:20]
        with self._lock:
            if short not in self._long:
                self._server.side_query(f"INSERT INTO redshift.long_names VALUES ({literal(short)},"
                                        f" {literal(name)}) ON CONFLICT DO NOTHING")
                self._long[short] = name
        return short

    def long(self, name):
        return self._long.get(name, name)

    def in_text(self, text):
        """A message of PostgreSQL with the names that clients know."""
        for short, long in list(self._long.items()):
            text = text.replace(short, long)
        return text

    def quote(self, *parts):
        """A qualified name for PostgreSQL."""
        return ".".join(quoted(self.short(part)) for part in parts if part)
