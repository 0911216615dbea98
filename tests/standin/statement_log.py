"""The log of statements: a line of JSON each, credentials removed."""

import json
import re
import threading
import time

SECRET = re.compile(r"(?i)\b(credentials(?:\s+as)?|access_key_id(?:\s+as)?|secret_access_key(?:\s+as)?|session_token"
                    r"(?:\s+as)?|password)(\s*)'(?:[^'\\]|\\.|'')*'")
TEXT_MOST = 1 << 20


def redact(sql):
    return SECRET.sub(r"\1\2'***'", sql)


class StatementLog:
    """Appends to a file, or nowhere without PATH."""

    def __init__(self, path):
        self._file = open(path, "a", encoding="utf-8", errors="backslashreplace") if path else None
        self._lock = threading.Lock()

    def write(self, **fields):
        if self._file is None:
            return
        text = redact(fields["sql"])
        fields["sql"] = text if len(text) <= TEXT_MOST else f"{text[:TEXT_MOST]}… {len(text)} characters"
        line = json.dumps({"time": round(time.time(), 6), **fields}, ensure_ascii=False)
        with self._lock:
            self._file.write(line + "\n")
            self._file.flush()
