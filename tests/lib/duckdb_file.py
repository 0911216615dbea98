"""Reads a DuckDB file through DuckDB's C API, as somebody else's program would.

The daemon opens the file for each load only, so opening is tried again for a while. Close it soon:
an open reader holds up the next load.
"""

import ctypes
import os
import struct
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HANDLE = ctypes.c_void_p
BUSY = ("Could not set lock", "Conflicting lock", "does not exist", "No such file")
TEXT = struct.Struct("<I4sQ")
INLINE_MAX = 12


class DuckdbError(Exception):
    """DuckDB refused to open the file or to run a query."""


class Result(ctypes.Structure):
    """duckdb_result; only DuckDB looks inside."""

    _fields_ = [("counts", ctypes.c_uint64 * 3), ("pointers", HANDLE * 3)]


def library_path():
    if os.environ.get("DUCKDB_LIBRARY"):
        return os.environ["DUCKDB_LIBRARY"]
    for folder in (os.environ.get("DUCKDB_ROOT"), ROOT / ".deps" / "duckdb"):
        for place in ("libduckdb.so", "lib/libduckdb.so"):
            if folder and (Path(folder) / place).exists():
                return str(Path(folder) / place)
    raise DuckdbError("no libduckdb.so: run `make deps` or set DUCKDB_LIBRARY")


def load_library():
    library = ctypes.CDLL(library_path())
    returns = {
        "duckdb_query": ctypes.c_int, "duckdb_open_ext": ctypes.c_int,
        "duckdb_connect": ctypes.c_int, "duckdb_create_config": ctypes.c_int,
        "duckdb_set_config": ctypes.c_int, "duckdb_result_error": ctypes.c_char_p,
        "duckdb_column_count": ctypes.c_uint64, "duckdb_column_name": ctypes.c_char_p,
        "duckdb_fetch_chunk": HANDLE, "duckdb_data_chunk_get_size": ctypes.c_uint64,
        "duckdb_data_chunk_get_vector": HANDLE, "duckdb_vector_get_data": HANDLE,
        "duckdb_vector_get_validity": HANDLE,
    }
    for name, kind in returns.items():
        getattr(library, name).restype = kind
    library.duckdb_fetch_chunk.argtypes = [Result]
    library.duckdb_data_chunk_get_size.argtypes = [HANDLE]
    library.duckdb_data_chunk_get_vector.argtypes = [HANDLE, ctypes.c_uint64]
    library.duckdb_vector_get_data.argtypes = [HANDLE]
    library.duckdb_vector_get_validity.argtypes = [HANDLE]
    return library


class DuckdbFile:
    """An open database file (read-only unless WRITABLE), or one in memory where PATH is None."""

    _library = None

    def __init__(self, path, *, wait=60, writable=False):
        if DuckdbFile._library is None:
            DuckdbFile._library = load_library()
        self._database, self._connection = HANDLE(), HANDLE()
        deadline = time.monotonic() + wait
        while (error := self._open(path, writable)) is not None:
            if not any(text in error for text in BUSY) or time.monotonic() > deadline:
                raise DuckdbError(error)
            time.sleep(0.02)
        if self._library.duckdb_connect(self._database, ctypes.byref(self._connection)):
            self.close()
            raise DuckdbError("cannot connect")
        self.execute("SET TimeZone = 'UTC'")

    def _open(self, path, writable):
        """None, or what DuckDB said."""
        if path is not None and not writable and not os.path.exists(path):
            return f"{path} does not exist"
        library, config, error = self._library, HANDLE(), ctypes.c_char_p()
        library.duckdb_create_config(ctypes.byref(config))
        if path is not None and not writable:
            library.duckdb_set_config(config, b"access_mode", b"READ_ONLY")
        failed = library.duckdb_open_ext(None if path is None else os.fsencode(path),
                                         ctypes.byref(self._database), config, ctypes.byref(error))
        library.duckdb_destroy_config(ctypes.byref(config))
        return (error.value or b"unknown").decode() if failed else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self._connection:
            self._library.duckdb_disconnect(ctypes.byref(self._connection))
        if self._database:
            self._library.duckdb_close(ctypes.byref(self._database))

    def _run(self, sql):
        result = Result()
        if self._library.duckdb_query(self._connection, sql.encode(), ctypes.byref(result)):
            error = (self._library.duckdb_result_error(ctypes.byref(result)) or b"").decode()
            self._library.duckdb_destroy_result(ctypes.byref(result))
            raise DuckdbError(f"{error}\n{sql[:2000]}")
        return result

    def execute(self, sql):
        result = self._run(sql)
        self._library.duckdb_destroy_result(ctypes.byref(result))

    def query(self, sql):
        """The rows of a SELECT: tuples of str or None, every value in DuckDB's own text form."""
        return list(self.stream(sql))

    def value(self, sql):
        return self.query(sql)[0][0]

    def stream(self, sql):
        result = self._run(f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ({sql}\n)")
        try:
            columns = self._library.duckdb_column_count(ctypes.byref(result))
            while chunk := HANDLE(self._library.duckdb_fetch_chunk(result)):
                size = self._library.duckdb_data_chunk_get_size(chunk)
                values = [self._texts(chunk, column, size) for column in range(columns)]
                self._library.duckdb_destroy_data_chunk(ctypes.byref(chunk))
                yield from zip(*values)
        finally:
            self._library.duckdb_destroy_result(ctypes.byref(result))

    def _texts(self, chunk, column, size):
        """One VARCHAR vector of a chunk. A text of up to 12 bytes lies in its 16-byte entry."""
        vector = self._library.duckdb_data_chunk_get_vector(chunk, column)
        entries = ctypes.string_at(self._library.duckdb_vector_get_data(vector), size * TEXT.size)
        mask = self._library.duckdb_vector_get_validity(vector)
        valid = ctypes.string_at(mask, (size + 7) // 8) if mask else b"\xff" * ((size + 7) // 8)
        texts = []
        for row, (length, _, pointer) in enumerate(TEXT.iter_unpack(entries)):
            if not valid[row >> 3] >> (row & 7) & 1:
                texts.append(None)
            elif length <= INLINE_MAX:
                begin = row * TEXT.size + 4
                texts.append(entries[begin : begin + length].decode())
            else:
                texts.append(ctypes.string_at(pointer, length).decode())
        return texts

    def columns(self, schema, table):
        """{name: type} of a table, in its order; empty when there is none."""
        return dict(self.query(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE NOT internal AND"
            f" schema_name = {literal(schema)} AND table_name = {literal(table)}"
            " ORDER BY column_index"))


def literal(text):
    return "'" + text.replace("'", "''") + "'"


def identifier(name):
    return '"' + name.replace('"', '""') + '"'
