"""A terminal that shows what is written to it, as far as a panel takes one."""

import io
import re

TOKEN = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)")


class Terminal(io.StringIO):
    """A stream that says that it is a terminal, and knows its lines and its cursor."""

    encoding = "utf-8"

    def isatty(self):
        return True

    @property
    def has_cursor(self):
        return self.getvalue().rfind("\x1b[?25h") >= self.getvalue().rfind("\x1b[?25l")

    @property
    def lines(self):
        """What is on it, from the first line on."""
        lines, row, column = [""], 0, 0
        found = list(TOKEN.finditer(self.getvalue()))
        assert "".join(token[0] for token in found) == self.getvalue()
        for token in found:
            number, letter, end, text = token.groups()
            if letter == "A":
                row -= int(number or 1)
            elif letter == "K":
                lines[row] = ""
            elif letter:
                assert letter in "hlm", token[0]  # the cursor, and colours
            elif end == "\r":
                column = 0
            elif end == "\n":
                row, column = row + 1, 0
                lines += [""] * (row == len(lines))
            else:
                before = lines[row].ljust(column)
                lines[row] = before[:column] + text + before[column + len(text) :]
                column += len(text)
            assert row >= 0
        return [line.rstrip() for line in lines]
