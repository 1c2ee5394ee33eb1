# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a device keeps what it acknowledged: read from its disk with nothing of the product but names."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
import numpy as np

from appliance.layout import Layout
from benchmarks.faults.line_driver import Order

LANES = 3


@dataclass(slots=True, kw_only=True)
class Findings:
    """What is not as it was acknowledged, one sentence each, and what was looked at."""

    acknowledged: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)
    corrupt: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    """Not done although the line has run to its end."""
    doubled: list[str] = field(default_factory=list)

    @property
    def all(self) -> list[str]:
        """Every sentence."""
        return [
            f"{kind}: {words}"
            for kind in ("lost", "torn", "corrupt", "open", "doubled")
            for words in getattr(self, kind)
        ]


def audit(order: Order, *, finished: bool) -> Findings:
    """Compare the disk with what was acknowledged. `finished`: everything must be done by now, too."""
    found = Findings()
    layout = Layout(data=order.data)
    said = _acknowledged(order)
    found.acknowledged.update(next(iter(line)) for line in said)
    if not layout.database.exists():
        found.lost += ["the store itself"] if said else []
        return found
    store = apsw.Connection(str(layout.database))
    try:
        words = [str(row[0]) for row in store.execute("PRAGMA integrity_check").fetchall()]
        found.corrupt += [] if words == ["ok"] else words
        for line in said:
            _kept(line, store, layout, found)
        if finished:
            _finished(store, layout, order, found)
    except apsw.Error as error:
        found.corrupt.append(str(error))
    finally:
        store.close(force=True)
    return found


def _acknowledged(order: Order) -> list[dict[str, Any]]:
    if not order.acknowledged.exists():
        return []
    lines = order.acknowledged.read_text(encoding="ascii").splitlines()
    return [json.loads(line) for line in lines]


def _kept(line: dict[str, Any], store: apsw.Connection, layout: Layout, found: Findings) -> None:
    (kind, what), *more = line.items()
    if kind == "landed":
        rows = store.execute("SELECT path FROM file WHERE sha256 = ?", (what,)).fetchall()
        if not rows:
            found.lost.append(f"landed {what}")
        else:
            _whole(layout.data / str(rows[0][0]), str(what), found)
    elif kind == "answered":
        values = tuple(what)
        sql = "SELECT 1 FROM result WHERE acquisition_id = ? AND version = ? AND lane = ?"
        if not store.execute(sql, values).fetchall():
            found.lost.append(f"answered {what}")
        elif values[2] == "quality":
            _view(layout.view_of(values[0], values[1]), found)
    else:
        if not store.execute("SELECT 1 FROM outbox WHERE outbox_id = ? AND done = 1", (what,)).fetchall():
            found.lost.append(f"{kind} {what}")
        for _, files in more:
            for path, sha256 in files.items():
                _whole(layout.data / path, sha256, found)


def _whole(path: Path, sha256: str, found: Findings) -> None:
    try:
        if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            found.torn.append(path.name)
    except FileNotFoundError:
        found.lost.append(path.name)
    except OSError as error:
        found.torn.append(f"{path.name}: {error}")


def _view(folder: Path, found: Findings) -> None:
    """The picture that is shown with the verdict."""
    try:
        view = json.loads((folder / "view.json").read_text(encoding="utf-8"))
        for name in (view["array"], view["table"]):
            if not np.load(folder / name, allow_pickle=False).any():
                found.torn.append(f"{folder.name}/{name}")
    except FileNotFoundError as error:
        found.lost.append(str(error.filename))
    except (OSError, ValueError, EOFError, KeyError) as error:
        found.torn.append(f"{folder.name}: {error}")


def _finished(store: apsw.Connection, layout: Layout, order: Order, found: Findings) -> None:
    files: list[Any] = store.execute("SELECT sha256, path, status FROM file").fetchall()
    for sha256, path, status in files:
        _whole(layout.data / path, sha256, found)
        if status != "accepted":
            found.lost.append(f"{sha256} is {status}")
    sources = [hashlib.sha256(file.read_bytes()).hexdigest() for file in _files(layout.inbox)]
    known = {row[0] for row in store.execute("SELECT sha256 FROM file").fetchall()}
    found.open += [f"never landed: {sha256}" for sha256 in sources if sha256 not in known]
    found.open += [
        f"job {row}" for row in store.execute("SELECT * FROM job WHERE state != 'done'").fetchall()
    ]
    sql = "SELECT * FROM outbox WHERE done = 0 AND step != 'render'"
    if order.most_renders < 0:
        sql = "SELECT * FROM outbox WHERE done = 0"
    found.open += [f"outbox {row}" for row in store.execute(sql).fetchall()]
    answers = store.execute("SELECT acquisition_id, count(*) FROM result GROUP BY 1").fetchall()
    found.open += [f"{name} has {count} answers" for name, count in answers if count != LANES]
    if len(answers) != len(known):
        found.doubled.append(f"{len(answers)} acquisitions of {len(known)} files")
    found.open += [f"left over: {path.name}" for path in layout.spool.rglob("*.part")]
    contents: dict[str, set[str]] = {}
    for line in (order.received / "log").read_text(encoding="ascii").splitlines():
        name, sha256 = line.split()
        contents.setdefault(name, set()).add(sha256)
    found.doubled += [f"{name} left in {len(them)} forms" for name, them in contents.items() if len(them) > 1]
    sends: list[Any] = store.execute("SELECT path FROM outbox WHERE step = 'send'").fetchall()
    for (path,) in sends:
        name = f"{Path(path).parent.name}--{Path(path).name}"
        sha256 = hashlib.sha256((layout.data / path).read_bytes()).hexdigest()
        if contents.get(name) != {sha256}:
            found.torn.append(f"the receiver has another {name}")


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if path.is_file())
