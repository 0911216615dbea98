"""COPY: reads, checks every value, and loads through PostgreSQL's own COPY."""

import re

import copy_source
import dml
import sigv4
import wire
from copy_options import CopyOptions
from copy_rows import CsvFile, LoadError
from copy_values import Column, Settings
from faults import Kill
from redshift_types import from_catalog
from tokens import literal
from wire import Refused, SqlError

BLOCK_ROWS = 20000
INVALID_VALUE = {"date": 1205, "boolean": 1210, "super": 1224}


def plan_copy(tokens, session, plan):
    options = CopyOptions(tokens)
    session.last_copy_count = 0
    return plan(action=lambda: Copy(session, options).run())


class Copy:
    """One COPY statement while it runs."""

    def __init__(self, session, options):
        self.session, self.options = session, options
        self.table = options.relation.sql(session)
        self.count, self.errors, self.files = 0, 0, []  # files: (URL, rows loaded up to its end)
        self.settings = Settings(options, session.options,
                                 session.settings.get("json_parse_dedup_attributes") == "on")

    def run(self):
        session = self.session
        session.last_copy_count, session.last_copy_id = 0, session.query_id
        for sql in dml.check_visible([self.table]) if session.state == b"T" else []:
            session.ask(sql)
        columns = self._columns()
        self._check_rights()
        bucket = self._bucket()
        try:
            objects = copy_source.find_objects(bucket, self.options)
            self._load(bucket, objects, columns)
        finally:
            bucket.close()
        session.last_copy_count = self.count
        name = self.options.relation.name
        session.put(wire.notice_message("INFO", f"Load into table '{name}' completed, {self.count} record(s) loaded"
                                        " successfully."))
        return "COPY"

    def _columns(self):
        """The columns to be loaded, in the order of the fields."""
        session, table = self.session, literal(self.table)
        rows = session.ask(
            "SELECT redshift.long_name(a.attname), t.typname, coalesce(b.typname, t.typname), CASE WHEN t.typtype = 'd'"
            " THEN t.typtypmod ELSE a.atttypmod END, format_type(coalesce(b.oid, t.oid), NULL), a.attnotnull,"
            " pg_get_expr(d.adbin, d.adrelid), a.attidentity FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
            " LEFT JOIN pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype LEFT JOIN pg_attrdef d ON d.adrelid ="
            f" a.attrelid AND d.adnum = a.attnum WHERE a.attrelid = {table}::regclass AND a.attnum > 0 AND NOT"
            " a.attisdropped ORDER BY a.attnum")
        known = {}
        for name, domain, base, modifier, shown, not_null, default, identity in rows:
            kind = from_catalog(domain, base, int(modifier), shown)
            if default and not_null == "t" and not identity:
                default = session.ask(f"SELECT ({default})::text")[0][0]
            column = Column(name, kind, not_null == "t", default if not_null == "t" else None, self.settings)
            column.identity = bool(identity)
            known[name] = column
        explicit = self.options.flag("EXPLICIT_IDS")
        names = self.options.columns or [name for name in known if explicit or not known[name].identity]
        for name in names:
            if name not in known:
                raise Refused(12, "42703", f'column "{name}" of relation "{self.options.relation.name}" does not exist')
            if known[name].identity and not explicit:
                raise Refused(27, "0A000", f'cannot set an identity column to a value: "{name}" needs EXPLICIT_IDS')
        return [known[name] for name in names]

    def _check_rights(self):
        session, table = self.session, literal(self.table)
        if session.ask(f"SELECT has_table_privilege({table}::regclass, 'INSERT')")[0][0] != "t":
            raise Refused(33, "42501", f"permission denied for relation {self.options.relation.name}")
        if "STATUPDATE" in self.options.given:
            owns = session.ask("SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid ="
                               f" {table}::regclass")[0][0]
            if owns != "t":
                raise Refused(33, "42501", f"must be owner of relation {self.options.relation.name}: STATUPDATE")

    def _bucket(self):
        standin, options = self.session.options, self.options
        if options.role not in (None, "default") and standin.iam_role and options.role != standin.iam_role:
            raise Refused(12, "XX000", f"User arn:aws:redshift:::dbuser:standin/{self.session.user} is not"
                                       f" authorized to"
                          f" assume IAM Role {options.role}", "code: 30000")
        region = options.given.get("REGION", standin.cluster_region)
        if region != standin.s3_region:
            raise copy_source.s3_error(15, "PermanentRedirect", 301, "The bucket you are attempting to access must be"
                                       " addressed using the specified endpoint. Please send all future requests to"
                                       " this endpoint.")
        keys = options.keys or (standin.s3_access_key, standin.s3_secret_key, standin.s3_session_token)
        credentials = sigv4.Credentials(keys[0], keys[1], standin.s3_region, keys[2])
        return copy_source.Bucket(standin.s3_endpoint, credentials, standin.s3_retry_seconds)

    def _load(self, bucket, objects, columns):
        session = self.session
        listed = "(" + ", ".join(session.server.names.quote(column.name) for column in columns) + ")"
        found = []
        for url, mandatory in objects:
            content = copy_source.fetch(bucket, url, mandatory)
            if content is not None:
                found.append((url, content))
        if not found:
            raise Refused(14, "XX000", "The specified S3 prefix or manifest names no file that exists")
        if self.options.flag("NOLOAD"):
            self._send(found, columns, lambda data: None)
            return
        if session.cancelled:
            raise Refused(9, "57014", f"Query ({session.query_id}) cancelled on user's request")
        session.back.send_query(f"COPY {self.table} {listed} FROM STDIN")
        kind, content = session.back.stream.receive()
        while kind == b"N":
            kind, content = session.back.stream.receive()
        if kind != b"G":
            self._finish(kind, content)
        try:
            self._send(found, columns, lambda data: session.back.send(b"d", data))
        except BaseException:
            session.back.send(b"f", wire.cstring("refused"))
            self._drain()
            raise
        session.back.send(b"c")
        try:
            session.back.results()
        except SqlError as error:
            self._refused_by_postgres(error, found, columns)

    def _finish(self, kind, content):
        """PostgreSQL did not begin its COPY."""
        error = self.session.server.translate_error(wire.error_fields(content))
        self._drain()
        raise error

    def _drain(self):
        try:
            self.session.back.results()
        except SqlError:
            pass

    def _send(self, found, columns, send):
        for number, (url, content) in enumerate(found):
            if self.session.kill_during and number == len(found) // 2:
                self._lose_client()
            file = self._parse(copy_source.unpack(content, self.options, url))
            self._send_rows(file, url, columns, send)
            self.files.append((url, self.count))

    def _lose_client(self):
        """The client's connection ends; outside a transaction the COPY goes on."""
        self.session.muted = True
        self.session.client.close()
        if self.session.state != b"I":
            raise Kill

    def _parse(self, content):
        options = self.options
        if not options.flag("CSV"):
            raise Refused(0, "0A000", "the stand-in loads CSV only")
        text = content.decode("utf-8", "surrogateescape")
        return CsvFile(text, delimiter=options.given.get("DELIMITER", ",").replace("\\t", "\t"),
                       quote=options.given.get("QUOTE", '"'), skip=options.given.get("IGNOREHEADER", 0),
                       blank_lines=options.flag("IGNOREBLANKLINES"),
                       marker=None if self.session.options.quoted_marker_is_null else self.settings.marker)

    def _send_rows(self, file, url, columns, send):
        for begin in range(0, len(file.rows), BLOCK_ROWS):
            if self.session.cancelled:
                raise Refused(9, "57014", f"Query ({self.session.query_id}) cancelled on user's request")
            rows = file.rows[begin : begin + BLOCK_ROWS]
            kept = list(range(begin, begin + len(rows)))
            if self.options.flag("FILLRECORD"):
                rows = [self._filled(row, columns) for row in rows]
            bad = [row for row in file.bad if begin <= row < begin + BLOCK_ROWS]
            if bad or any(len(row) != len(columns) for row in rows):
                rows, kept = self._without_bad(file, url, (rows, kept), columns)
            while rows:
                try:
                    fields = [column.convert(values) for column, values in zip(columns, zip(*rows))]
                    break
                except LoadError as error:
                    at = error.row
                    error.row = kept[at]
                    self._fail(error, file, url)
                    del rows[at], kept[at]
            if rows:
                self.count += len(rows)
                send("\n".join(map("\t".join, zip(*fields))).encode("utf-8", "surrogateescape") + b"\n")

    def _filled(self, row, columns):
        """FILLRECORD: what is missing at the end is NULL, or empty for a VARCHAR."""
        missing = columns[len(row) :]
        return row + ["" if column.type.name == "character varying" else self.settings.marker for column in missing]

    def _without_bad(self, file, url, block, columns):
        rows, kept = [], []
        for row, number in zip(*block):
            if number in file.bad:
                self._fail(file.bad[number], file, url)
            elif len(row) != len(columns):
                more = len(row) > len(columns)
                self._fail(LoadError(1202 if more else 1203, "Extra column(s) found" if more else "Delimiter not found",
                                     row=number, rule=18), file, url)
            else:
                rows.append(row)
                kept.append(number)
        return rows, kept

    def _fail(self, error, file, url):
        """Notes a bad row; with MAXERROR some are only dropped."""
        self._note(error, url, file.line_number(error.row), file.lines[error.row])
        self.errors += 1
        if self.errors >= max(self.options.given.get("MAXERROR", 0), 1) and not self.options.flag("IGNOREALLERRORS"):
            raise self._failure(error.rule)

    def _failure(self, rule):
        view = "stl_load_errors" if self.session.options.mode == "provisioned" else "sys_load_error_detail"
        name = self.options.relation.name
        return Refused(rule, "XX000", f"Load into table '{name}' failed.  Check '{view}' system table for details.")

    def _note(self, error, url, line, raw):
        column = error.column
        texts = [self.session.user, str(self.session.query_id), str(self.session.back.pid), url, str(line),
                 column.name if column else "", column.type.name[:10] if column else "",
                 str(column.type.size or "") if column else "", "0", raw, str(error.value), str(error.code),
                 error.reason]
        values = ", ".join(literal(clean(text)) for text in texts)
        self.session.server.side_query(
            "INSERT INTO redshift.load_errors (userid, query, session, filename, line_number, colname, type,"
            " col_length,"
            f" position, raw_line, raw_field_value, err_code, err_reason) VALUES ({values})")

    def _refused_by_postgres(self, error, found, columns):
        """PostgreSQL found what the checks here let pass."""
        self.count, context = 0, error.fields.get("W", "")
        where = re.search(r"COPY .*, line (\d+)(?:, column (.*?))?(?::|$)", context)
        if error.sqlstate[:2] not in ("22", "23") or not where:
            raise self.session.server.translate_error(error.fields)
        row, url = int(where.group(1)) - 1, self.files[-1][0]
        first = 0
        for name, count in self.files:
            if row < count:
                url = name
                break
            first = count
        column = next((one for one in columns if one.name == self.session.server.names.long(where.group(2) or "")),
                      None)
        code = 1213 if error.sqlstate == "23502" else INVALID_VALUE.get(column.type.name if column else "", 1206)
        told = LoadError(code, error.message, column=column, rule=26 if code == 1213 else 23)
        self._note(told, url, row - first + 1, "")
        raise self._failure(told.rule)


def clean(text):
    """TEXT without what PostgreSQL cannot hold, and not longer than is shown."""
    return text[:1024].encode("utf-8", "replace").decode().replace("\0", "")
