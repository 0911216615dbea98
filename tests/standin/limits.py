"""How large a statement may be."""

from wire import Refused

STATEMENT_BYTES = 16 << 20


def check_size(data):
    if len(data) > STATEMENT_BYTES:
        raise Refused(7, "54000", f"Statement is too large. Statement Size: {len(data)} bytes. Maximum Allowed:"
                      f" {STATEMENT_BYTES} bytes")
