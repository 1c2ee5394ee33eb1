# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What was dealt with is remembered by name, size, time and inode; what is gone is forgotten."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from appliance.store.connection import Database
from appliance.store.settled import SettledFile, SettledFiles


def settled(path: Path) -> SettledFile:
    path.write_bytes(b"1")
    status = path.stat()
    return SettledFile(path=path, size_bytes=status.st_size, mtime_ns=status.st_mtime_ns, inode=status.st_ino)


def test_names_of_any_bytes_come_back_as_they_were(database: Database, tmp_path: Path) -> None:
    files = [settled(tmp_path / "a.dcm"), settled(tmp_path / os.fsdecode(b"\xff\xfe.dcm"))]
    SettledFiles(database).change(remember=files)
    assert sorted(SettledFiles(database).every(), key=lambda file: file.path) == files


def test_the_newest_look_counts(database: Database, tmp_path: Path) -> None:
    file = settled(tmp_path / "a.dcm")
    memory = SettledFiles(database)
    memory.change(remember=[file])
    memory.change(remember=[replace(file, size_bytes=2)])
    assert [one.size_bytes for one in memory.every()] == [2]


def test_a_file_that_is_gone_is_forgotten(database: Database, tmp_path: Path) -> None:
    memory = SettledFiles(database)
    memory.change(remember=[settled(tmp_path / "a.dcm"), settled(tmp_path / "b.dcm")])
    memory.change(forget=[tmp_path / "a.dcm", tmp_path / "never.dcm"])
    assert [one.path.name for one in memory.every()] == ["b.dcm"]
