"""Redshift's types: how SQL names them, what they become in PostgreSQL, what catalogs call them."""

from tokens import closing, lower_ascii
from wire import Refused

# Schema redshift of setup.sql has the types that PostgreSQL lacks.
SYNONYMS = {
    "INT2": "smallint", "SMALLINT": "smallint", "INT": "integer", "INT4": "integer", "INTEGER": "integer",
    "INT8": "bigint", "BIGINT": "bigint", "REAL": "real", "FLOAT4": "real", "FLOAT8": "double precision",
    "FLOAT": "double precision", "BOOL": "boolean", "BOOLEAN": "boolean", "DATE": "date",
    "TIMESTAMPTZ": "timestamp with time zone", "TIMETZ": "time with time zone", "SUPER": "super",
    "GEOMETRY": "geometry", "GEOGRAPHY": "geography", "HLLSKETCH": "hllsketch",
}
SIZED = {"VARCHAR": ("character varying", 256, 65535), "NVARCHAR": ("character varying", 256, 65535),
         "TEXT": ("character varying", 256, None), "CHAR": ("character", 1, 4096),
         "CHARACTER": ("character", 1, 4096), "NCHAR": ("character", 1, 4096),
         "BPCHAR": ("character", 256, None), "VARBYTE": ("binary varying", 64000, 16777216),
         "VARBINARY": ("binary varying", 64000, 16777216)}
# "Unsupported PostgreSQL data types"
ABSENT = set("""BIT BYTEA HSTORE JSON JSONB INET CIDR MACADDR MACADDR8 SERIAL SERIAL2 SERIAL4 SERIAL8 BIGSERIAL
    SMALLSERIAL MONEY OID REGCLASS REGPROC REGTYPE INT4RANGE INT8RANGE NUMRANGE TSRANGE TSTZRANGE DATERANGE
    NAME TSVECTOR TSQUERY TXID_SNAPSHOT UUID XML POINT LINE LSEG BOX PATH POLYGON CIRCLE CITEXT XID XID8 PG_LSN
    ENUM INT4MULTIRANGE JSONPATH""".split())
NO_KEY = {"super", "binary varying", "geometry", "geography", "hllsketch"}
# What clients are told instead of the OIDs of schema redshift (JDBC driver, Oid.java).
OIDS = {"rs_varchar": 1043, "rs_char": 1042, "rs_varbyte": 6551, "jsonb": 4000, "geometry": 3000,
        "geography": 3001, "hllsketch": 2935, "text": 1043}


class Type:
    """A column's type: `name` as catalogs have it, `size` (bytes; precision), `scale`."""

    def __init__(self, name, size=None, scale=None):
        self.name, self.size, self.scale = name, size, scale

    def __eq__(self, other):
        return (self.name, self.size, self.scale) == (other.name, other.size, other.scale)

    @property
    def shown(self):
        """As format_type writes it."""
        if self.name == "numeric":
            return f"numeric({self.size},{self.scale})"
        return f"{self.name}({self.size})" if self.size else self.name

    @property
    def postgres(self):
        if self.name == "character varying":
            return f"redshift.rs_varchar({self.size})"
        if self.name == "character":
            return f"redshift.rs_char({self.size})"
        if self.name == "binary varying":
            return f"redshift.rs_varbyte({self.size})"
        if self.name in ("super", "geometry", "geography", "hllsketch"):
            return f"redshift.{self.name}"
        if self.name == "numeric" and self.size == 19:
            return f"redshift.decimal_19_{self.scale}"
        return self.shown


def read_type(tokens, at):
    """(Type, index after it) of the type that stands at AT; Refused if Redshift has none of this name."""
    if at >= len(tokens) or not tokens[at].is_name:
        near = tokens[at].text if at < len(tokens) else ""
        raise Refused(34, "42601", f'syntax error at or near "{near}"')
    word = tokens[at].text.strip('"').upper()
    size, after = _read_size(tokens, at + 1)
    found, after = _type_of(tokens, at, word, size, after)
    if after < len(tokens) and (tokens[after].text == "[" or tokens[after].word == "ARRAY"):
        raise Refused(34, "0A000", f'Column "{found.shown}[]" has unsupported type')
    return found, after


def _type_of(tokens, at, word, size, after):
    following = tokens[at + 1].word if at + 1 < len(tokens) else ""
    if word in ("CHARACTER", "CHAR", "BINARY", "NATIONAL") and following == "VARYING":
        size, after = _read_size(tokens, at + 2)
        word = "VARBYTE" if word == "BINARY" else "VARCHAR"
    if word == "DOUBLE" and following == "PRECISION":
        return Type("double precision"), at + 2
    if word in ("TIMESTAMP", "TIME"):
        return _time_type(tokens, word.lower(), after)
    if word == "INTERVAL":
        return _interval_type(tokens, at)
    if word in ("NUMERIC", "DECIMAL", "DEC"):
        return _numeric_type(size), after
    if word in SIZED:
        return _sized_type(word, size), after
    if word == "FLOAT" and size:
        return Type("real" if int(size[0]) <= 24 else "double precision"), after
    if word in SYNONYMS and not size:
        return Type(SYNONYMS[word]), after
    if word in ABSENT:
        raise Refused(34, "0A000", f'Column "{lower_ascii(word)}" has unsupported type "{lower_ascii(word)}".')
    raise Refused(34, "42704", f'type "{lower_ascii(word)}" does not exist')


def _read_size(tokens, at):
    """The texts between brackets at AT, or []."""
    if at >= len(tokens) or tokens[at].text != "(":
        return [], at
    end = closing(tokens, at)
    return [token.text for token in tokens[at + 1 : end] if token.text != ","], end + 1


def _time_type(tokens, name, after):
    at = after
    if at < len(tokens) and tokens[at].word in ("WITH", "WITHOUT") and at + 2 < len(tokens) \
            and tokens[at + 1].word == "TIME":
        zone = " with time zone" if tokens[at].word == "WITH" else " without time zone"
        return Type(name + zone), at + 3
    return Type(name + " without time zone"), at


def _interval_type(tokens, at):
    end = at + 1
    while end < len(tokens) and tokens[end].word in ("YEAR", "TO", "MONTH", "DAY", "SECOND", "HOUR", "MINUTE"):
        end += 1
    if end == at + 1:
        raise Refused(34, "0A000", 'Column "interval" has unsupported type "interval".')
    _, after = _read_size(tokens, end)
    year = tokens[at + 1].word in ("YEAR", "MONTH")
    return Type("interval year to month" if year else "interval day to second"), after


def _numeric_type(size):
    precision = int(size[0]) if size else 18
    scale = int(size[1]) if len(size) > 1 and size[1].isdigit() else 0
    if not 1 <= precision <= 38:
        raise Refused(35, "22023", f"DECIMAL precision {precision} must be between 1 and 38")
    if len(size) > 2 or not 0 <= scale <= min(precision, 37):
        raise Refused(35, "22023", f"DECIMAL scale {scale} must be between 0 and {min(precision, 37)}")
    return Type("numeric", precision, scale)


def _sized_type(word, size):
    name, default, most = SIZED[word]
    if not size or most is None:
        return Type(name, default)
    if size[0].upper() == "MAX":
        return Type(name, most if name != "binary varying" else 1024000)
    if not size[0].isdigit() or not int(size[0]):
        raise Refused(36, "22023", f"length for type {lower_ascii(word)} must be at least 1")
    if int(size[0]) > most:
        raise Refused(36, "22023", f"length for type {lower_ascii(word)} cannot exceed {most}")
    return Type(name, int(size[0]))


def from_catalog(domain, typname, modifier, shown):
    """The Type of a column as PostgreSQL's catalog has it."""
    if domain.startswith("decimal_19_"):
        return Type("numeric", 19, int(domain[11:]))
    if domain in ("super", "geometry", "geography", "hllsketch"):
        return Type(domain)
    if typname == "rs_varbyte":  # Its modifier is that of bit, which may be large enough.
        return Type("binary varying", modifier if modifier > 0 else None)
    for own, name in (("rs_varchar", "character varying"), ("rs_char", "character")):
        if typname == own:
            return Type(name, modifier - 4 if modifier > 4 else None)
    if typname == "numeric" and modifier >= 4:
        return Type("numeric", (modifier - 4) >> 16 & 0xFFFF, (modifier - 4) & 0x7FF)
    return Type(shown)
