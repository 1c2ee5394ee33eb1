# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""One shot: what is found below folders, what each file becomes, and that no file stops the others."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from appliance.clock import SystemClock
from appliance.config import Settings
from appliance.layout import Layout
from appliance.models.registry import Registry
from appliance.processes.oneshot import files_below, process_files
from tests.tiny_bundles import build, trusted

NAME_LENGTH = 250


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    build(folder / "unchanged", factor=1.0)
    return folder


def answers(paths: tuple[Path, ...], out: Path, models: Path, proofs: Path) -> list[dict[str, Any]]:
    with Registry((models,), engines=("ort",), threads=1, cache=proofs, trust=trusted()) as registry:
        return list(
            process_files(
                files_below(paths),
                settings=Settings(),
                out=Layout(data=out),
                registry=registry,
                clock=SystemClock(),
                progress=lambda *_: None,
            )
        )


def test_everything_below_a_folder_is_found_once_in_order_and_no_link_is_followed(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "in", tmp_path / "elsewhere"
    for path in (folder / "b" / "2", folder / "a" / "1", folder / "z", elsewhere / "secret"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (folder / "link").symlink_to(elsewhere)
    (folder / "loop").symlink_to(folder)
    expected = [folder / "link", folder / "loop", folder / "z", folder / "a" / "1", folder / "b" / "2"]
    assert files_below((folder,)) == expected
    assert files_below((folder,), but=(folder,)) == expected  # only what lies below
    assert files_below((tmp_path,), but=(folder,)) == [elsewhere / "secret"]
    assert files_below((folder, folder / "z", tmp_path / "none")) == [*expected, tmp_path / "none"]


def test_a_folder_that_cannot_be_listed_is_named(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_DIRECTORY)
    for _ in range(20):  # deeper than any path may be long
        os.mkdir("x" * NAME_LENGTH, dir_fd=here)
        inner = os.open("x" * NAME_LENGTH, os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    (found,) = files_below((tmp_path,))
    assert found.name == "x" * NAME_LENGTH


def test_a_name_that_is_too_long_is_a_name_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / ("y" * 5000)
    assert files_below((path,)) == [path]


def test_good_and_bad_files_get_one_line_each(
    tmp_path: Path, models: Path, proofs: Path, chest_file: Path, ct_files: tuple[Path, ...]
) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    shutil.copytree(ct_files[0].parent, folder / "ct")
    shutil.copyfile(chest_file, folder / "chest.dcm")
    shutil.copyfile(chest_file, folder / "chest_again.dcm")
    content = chest_file.read_bytes()
    (folder / "cut.dcm").write_bytes(content[: len(content) // 2])
    (folder / "letter.txt").write_text("Dear colleague")
    (folder / "empty").touch()
    os.mkfifo(folder / "pipe")
    (folder / "link").symlink_to(chest_file)
    before = {path: path.lstat().st_mtime_ns for path in folder.rglob("*")}
    lines = answers((folder, tmp_path / "missing"), out, models, proofs)
    by_name = {Path(line["files"][0]).name: line for line in lines}
    assert len(lines) == len(by_name) == 9
    said = {name: (line["status"], line["reason"]) for name, line in by_name.items() if not line["kind"]}
    assert {name: status for name, (status, _) in said.items()} == {
        "chest_again.dcm": "ignored",
        "cut.dcm": "quarantined",
        "letter.txt": "quarantined",
        "empty": "quarantined",
        "pipe": "quarantined",
        "link": "quarantined",
        "missing": "quarantined",
    }
    assert all(reason for _, reason in said.values())
    assert "a link" in said["link"][1]
    assert "not there" in said["missing"][1]
    chest, series = by_name["chest.dcm"], next(line for line in lines if line["kind"] == "volume")
    assert chest["status"] == series["status"] == "done"
    assert {Path(path).name for path in chest["outputs"]} == {
        "report-quality.dcm",
        "summary-quality.dcm",
        "report-triage.dcm",
    }
    assert len(series["files"]) == len(series["derived"]) == len(ct_files)
    assert not set(series["derived"]) & set(series["outputs"])
    for path in (*chest["outputs"], *series["derived"], *series["outputs"]):
        assert Path(path).is_relative_to(out)
        assert dcmread(path).StudyInstanceUID
    assert {path: path.lstat().st_mtime_ns for path in folder.rglob("*")} == before
    assert {path.name for path in tmp_path.iterdir()} == {"in", "out"}


def test_an_engine_that_fails_fails_its_lane_only(
    tmp_path: Path, proofs: Path, ct_files: tuple[Path, ...], chest_file: Path
) -> None:
    build(tmp_path / "models" / "halving")
    files = (ct_files[0].parent, chest_file)
    lines = answers(files, tmp_path / "out", tmp_path / "models", proofs)
    series = next(line for line in lines if line["kind"] == "volume")
    assert series["status"] == "failed"
    assert "shifted the CT numbers" in series["reason"]
    assert series["quality"]
    assert series["derived"] == []
    assert [line["status"] for line in lines if line is not series] == ["done"]


def test_an_original_that_goes_away_before_its_report_is_told_and_the_next_is_answered(
    tmp_path: Path, models: Path, proofs: Path, chest_file: Path, ct_files: tuple[Path, ...]
) -> None:
    gone = tmp_path / "gone.dcm"
    shutil.copyfile(chest_file, gone)
    with Registry((models,), engines=("ort",), threads=1, cache=proofs, trust=trusted()) as registry:
        lines = process_files(
            files_below((gone, ct_files[0].parent)),
            settings=Settings(),
            out=Layout(data=tmp_path / "out"),
            registry=registry,
            clock=SystemClock(),
            progress=lambda phase, done, _: gone.unlink() if (phase, done) == ("answering", 0) else None,
        )
        statuses = [line["status"] for line in lines]
    assert statuses == ["quarantined", "done"]
