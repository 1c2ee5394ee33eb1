# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A file is whole or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.durable import WholeFile, make_folder, write_durably


def test_the_content_arrives_and_replaces_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    for content in (b"first", b"second, longer", b""):
        write_durably(path, content)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    write_durably(path, b"old")
    (tmp_path / "a.dcm.part").mkdir()  # nobody can write there
    with pytest.raises(OSError, match="directory"):
        write_durably(path, b"new")
    assert path.read_bytes() == b"old"


def test_what_the_disk_does_not_give_back_gets_no_name(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    write_durably(path, b"old")
    with pytest.raises(OSError, match="other bytes"), WholeFile(path) as file:  # noqa: PT012
        file.write(b"new, and long enough")
        part = next(tmp_path.glob("*.part"))
        file._file.flush()
        part.write_bytes(b"new, and not what was")  # the card's own idea
        file.finish()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_not_finished_leaves_nothing(tmp_path: Path) -> None:
    with WholeFile(tmp_path / "a.dcm") as file:
        file.write(b"half")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_made_with_those_above_it(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
