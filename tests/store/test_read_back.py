# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What the store reads back, and what it does not take for a lie of the disk."""

from __future__ import annotations

from pathlib import Path

import apsw

from appliance.store.opening import open_for_writing


def test_a_page_that_another_process_wrote_anew_is_no_lie(tmp_path: Path) -> None:
    """A reader holds a checkpoint up, another process ends it with newer pages, then ours ends."""
    file = tmp_path / "store.sqlite"
    ours = open_for_writing(file, create=True).connection
    for statement in (
        "CREATE TABLE t (x)",
        "CREATE TABLE u (x)",
        "INSERT INTO t VALUES (1)",
        "PRAGMA wal_checkpoint(TRUNCATE)",
        "UPDATE t SET x = 2",
    ):
        ours.execute(statement).fetchall()
    reader = apsw.Connection(str(file))
    reader.execute("BEGIN").fetchall()
    reader.execute("SELECT * FROM t").fetchall()
    ours.execute("INSERT INTO u VALUES (3)").fetchall()
    _, in_log, moved = ours.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()[0]
    assert moved < in_log, "it was held up"
    reader.close()
    other = apsw.Connection(str(file))
    other.execute("UPDATE t SET x = 99").fetchall()
    other.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
    other.close()
    ours.execute("INSERT INTO u VALUES (4)").fetchall()
    assert ours.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()[0][0] == 0
    assert ours.execute("SELECT x FROM t").fetchall() == [(99,)]
    ours.close()
