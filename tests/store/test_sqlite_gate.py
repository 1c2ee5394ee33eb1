# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The store is not opened with a SQLite that can damage it."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from appliance.clock import ManualClock
from appliance.errors import StoreError
from appliance.store.connection import OLDEST_SQLITE, Database


def test_the_library_of_this_build_is_new_enough() -> None:
    assert tuple(int(part) for part in apsw.sqlite_lib_version().split(".")) >= OLDEST_SQLITE == (3, 51, 3)


# Trace: REQ-012
@pytest.mark.parametrize("version", ["3.40.1", "3.51.2", "3.7.0"])
def test_an_older_library_is_refused_before_the_file_is_touched(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: version)
    file = tmp_path / "scanside.sqlite"
    for opening in (Database.open, Database.open_to_read):
        with pytest.raises(StoreError, match=version) as caught:
            opening(file, data=tmp_path, clock=ManualClock())
        assert "3.51.3" in caught.value.remedy
    assert not file.exists()


def test_the_first_safe_one_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: "3.51.3")
    Database.open(tmp_path / "scanside.sqlite", data=tmp_path, clock=ManualClock()).close()
