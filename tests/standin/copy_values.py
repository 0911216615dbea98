"""Fields as COPY checks and converts them, column by column, into PostgreSQL's text format for COPY."""

import datetime
import re

import json_text
from copy_rows import LoadError, QuotedMarker

NULL = "\\N"
SPECIAL = re.compile("[\\\\\t\n\r]")
ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
INTEGER = re.compile(r"[+-]?\d+", re.A)
SAFE_DIGITS = {"smallint": 4, "integer": 9, "bigint": 18}
BITS = {"smallint": 15, "integer": 31, "bigint": 63}
NUMBER = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?", re.A)
FLOAT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.A)
DATE = r"\d{4}-\d\d-\d\d"
CLOCK = r"\d\d:\d\d:\d\d(?:\.(?P<fraction>\d+))?"
ZONE = r"(?P<zone>Z|[+-]\d\d(?::?\d\d)?)"
# Of these no day and no second can be wrong.
SAFE_DATE = r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])"
SAFE_TIME = SAFE_DATE + r" (?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?"
TRUE, FALSE = {"t", "true", "y", "yes", "1"}, {"f", "false", "n", "no", "0"}
# The few that are known to mean no day or no number.
ENDLESS = re.compile(r"[+-]?(infinity|inf|nan)|.* BC", re.I)


class Settings:
    """What the options of one COPY and the stand-in's switches say about values."""

    def __init__(self, options, standin, dedup):
        given = options.given
        self.marker = given.get("NULL", "\\N")
        self.empty_as_null, self.blanks_as_null = options.flag("EMPTYASNULL"), options.flag("BLANKSASNULL")
        self.trim, self.truncate = options.flag("TRIMBLANKS"), options.flag("TRUNCATECOLUMNS")
        self.round, self.any_date = options.flag("ROUNDEC"), options.flag("ACCEPTANYDATE")
        self.invalid = given.get("ACCEPTINVCHARS")
        self.invalid = "?" if self.invalid is True else self.invalid
        self.date_format = given.get("DATEFORMAT", "YYYY-MM-DD")
        self.time_format = given.get("TIMEFORMAT")
        self.allow_endless, self.dedup = standin.allow_endless, dedup
        self.super_csv_bytes, self.super_text_bytes = standin.super_csv_bytes, standin.super_text_bytes


class Column:
    """One column of the target. `default` is the text of its default's value, or None."""

    def __init__(self, name, kind, not_null, default, settings):
        self.name, self.type, self.not_null, self.default = name, kind, not_null, default
        self.settings = settings
        family = kind.name.partition(" with")[0]
        self._one = {
            "smallint": self._integer, "integer": self._integer, "bigint": self._integer, "numeric": self._numeric,
            "real": self._float, "double precision": self._float, "boolean": self._boolean, "date": self._date,
            "timestamp": self._timestamp, "time": self._time, "character varying": self._text,
            "character": self._text, "super": self._super, "binary varying": self._varbyte,
            "geometry": self._hex, "geography": self._hex,
        }.get(family, self._as_it_is)
        self._is_text = family in ("character varying", "character")
        self._fast = {"integer": self._fast_integers, "bigint": self._fast_integers, "smallint": self._fast_integers,
                      "character varying": self._fast_texts, "numeric": self._fast_matches, "date": self._fast_matches,
                      "timestamp": self._fast_matches}.get(family)
        self._patterns()

    def _patterns(self):
        settings, self._time_pattern = self.settings, None
        self._safe = re.compile(r"(?!)")
        if self.type.name == "numeric":
            whole, scale = self.type.size - self.type.scale, self.type.scale
            fraction = rf"(\.\d{{1,{scale}}})?" if scale else ""
            if whole and self.type.size != 19:
                self._safe = re.compile(rf"-?\d{{1,{whole}}}{fraction}", re.A)
        if self.type.name == "date" and settings.date_format in ("auto", "YYYY-MM-DD"):
            self._safe = re.compile(SAFE_DATE.replace(r"\d{4}", r"[12]\d{3}"), re.A)
        if self.type.name.startswith("timestamp"):
            wants_zone = self.type.name == "timestamp with time zone"
            default = "YYYY-MM-DD HH:MI:SS" + ("OF" if wants_zone else "")
            if settings.time_format == "auto":
                pattern = rf"({DATE})[ T]({CLOCK}) ?{ZONE}?"
            elif settings.time_format in (None, default):
                pattern = rf"({DATE}) ({CLOCK})" + ("(?P<zone>[+-]\\d\\d(?::?\\d\\d)?)" if wants_zone else "(?P<zone>)")
            elif settings.time_format in ("epochsecs", "epochmillisecs"):
                pattern = r"(?!)"
            else:  # Other formats drop what they do not name, an offset too: they match nothing here.
                pattern = r"(?!)"
            self._time_pattern = re.compile(pattern, re.A)
            zone = r"[+-](?:0\d|1[0-3])(?::?[0-5]\d)?" if wants_zone else ""
            if pattern != r"(?!)":
                self._safe = re.compile(SAFE_TIME.replace(r"\d{4}", r"[12]\d{3}", 1) + zone, re.A)

    # A column's block.

    def convert(self, values):
        """The fields of a block of rows; LoadError with the row's index in it."""
        if self._fast and (done := self._fast(values)) is not None:
            return done
        done, one = [], self._one
        for row, value in enumerate(values):
            try:
                done.append(self._field(value, one))
            except LoadError as error:
                error.row, error.column, error.value = row, self, value
                raise
        return done

    def _field(self, value, one):
        settings = self.settings
        if value == settings.marker and not isinstance(value, QuotedMarker):
            return self._null()
        if "\0" in value:
            raise LoadError(1218, "Invalid null byte - field longer than 1 byte", rule=21)
        if not self._is_text:
            if not value.strip(" "):
                if self.type.name == "super":
                    raise LoadError(1224, "Invalid SUPER value: empty", rule=17)
                return self._null()
        elif not value and settings.empty_as_null or settings.blanks_as_null and value and not value.strip():
            return self._null()
        return one(value)

    def _null(self):
        if not self.not_null:
            return NULL
        if self.default is None:
            raise LoadError(1213, "Missing data for not-null field", rule=26)
        return escape(self.default)

    def _fast_integers(self, values):
        most, match = SAFE_DIGITS[self.type.name], INTEGER.fullmatch
        if all(map(match, values)) and max(map(len, values), default=0) <= most:
            return values
        if self.not_null:
            return None
        marker = self.settings.marker
        others = [value for value in values if value != marker and value]
        if all(map(match, others)) and max(map(len, others), default=0) <= most:
            return [NULL if not value or value == marker else value for value in values]
        return None

    def _fast_matches(self, values):
        match, marker = self._safe.fullmatch, self.settings.marker
        if all(map(match, values)):
            return values
        if not self.not_null and all(map(match, (value for value in values if value != marker and value))):
            return [NULL if not value or value == marker else value for value in values]
        return None

    def _fast_texts(self, values):
        settings = self.settings
        if settings.empty_as_null or settings.blanks_as_null or settings.trim or settings.invalid:
            return None
        joined = "\x1f".join(values)
        if not joined.isascii():
            try:
                joined.encode()
            except UnicodeEncodeError:
                return None
            factor = 4
        else:
            factor = 1
        if "\0" in joined or max(map(len, values), default=0) * factor > self.type.size:
            return None
        marker = settings.marker
        if marker in joined:
            if self.not_null or any(isinstance(value, QuotedMarker) for value in values):
                return None
            if SPECIAL.search(joined):
                return [NULL if value == marker else value.translate(ESCAPED) for value in values]
            return [NULL if value == marker else value for value in values]
        if SPECIAL.search(joined):
            return [value.translate(ESCAPED) for value in values]
        return values

    # Single fields.

    def _integer(self, value):
        if not INTEGER.fullmatch(value):
            bad = re.search(r"[^\d]", value[1:] if value[0] in "+-" else value)
            at = value.index(bad.group(0)) if bad else len(value) - 1
            kind = {"smallint": "Short", "integer": "Integer", "bigint": "Long"}[self.type.name]
            raise LoadError(1207, f"Invalid digit, Value '{value[at]}', Pos {at}, Type: {kind}", rule=17)
        number, most = int(value), 1 << BITS[self.type.name]
        if not -most <= number < most:
            raise LoadError(1222, f"Overflow, Value '{value}', Type: {self.type.name}", rule=19)
        return value

    def _numeric(self, value):
        found = NUMBER.fullmatch(value)
        if not found or not (found.group(2) or found.group(3)):
            raise LoadError(1207, f"Invalid digit, Value '{value[:1]}', Pos 0, Type: Decimal",
                            rule=24 if ENDLESS.fullmatch(value) else 17)
        sign, whole, fraction, exponent = found.groups()
        whole, fraction, exponent = whole or "", fraction or "", int(exponent or 0)
        if abs(exponent) > 100:
            raise LoadError(1209, "Numeric data overflow", rule=35)
        digits, point = whole + fraction, len(whole) + exponent
        digits = digits.rjust(len(digits) - min(point, 0), "0").ljust(max(point, 0), "0")
        point = max(point, 0)
        whole, fraction = digits[:point] or "0", digits[point:]
        scale = self.type.scale
        unscaled = int(whole + fraction[:scale].ljust(scale, "0"))
        if self.settings.round and fraction[scale : scale + 1] >= "5":
            unscaled += 1
        most = 9223372036854775807 if self.type.size == 19 else 10**self.type.size - 1
        if unscaled > most:
            raise LoadError(1209, "Numeric data overflow (result precision)", rule=35)
        text = str(unscaled).rjust(scale + 1, "0")
        return f"{sign}{text[:-scale]}.{text[-scale:]}" if scale else sign + text

    def _float(self, value):
        if not FLOAT.fullmatch(value):
            if ENDLESS.fullmatch(value) and self.settings.allow_endless:
                return value
            raise LoadError(1208, f"Invalid float value: {value[:50]}", rule=24 if ENDLESS.fullmatch(value) else 17)
        number = abs(float(value))
        if number > (3.4028235e38 if self.type.name == "real" else 1.7976931348623157e308):
            raise LoadError(1204, "Float value out of range", rule=24)
        return value

    def _boolean(self, value):
        if value.lower() in TRUE:
            return "t"
        if value.lower() in FALSE:
            return "f"
        raise LoadError(1210, f"Unknown boolean format: {value[:50]}", rule=17)

    def _date(self, value):
        if self.settings.date_format in ("auto", "YYYY-MM-DD") and re.fullmatch(DATE, value, re.A):
            try:
                datetime.date.fromisoformat(value)
                return value
            except ValueError:
                pass
        return self._no_time(value, 1205, "Invalid Date Format - length must be 10 or more")

    def _no_time(self, value, code, reason):
        if self.settings.any_date:
            return NULL
        if ENDLESS.fullmatch(value):
            if self.settings.allow_endless:
                return value
            raise LoadError(code, reason, rule=24)
        raise LoadError(code, reason, rule=23)

    def _timestamp(self, value):
        if self.settings.time_format in ("epochsecs", "epochmillisecs") and INTEGER.fullmatch(value):
            seconds = int(value) / (1000 if self.settings.time_format == "epochmillisecs" else 1)
            at = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
            return f"{at}+00" if self.type.name.endswith("with time zone") else str(at)
        found = self._time_pattern.fullmatch(value)
        if not found or len(found.group("fraction") or "") > 6:
            return self._no_time(value, 1206, "Invalid timestamp format or value [" + str(
                self.settings.time_format or "YYYY-MM-DD HH24:MI:SS") + "]")
        date, clock, zone = found.group(1), found.group(2), found.group("zone")
        try:
            datetime.datetime.fromisoformat(f"{date} {clock[:8]}")
        except ValueError:
            return self._no_time(value, 1206, "Invalid timestamp format or value")
        if self.type.name == "timestamp with time zone":
            return f"{date} {clock}{(zone or '+00').replace('Z', '+00')}"
        return f"{date} {clock}"

    def _time(self, value):
        with_zone = self.type.name == "time with time zone"
        found = re.fullmatch(CLOCK + (ZONE + "?" if with_zone else ""), value, re.A)
        if not found or len(found.group("fraction") or "") > 6 or value[:8] > "24:00:00":
            return self._no_time(value, 1206, "Invalid time format or value")
        return value + ("" if not with_zone or found.group("zone") else "+00")

    def _text(self, value):
        settings, most = self.settings, self.type.size
        try:
            data = value.encode()
        except UnicodeEncodeError as error:
            data = self._invalid(value, error)
            value = data.decode("utf-8", "replace")
        if self.type.name == "character" and not value.isascii():
            raise LoadError(1220, "Multibyte character not supported for CHAR (Hint: try using VARCHAR). Invalid char:"
                            f" {' '.join(f'{byte:02x}' for byte in data if byte > 127)[:20]}", rule=20)
        if settings.trim:
            value = value.rstrip(" ")
            data = value.encode()
        if len(data) > most:
            if len(value.rstrip(" ").encode()) > most and not settings.truncate:
                raise LoadError(1204, "String length exceeds DDL length", rule=19)
            value = data[:most].decode("utf-8", "ignore")
        if self.type.name == "character":
            value = value.rstrip(" ").ljust(most)
        return escape(value)

    def _invalid(self, value, error):
        data = value.encode("utf-8", "surrogateescape")
        if not self.settings.invalid:
            begin = len(value[: error.start].encode("utf-8", "surrogateescape"))
            shown = " ".join(f"{byte:02x}" for byte in data[begin : begin + 1])
            raise LoadError(1220, "String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence:"
                            f" {shown} (error 3)", rule=20)
        return "".join(self.settings.invalid if "\udc80" <= one <= "\udcff" else one for one in value).encode()

    def _super(self, value):
        settings = self.settings
        if len(value.encode("utf-8", "surrogateescape")) > settings.super_csv_bytes:
            raise LoadError(1224, "SUPER value exceeds the size that CSV may load", rule=28)
        try:
            return escape(json_text.checked(value, settings.super_text_bytes, settings.dedup))
        except ValueError as error:
            raise LoadError(1224, f"Invalid JSON for SUPER: {error}"[:100], rule=28) from None

    def _varbyte(self, value):
        if len(value) % 2 or not re.fullmatch("[0-9A-Fa-f]*", value):
            raise LoadError(1219, f"Invalid hexadecimal digit in {value[:20]}", rule=29)
        if len(value) // 2 > self.type.size:
            raise LoadError(1204, "Binary length exceeds DDL length", rule=19)
        return "\\\\x" + value

    def _hex(self, value):
        if not re.fullmatch("([0-9A-Fa-f]{2})+", value):
            raise LoadError(1219, "Invalid hexadecimal digit", rule=29)
        return value

    def _as_it_is(self, value):
        return escape(value)


def escape(value):
    return value.translate(ESCAPED) if SPECIAL.search(value) else value
