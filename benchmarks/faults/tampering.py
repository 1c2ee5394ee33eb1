# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Eighteen ways to meddle with an audit trail: from a changed letter to a new trail with a stolen key."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import apsw

from appliance.clock import ManualClock
from appliance.device_key import audit_key_of, device_key
from appliance.domain.audit import AuditEvent, AuditHead, AuditKind
from appliance.layout import Layout
from appliance.store.anchors import append_anchor
from appliance.store.audit import BEFORE_THE_FIRST, hash_of, note_alone, seal_of
from appliance.store.connection import Database

ROWS_BETWEEN_OUTSIDE_ANCHORS: Final = 40
SEED: Final = 20260


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A data folder with its medium, and an older copy of the data folder."""

    data: Path
    medium: Path
    older: Path

    def copied_to(self, folder: Path) -> Scene:
        """A fresh copy."""
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("data", "medium", "older"):
            shutil.copytree(getattr(self, name), folder / name)
        return Scene(data=folder / "data", medium=folder / "medium", older=folder / "older")


class _Hand:
    """The hand that meddles: the database opened as anybody could, and the device's key if it is stolen."""

    def __init__(self, scene: Scene, chance: random.Random) -> None:
        self.scene = scene
        self.chance = chance
        self.layout = Layout(data=scene.data)
        self.sql: Any = apsw.Connection(str(self.layout.database))
        counted: Any = self.sql.execute("SELECT count(*) FROM audit").fetchall()
        self.count = int(counted[0][0])
        self.row = chance.randint(1, self.count)

    def rows(self) -> list[tuple[int, str, str, str]]:
        rows: list[tuple[int, str, str, str]] = self.sql.execute(
            "SELECT number, record, hash, seal FROM audit ORDER BY number"
        ).fetchall()
        return rows

    def put(self, rows: list[tuple[int, str, str, str]]) -> None:
        self.sql.execute("BEGIN; DELETE FROM audit").fetchall()
        self.sql.executemany("INSERT INTO audit VALUES (?, ?, ?, ?)", rows)
        self.sql.execute("COMMIT").fetchall()

    def changed(self, record: str) -> str:
        """One character is another one."""
        place = self.chance.randrange(len(record))
        other = self.chance.choice([c for c in "0123456789abcdefXYZ" if c != record[place]])
        return record[:place] + other + record[place + 1 :]

    def chained(self, records: list[str], *, key: bytes | None) -> list[tuple[int, str, str, str]]:
        """Rows whose hashes are right; seals too, for who has the key."""
        before, rows = BEFORE_THE_FIRST, []
        for number, record in enumerate(records, start=1):
            before = hash_of(before, number, record)
            rows.append((number, record, before, seal_of(key or b"a guess", before)))
        return rows

    def forget_anchors(self, last: int) -> None:
        """Anchors beside the store that name a later row than `last`."""
        for file in self.layout.audit.iterdir():
            lines = file.read_text(encoding="ascii").splitlines(keepends=True)
            file.write_text("".join(line for line in lines if int(line.split()[0]) <= last), encoding="ascii")

    def stolen_key(self) -> bytes:
        return audit_key_of(device_key(self.layout.keys))


def _edit_record(hand: _Hand) -> None:
    record = hand.rows()[hand.row - 1][1]
    hand.sql.execute("UPDATE audit SET record = ? WHERE number = ?", (hand.changed(record), hand.row))


def _edit_hash(hand: _Hand) -> None:
    row_hash = hand.rows()[hand.row - 1][2]
    hand.sql.execute("UPDATE audit SET hash = ? WHERE number = ?", (hand.changed(row_hash), hand.row))


def _edit_seal(hand: _Hand) -> None:
    seal = hand.rows()[hand.row - 1][3]
    hand.sql.execute("UPDATE audit SET seal = ? WHERE number = ?", (hand.changed(seal), hand.row))


def _edit_and_hash_again(hand: _Hand) -> None:
    records = [row[1] for row in hand.rows()]
    records[hand.row - 1] = hand.changed(records[hand.row - 1])
    chained, rows = hand.chained(records, key=None), hand.rows()
    hand.put([(n, r, h, rows[n - 1][3]) for n, r, h, _ in chained])


def _delete_one(hand: _Hand) -> None:
    hand.sql.execute("DELETE FROM audit WHERE number = ?", (hand.row,))


def _delete_and_renumber(hand: _Hand) -> None:
    rows = hand.rows()
    del rows[hand.row - 1 : hand.row - 1 + hand.chance.randint(1, 5)]
    hand.put([(n, r, h, s) for n, (_, r, h, s) in enumerate(rows, start=1)])


def _delete_and_chain_again(hand: _Hand) -> None:
    records = [row[1] for row in hand.rows()]
    del records[hand.row - 1]
    hand.put(hand.chained(records, key=None))


def _insert(hand: _Hand) -> None:
    rows = hand.rows()
    rows.insert(hand.row - 1, hand.chance.choice(rows))
    hand.put([(n, r, h, s) for n, (_, r, h, s) in enumerate(rows, start=1)])


def _append_invented(hand: _Hand) -> None:
    rows = hand.rows()
    row_hash = hash_of(rows[-1][2], len(rows) + 1, rows[-1][1])
    hand.put([*rows, (len(rows) + 1, rows[-1][1], row_hash, seal_of(b"a guess", row_hash))])


def _swap(hand: _Hand) -> None:
    rows = hand.rows()
    one, other = hand.chance.sample(range(len(rows)), 2)
    rows[one], rows[other] = rows[other], rows[one]
    hand.put([(n, r, h, s) for n, (_, r, h, s) in enumerate(rows, start=1)])


def _cut_tail(hand: _Hand) -> None:
    hand.sql.execute("DELETE FROM audit WHERE number > ?", (hand.count - hand.chance.randint(1, hand.count),))


def _cut_last_row(hand: _Hand) -> None:
    hand.sql.execute("DELETE FROM audit WHERE number = ?", (hand.count,))


def _cut_tail_and_anchors(hand: _Hand) -> None:
    last = hand.chance.randint(0, hand.count - 1)
    hand.sql.execute("DELETE FROM audit WHERE number > ?", (last,))
    hand.forget_anchors(last)


def _empty(hand: _Hand) -> None:
    hand.sql.execute("DELETE FROM audit")


def _replace_store(hand: _Hand) -> None:
    hand.sql.close()
    for file in hand.layout.database.parent.iterdir():
        file.unlink()
    with Database.open(hand.layout.database, data=hand.scene.data, clock=ManualClock()) as database:
        for _ in range(hand.chance.randint(0, 5)):
            note_alone(database, AuditEvent(kind=AuditKind.STARTED, who="watcher"))


def _replace_everything_with_an_older_copy(hand: _Hand) -> None:
    hand.sql.close()
    shutil.rmtree(hand.scene.data)
    shutil.copytree(hand.scene.older, hand.scene.data)


def _rewrite_with_the_stolen_key(hand: _Hand) -> None:
    """All of it, anchors beside the store included: only the medium knows better."""
    records = [row[1] for row in hand.rows()]
    last_anchored = hand.count // ROWS_BETWEEN_OUTSIDE_ANCHORS * ROWS_BETWEEN_OUTSIDE_ANCHORS
    row = hand.chance.randint(1, last_anchored)
    records[row - 1] = hand.changed(records[row - 1])
    rows = hand.chained(records, key=hand.stolen_key())
    hand.put(rows)
    hand.forget_anchors(row - 1)
    for number, record, row_hash, _ in rows[row - 1 :]:
        head = AuditHead(count=number, hash=row_hash, at_utc=record[11:20].replace(" ", "_"))
        append_anchor(hand.scene.data, hand.stolen_key(), head)


def _another_key(hand: _Hand) -> None:
    hand.sql.close()
    shutil.rmtree(hand.layout.keys)
    device_key(hand.layout.keys)


WAYS: Final[tuple[Callable[[_Hand], None], ...]] = (
    _edit_record,
    _edit_hash,
    _edit_seal,
    _edit_and_hash_again,
    _delete_one,
    _delete_and_renumber,
    _delete_and_chain_again,
    _insert,
    _append_invented,
    _swap,
    _cut_tail,
    _cut_last_row,
    _cut_tail_and_anchors,
    _empty,
    _replace_store,
    _replace_everything_with_an_older_copy,
    _rewrite_with_the_stolen_key,
    _another_key,
)


def meddle(scene: Scene, number: int) -> str:
    """Tampering `number`; the same each time. Returns the name of its way."""
    way = WAYS[number % len(WAYS)]
    hand = _Hand(scene, random.Random(SEED + number))  # noqa: S311  (the same each time)
    way(hand)
    with suppress(apsw.Error):
        hand.sql.close()
    return way.__name__.strip("_")
