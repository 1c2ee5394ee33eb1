# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A table as CSV that no spreadsheet executes.

OWASP ASVS 5.0, 1.2.10 (CWE-1236): RFC 4180, and a text that begins with a sign of a formula gets a single
quote before it. Numbers of ours are numbers: a minus before digits is no formula.
"""

from __future__ import annotations

import csv
import io
from typing import Final

from appliance.monitor.reports.page import Cell, Table

DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""And the wide forms that some spreadsheets take for the same signs."""


def csv_of(table: Table) -> bytes:
    """UTF-8 with the mark that spreadsheets want, lines ended as in RFC 4180."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([defused(column.name) for column in table.columns])
    for row in table.rows:
        writer.writerow([defused(cell) for cell in row])
    return out.getvalue().encode("utf-8-sig")


def defused(cell: Cell) -> Cell:
    """The cell as it may stand in a file; empty for what is not known."""
    if cell is None:
        return ""
    if not isinstance(cell, str):
        return cell
    return f"'{cell}" if cell.startswith(DANGEROUS) or cell.lstrip().startswith(DANGEROUS) else cell
