"""The stand-in's own database in a PostgreSQL server: Redshift's types, functions, catalog, users."""

from pathlib import Path

from tokens import literal, quoted
from wire_client import WireClient

HERE = Path(__file__).resolve().parent
CHARACTERS = {"rs_varchar": "varcharfit", "rs_char": "charfit"}
COMPARISONS = {"=": ("eq", "="), "<>": ("ne", "<>"), "<": ("lt", ">"), "<=": ("le", ">="), ">": ("gt", "<"),
               ">=": ("ge", "<=")}
NEGATED = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
ESTIMATE = {"=": "eqsel", "<>": "neqsel", "<": "scalarltsel", "<=": "scalarlesel", ">": "scalargtsel",
            ">=": "scalargesel"}
# How a session of PostgreSQL is made to read and write as Redshift does.
SESSION = {
    "search_path": 'redshift, pg_catalog, "$user", public', "standard_conforming_strings": "off",
    "backslash_quote": "on", "escape_string_warning": "off", "client_min_messages": "notice",
    "datestyle": "ISO", "intervalstyle": "postgres", "timezone": "UTC", "bytea_output": "hex",
    "extra_float_digits": "0", "client_encoding": "UTF8", "jit": "off",
}

FIT = {
    "rs_varchar": """
    IF modifier < 4 OR pg_catalog.octet_length(value::text) <= most THEN
        RETURN value;
    ELSIF NOT explicit AND pg_catalog.octet_length(pg_catalog.rtrim(value::text, ' ')) > most THEN
        RAISE EXCEPTION 'value too long for type character varying(%)', most USING ERRCODE = '22001';
    END IF;
    cut := pg_catalog.left(value::text, most);
    WHILE pg_catalog.octet_length(cut) > most LOOP
        cut := pg_catalog.left(cut, -1);
    END LOOP;
    RETURN cut;""",
    "rs_char": """
    cut := pg_catalog.rtrim(value::text, ' ');
    IF pg_catalog.octet_length(cut) <> pg_catalog.length(cut) THEN
        RAISE EXCEPTION 'CHAR string contains invalid ASCII character' USING ERRCODE = '22021';
    ELSIF pg_catalog.octet_length(cut) > most AND NOT explicit THEN
        RAISE EXCEPTION 'value too long for type character(%)', most USING ERRCODE = '22001';
    END IF;
    RETURN pg_catalog.rpad(cut, most, ' ');""",
}


def character_type(name):
    """A type over text that compares as bpchar and counts bytes."""
    functions = "".join(
        f"CREATE FUNCTION {name}_{suffix}({given}) RETURNS {result} LANGUAGE internal IMMUTABLE STRICT"
        f" PARALLEL SAFE AS '{internal}';\n"
        for suffix, given, result, internal in (
            ("in", "cstring", name, "textin"), ("out", name, "cstring", "textout"),
            ("recv", "internal", name, "textrecv"), ("send", name, "bytea", "textsend")))
    casts = "".join(f"CREATE CAST ({other} AS {name}) WITHOUT FUNCTION AS ASSIGNMENT;\n"
                    for other in ("text", "varchar"))
    return f"""
CREATE TYPE {name};
{functions}
CREATE TYPE {name} (INPUT = {name}_in, OUTPUT = {name}_out, RECEIVE = {name}_recv, SEND = {name}_send,
    TYPMOD_IN = varchartypmodin, TYPMOD_OUT = varchartypmodout, LIKE = text, CATEGORY = 'S', COLLATABLE = true);
CREATE CAST ({name} AS text) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST ({name} AS varchar) WITHOUT FUNCTION AS ASSIGNMENT;
{casts}
CREATE FUNCTION {name}_fit(value {name}, modifier int, explicit bool) RETURNS {name} LANGUAGE plpgsql
    IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    most int := modifier - 4;
    cut text;
BEGIN{FIT[name]}
END $$;
CREATE CAST ({name} AS {name}) WITH FUNCTION {name}_fit({name}, int, bool) AS IMPLICIT;
"""


def operators(left, right, internal, full):
    """The six comparisons between two types; FULL: usable for hash and merge joins."""
    made = []
    for operator, (name, commutator) in COMPARISONS.items():
        function = f"{left}_{name}_{right}".replace("pg_catalog.", "")
        extra = ", HASHES, MERGES" if full and operator == "=" else ""
        made.append(
            f"CREATE FUNCTION {function}({left}, {right}) RETURNS bool LANGUAGE internal IMMUTABLE STRICT"
            f" PARALLEL SAFE AS '{internal}{name}';\n"
            f"CREATE OPERATOR {operator} (LEFTARG = {left}, RIGHTARG = {right}, FUNCTION = {function},"
            f" COMMUTATOR = {commutator}, NEGATOR = {NEGATED[operator]}, RESTRICT = {ESTIMATE[operator]},"
            f" JOIN = {ESTIMATE[operator].replace('sel', 'joinsel')}{extra});\n")
    return "".join(made)


def operator_classes(name, internal, hashing):
    """What sorts, groups and hashes a type."""
    comparisons = ", ".join(f"OPERATOR {number} {operator}"
                            for number, operator in enumerate(("<", "<=", "=", ">=", ">"), 1))
    return f"""
CREATE FUNCTION {name}_cmp({name}, {name}) RETURNS int LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE
    AS '{internal}cmp';
CREATE OPERATOR CLASS {name}_order DEFAULT FOR TYPE {name} USING btree AS {comparisons},
    FUNCTION 1 {name}_cmp({name}, {name});
CREATE FUNCTION {name}_hash({name}) RETURNS int LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS '{hashing}';
CREATE OPERATOR CLASS {name}_hashes DEFAULT FOR TYPE {name} USING hash AS OPERATOR 1 =,
    FUNCTION 1 {name}_hash({name});
"""


def setup_sql():
    """The script that makes schema redshift."""
    kinds = [*CHARACTERS, "pg_catalog.text"]
    characters = "".join(map(character_type, CHARACTERS))
    characters += "".join(operators(left, right, "bpchar", left == right and left in CHARACTERS)
                          for left in kinds for right in kinds)
    characters += "".join(operator_classes(name, "bpchar", "hashbpchar") for name in CHARACTERS)
    varbyte = operators("rs_varbyte", "rs_varbyte", "bytea", True)
    varbyte += operator_classes("rs_varbyte", "bytea", "hashvarlena")
    decimals = "".join(
        f"CREATE DOMAIN decimal_19_{scale} AS numeric(19,{scale}) CHECK (VALUE * 10::numeric ^ {scale}"
        " BETWEEN -9223372036854775807 AND 9223372036854775807);\n" for scale in range(20))
    text = "".join((HERE / name).read_text(encoding="utf-8")
                   for name in ("setup.sql", "functions.sql", "catalog.sql"))
    for name, made in (("character_types", characters), ("varbyte_operators", varbyte), ("decimals", decimals)):
        text = text.replace(f"{{{name}}}", made)
    return text


def make_database(address, name, users, slices, isolation):
    """Makes database NAME, unless it is there, and the USERS; returns {OID: name} of the types that clients
    know by others."""
    with WireClient(address, database="postgres") as session:
        for user in users:
            session.query(f"DO $$ BEGIN CREATE ROLE {quoted(user)} LOGIN; EXCEPTION WHEN duplicate_object"
                          " THEN NULL; END $$")
        exists = session.rows(f"SELECT FROM pg_database WHERE datname = {literal(name)}")
        if not exists:
            session.query(f"CREATE DATABASE {quoted(name)}")
    with WireClient(address, database=name) as session:
        if not exists:
            session.query(setup_sql())
            session.query(f"INSERT INTO redshift.slices SELECT generate_series(0, {slices - 1})")
        level = "Serializable" if isolation == "serializable" else "Snapshot Isolation"
        session.query(f"DELETE FROM redshift.isolation; INSERT INTO redshift.isolation VALUES ({literal(level)})")
        for user in users:
            session.query(f"GRANT CREATE, TEMP ON DATABASE {quoted(name)} TO {quoted(user)};"
                          f"GRANT ALL ON SCHEMA public TO {quoted(user)}")
        names = ", ".join(map(literal, ("rs_varchar", "rs_char", "rs_varbyte", "jsonb", "text")))
        return {int(oid): kind for oid, kind in session.rows(
            f"SELECT oid, typname FROM pg_type WHERE typname IN ({names})")}
