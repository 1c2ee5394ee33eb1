# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A file is whole or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.durable import write_durably


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
