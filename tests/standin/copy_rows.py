"""CSV as COPY reads it: strict about quotes, a line without any is split at once."""

import re

ROW_BYTES = 4 << 20


class LoadError(Exception):
    """A row that cannot be loaded: code, reason, and where: row index (of its file), column, value."""

    def __init__(self, code, reason, *, row=0, column=None, value="", rule=None):
        super().__init__(f"{code} {reason}")
        self.code, self.reason, self.row, self.column, self.value, self.rule = code, reason, row, column, value, rule


class QuotedMarker(str):
    """A field in quotes that reads as the NULL marker, where that is to be no NULL."""


class CsvFile:
    """The rows of one file. `bad`: {row index: LoadError}; those rows are empty lists."""

    def __init__(self, text, *, delimiter=",", quote='"', skip=0, blank_lines=False, marker=None):
        """MARKER: what in quotes is not to be NULL. BLANK_LINES: they are left out."""
        self.rows, self.bad, self._numbers, self.skipped = [], {}, [], skip
        self._delimiter, self._quote, self._marker = delimiter, quote, marker
        d, q = re.escape(delimiter), re.escape(quote)
        self._field = re.compile(rf"[ \t]*{q}([^{q}]*(?:{q}{q}[^{q}]*)*){q}[ \t]*({d}|\n)|([^{q}{d}\n]*)({d}|\n)|(.)",
                                 re.S)
        lines = text.split("\n")
        if lines and not lines[-1]:
            lines.pop()
        if "\r" in text:
            lines = self._without_returns(lines)
        if quote not in text and not blank_lines:
            self.rows = [line.split(delimiter) for line in lines[skip:]]
            self.lines = lines[skip:]
        else:
            self._read(lines, skip, blank_lines)
        self._check_lines()

    def _without_returns(self, lines):
        """A return before a newline belongs to it; one outside quotes ends a line too."""
        done, inside = [], False
        for line in lines:
            inside ^= line.count(self._quote) % 2 == 1
            if not inside:
                line = line.removesuffix("\r")
            done += line.split("\r") if self._quote not in line and not inside else [line]
        return done

    def _read(self, lines, skip, blank_lines):
        self.lines, quote, delimiter, at = [], self._quote, self._delimiter, skip
        rows, numbers = self.rows, self._numbers
        while at < len(lines):
            line, begin = lines[at], at
            at += 1
            if quote not in line:
                if not line and blank_lines:
                    continue
                rows.append(line.split(delimiter))
            else:
                if line.count(quote) % 2:
                    parts = [line]
                    while at < len(lines):
                        parts.append(lines[at])
                        at += 1
                        if parts[-1].count(quote) % 2:
                            break
                    line = "\n".join(parts)
                rows.append(self._fields(line, len(rows)))
            self.lines.append(line)
            numbers.append(begin + 1)

    def _fields(self, line, row):
        values, quote = [], self._quote
        for inside, after, plain, plain_after, bad in self._field.findall(line + "\n"):
            if plain_after:
                values.append(plain)
            elif after:
                value = inside.replace(quote * 2, quote)
                values.append(QuotedMarker(value) if value == self._marker else value)
            elif bad:
                self.bad[row] = LoadError(1214, "Invalid quote formatting for CSV", row=row, rule=16)
                return []
        return values

    def _check_lines(self):
        """Lines that are too long or empty, and bytes that no row may hold."""
        for row, line in enumerate(self.lines):
            if len(line) * 4 > ROW_BYTES and len(line.encode("utf-8", "surrogateescape")) > ROW_BYTES:
                self.bad[row] = LoadError(1216, "Input line is not valid: longer than 4 MB", row=row, rule=22)
            elif not line:
                self.bad[row] = LoadError(1211, "Line is empty", row=row, rule=18)

    def line_number(self, row):
        return self._numbers[row] if self._numbers else row + 1 + self.skipped
