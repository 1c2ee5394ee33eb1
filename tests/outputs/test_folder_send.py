# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Copies in a folder: whole, once, and never on the disk below a share that is away."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from appliance.config import Settings
from appliance.errors import DeliveryError
from appliance.outputs.folder_send import destination, echo
from appliance.receivers import FolderSettings


@pytest.fixture
def original(tmp_path: Path) -> Path:
    path = tmp_path / "a1-v1" / "report-quality.dcm"
    path.parent.mkdir()
    path.write_bytes(b"a report")
    return path


def settings(folder: Path, mount_point: Path | None = None) -> FolderSettings:
    return FolderSettings(name="share", folder=folder, mount_point=mount_point)


def deliver(original: Path, known: FolderSettings) -> None:
    destination(known, Settings()).deliver(original)


def test_a_copy_is_whole_and_there_once(original: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    deliver(original, settings(folder))
    (copy,) = folder.iterdir()
    assert (copy.name, copy.read_bytes()) == ("a1-v1-report-quality.dcm", b"a report")
    written_ns = copy.stat().st_mtime_ns
    deliver(original, settings(folder))
    assert [path.stat().st_mtime_ns for path in folder.iterdir()] == [written_ns]


def test_reports_of_two_exams_do_not_meet(original: Path, tmp_path: Path) -> None:
    folder, other = tmp_path / "out", tmp_path / "a2-v1" / original.name
    folder.mkdir()
    other.parent.mkdir()
    other.write_bytes(b"another report")
    for path in (original, other):
        deliver(path, settings(folder))
    assert {path.read_bytes() for path in folder.iterdir()} == {b"a report", b"another report"}


def test_half_a_copy_of_an_interrupted_run_is_made_whole(original: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "a1-v1-report-quality.dcm.part").write_bytes(b"a r")
    (folder / "a1-v1-report-quality.dcm").write_bytes(b"a r")
    deliver(original, settings(folder))
    assert [path.read_bytes() for path in folder.iterdir()] == [b"a report"]


def test_a_share_that_is_away_is_worth_waiting_for_and_no_folder_is_made(
    original: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "mnt" / "pacs"
    with pytest.raises(DeliveryError, match="there is no folder") as error:
        deliver(original, settings(folder))
    assert not error.value.permanent
    assert not folder.exists()
    folder.mkdir(parents=True)
    with pytest.raises(DeliveryError, match="nothing is mounted at") as error:
        deliver(original, settings(folder, mount_point=folder.parent))
    assert not error.value.permanent
    assert list(folder.iterdir()) == []


def test_a_share_that_is_there_is_written(original: Path) -> None:
    mounted = Path("/dev/shm")
    if not mounted.is_mount():
        pytest.skip("nothing is mounted at /dev/shm")
    folder = mounted / f"scanside-test-{os.getpid()}"
    folder.mkdir()
    try:
        deliver(original, settings(folder, mount_point=mounted))
        assert [path.read_bytes() for path in folder.iterdir()] == [b"a report"]
    finally:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


def test_a_folder_that_cannot_be_written_is_said(original: Path, tmp_path: Path) -> None:
    taken = tmp_path / "out" / "a1-v1-report-quality.dcm.part"
    taken.mkdir(parents=True)
    with pytest.raises(DeliveryError, match=r"out cannot be written \(Is a directory\)") as error:
        deliver(original, settings(tmp_path / "out"))
    assert not error.value.this_file_only


def test_an_original_that_is_gone_is_only_this_file(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match=r"gone\.dcm cannot be read") as error:
        deliver(tmp_path / "gone.dcm", settings(tmp_path))
    assert error.value.this_file_only


def test_doctor_writes_nothing_that_stays(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    assert "can be written" in echo(settings(folder), Settings())
    assert list(folder.iterdir()) == []
    with pytest.raises(DeliveryError, match="there is no folder"):
        echo(settings(tmp_path / "away"), Settings())
