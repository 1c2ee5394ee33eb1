# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A table as CSV that no spreadsheet executes.

RFC 4180, and texts are made inert. Numbers of ours are numbers: a minus before digits is no formula.
"""

from __future__ import annotations

import csv
import io

from appliance.monitor.reports.page import Cell, Table
from appliance.spreadsheet import inert


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
    return inert(cell) if isinstance(cell, str) else cell
