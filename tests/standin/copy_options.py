"""COPY's text: table, columns, source, credentials, options, and which of them exclude each other."""

import re

from relation import Relation, syntax_error
from tokens import closing, name_of, raw_string, split_list
from wire import Refused

COMPRESSIONS = {"GZIP", "BZIP2", "LZOP", "ZSTD"}
FORMATS = {"CSV", "JSON", "AVRO", "PARQUET", "ORC", "FIXEDWIDTH", "SHAPEFILE"}
FLAGS = {"MANIFEST", "ENCRYPTED", "EMPTYASNULL", "BLANKSASNULL", "TRIMBLANKS", "TRUNCATECOLUMNS", "ACCEPTANYDATE",
         "FILLRECORD", "EXPLICIT_IDS", "ROUNDEC", "IGNOREBLANKLINES", "REMOVEQUOTES", "ESCAPE", "NOLOAD",
         "IGNOREALLERRORS", "SERIALIZETOJSON"} | COMPRESSIONS
TEXTS = {"ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "REGION", "QUOTE", "DELIMITER", "NULL", "DATEFORMAT",
         "TIMEFORMAT"}
NUMBERS = {"IGNOREHEADER", "MAXERROR", "COMPROWS", "READRATIO"}
# What the columnar formats allow.
COLUMNAR = {"ACCEPTINVCHARS", "FILLRECORD", "IAM_ROLE", "CREDENTIALS", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY",
            "SESSION_TOKEN", "MANIFEST", "STATUPDATE", "EXPLICIT_IDS", "SERIALIZETOJSON", "PARQUET", "ORC"}
WITH_JSON = {"CSV", "DELIMITER", "ESCAPE", "FILLRECORD", "FIXEDWIDTH", "IGNOREBLANKLINES", "NULL", "READRATIO",
             "REMOVEQUOTES"}
ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+")
CREDENTIALS = re.compile(r"aws_iam_role=(?P<role>[^\s;]+)|aws_access_key_id=(?P<key>[^\s;]+);"
                         r"aws_secret_access_key=(?P<secret>[^\s;]+)(;token=(?P<token>[^\s;]+))?")


class CopyOptions:
    """`given`: options by upper-case name, with their text, number, or True."""

    def __init__(self, tokens):
        self.relation = Relation(tokens, 1, 12)
        self.columns, at = None, self.relation.after
        if at < len(tokens) and tokens[at].text == "(":
            end = closing(tokens, at)
            self.columns = [name_of(part[0]) for part in split_list(tokens[at + 1 : end]) if part]
            at = end + 1
        if at + 1 >= len(tokens) or tokens[at].word != "FROM":
            # COPY … TO, which is UNLOAD there.
            raise syntax_error(4, tokens[at] if at < len(tokens) else None)
        if tokens[at + 1].word in ("STDIN", "STDOUT"):
            raise Refused(4, "0A000", "COPY FROM STDIN is not supported")
        if tokens[at + 1].kind != "string":
            raise syntax_error(4, tokens[at + 1])
        self.source, self.given = raw_string(tokens[at + 1]), {}
        self._read(tokens, at + 2)
        self._check()
        self._check_credentials()

    def _read(self, tokens, at):
        while at < len(tokens):
            word = tokens[at].word
            if word in ("FORMAT", "WITH") and at + 1 < len(tokens):
                at += 2 if tokens[at + 1].word == "AS" else 1
                word = tokens[at].word
            at = self._read_option(tokens, at, word)

    def _put(self, token, word, value):
        if word in self.given:
            rule = 12 if word in ("IAM_ROLE", "CREDENTIALS", "ACCESS_KEY_ID") else 16
            raise Refused(rule, "42601", f"conflicting or redundant options: {token.text}")
        self.given[word] = value

    def _read_option(self, tokens, at, word):
        """Reads one option; returns the index after it."""
        token = tokens[at]
        after = at + 2 if at + 1 < len(tokens) and tokens[at + 1].word == "AS" else at + 1
        value = tokens[after] if after < len(tokens) else None
        if word in FLAGS:
            self._put(token, word, True)
            return at + 1
        if word == "IAM_ROLE":
            if value is None or value.kind != "string" and value.word != "DEFAULT":
                raise syntax_error(12, value)
            self._put(token, word, raw_string(value) if value.kind == "string" else "default")
        elif word in TEXTS or word in ("CREDENTIALS", "ENCODING"):
            if value is None or word != "ENCODING" and value.kind != "string":
                raise syntax_error(12 if word in ("CREDENTIALS", "ACCESS_KEY_ID") else 16, value)
            self._put(token, word, raw_string(value) if value.kind == "string" else value.text)
        elif word in NUMBERS:
            if value is None or value.kind != "number":
                raise syntax_error(16, value)
            self._put(token, word, int(value.text))
        elif word in ("COMPUPDATE", "STATUPDATE"):
            known = value is not None and value.word in ("ON", "OFF", "TRUE", "FALSE", "PRESET")
            self._put(token, word, value.word if known else "ON")
            return after + 1 if known else at + 1
        elif word in FORMATS or word == "ACCEPTINVCHARS":
            has_text = value is not None and value.kind == "string"
            self._put(token, word, raw_string(value) if has_text else True)
            return after + 1 if has_text else at + 1
        else:
            raise syntax_error(16, token)
        return after + 1

    def _check(self):
        given = set(self.given)

        def conflict(first, second):
            raise Refused(16, "42601", f"{first} is not compatible with {second}")

        formats = sorted(given & FORMATS)
        if len(formats) > 1:
            conflict(*formats[:2])
        if "CSV" in given:
            for option in ("ESCAPE", "REMOVEQUOTES", "FIXEDWIDTH"):
                if option in given:
                    conflict("CSV", option)
        elif "QUOTE" in given:
            conflict("QUOTE", "any format but CSV")
        if "JSON" in given and given & WITH_JSON:
            conflict("JSON", sorted(given & WITH_JSON)[0])
        if given & {"PARQUET", "ORC"} and given - COLUMNAR:
            conflict(formats[0], sorted(given - COLUMNAR)[0])
        if {"MAXERROR", "IGNOREALLERRORS"} <= given:
            conflict("MAXERROR", "IGNOREALLERRORS")
        if len(given & COMPRESSIONS) > 1:
            conflict(*sorted(given & COMPRESSIONS)[:2])
        # '\n' stands for the end of a line, which no marker can be.
        if self.given.get("NULL") in ("\\n", "\n"):
            raise Refused(16, "42601", "NULL argument is not supported: '\\n'")
        for option in ("DELIMITER", "QUOTE"):
            text = self.given.get(option)
            if text is not None and (len(text.replace("\\t", "\t")) != 1 or not text.isascii()):
                raise Refused(16, "42601", f"COPY {option.lower()} must be a single ASCII character")
        if not 0 <= self.given.get("MAXERROR", 0) <= 100000:
            raise Refused(16, "22023", "MAXERROR must be between 0 and 100000")
        if not self.source.startswith("s3://"):
            raise Refused(12, "0A000", "the stand-in copies from s3:// only")

    def _check_credentials(self):
        kinds = [kind for kind in ("IAM_ROLE", "CREDENTIALS", "ACCESS_KEY_ID") if kind in self.given]
        if len(kinds) > 1:
            raise Refused(12, "42601", "COPY takes one kind of credentials")
        self.keys = None
        if not kinds:
            raise Refused(12, "0A000", "To use COPY you must specify credentials: IAM_ROLE, CREDENTIALS or"
                          " ACCESS_KEY_ID and SECRET_ACCESS_KEY")
        role = self.given.get("IAM_ROLE")
        if kinds == ["ACCESS_KEY_ID"]:
            if "SECRET_ACCESS_KEY" not in self.given:
                raise Refused(12, "42601", "ACCESS_KEY_ID requires SECRET_ACCESS_KEY")
            self.keys = (self.given["ACCESS_KEY_ID"], self.given["SECRET_ACCESS_KEY"],
                         self.given.get("SESSION_TOKEN"))
        elif kinds == ["CREDENTIALS"]:
            found = CREDENTIALS.fullmatch(self.given["CREDENTIALS"])
            if not found:
                raise Refused(12, "XX000", "Invalid credentials. Must be of the format: credentials"
                              " 'aws_iam_role=...' or 'aws_access_key_id=...;aws_secret_access_key=..."
                              "[;token=...]'")
            role = found.group("role")
            if not role:
                self.keys = (found.group("key"), found.group("secret"), found.group("token"))
        if role and role != "default":
            for one in role.split(","):
                if not ROLE.fullmatch(one):
                    raise Refused(12, "XX000", f"Invalid IAM role ARN: {one}")
        self.role = role

    def flag(self, name):
        return name in self.given
