# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What is kept is read only under exactly its key, and only whole."""

from __future__ import annotations

import os
from dataclasses import fields, replace
from pathlib import Path

import pytest

from appliance.engines.nvidia.plan_cache import PlanCache, PlanKey

KEY = PlanKey(
    model_sha256="0" * 64,
    engine="tensorrt",
    version="10.3.0",
    device="Card A (compute capability 8.6, driver 13.0)",
    precision="int8",
    options="strongly typed",
)


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def test_what_was_kept_is_read(tmp_path: Path) -> None:
    cache = PlanCache(tmp_path / "engines")
    assert cache.read("plan", KEY) is None
    cache.keep("plan", KEY, b"code")
    assert PlanCache(tmp_path / "engines").read("plan", KEY) == b"code"
    assert cache.read("timings", KEY) is None
    cache.keep("plan", KEY, b"newer")
    assert cache.read("plan", KEY) == b"newer"
    assert len(files(tmp_path / "engines")) == 2
    cache.forget("plan", KEY)
    assert files(tmp_path / "engines") == []


@pytest.mark.parametrize("field", [field.name for field in fields(PlanKey)])
def test_another_key_is_another_plan(tmp_path: Path, field: str) -> None:
    cache = PlanCache(tmp_path)
    cache.keep("plan", KEY, b"code")
    assert cache.read("plan", replace(KEY, **{field: "other"})) is None
    assert cache.read("plan", KEY) == b"code"


@pytest.mark.parametrize("content", [b"", b"cod", b"codE", b"code "])
def test_damaged_bytes_are_thrown_away(tmp_path: Path, content: bytes) -> None:
    cache = PlanCache(tmp_path)
    cache.keep("plan", KEY, b"code")
    binary, _ = files(tmp_path)
    binary.write_bytes(content)
    assert cache.read("plan", KEY) is None
    assert files(tmp_path) == []


@pytest.mark.parametrize("text", ["", "{}", "[]", "not json", '{"kind": "plan"}'])
def test_without_its_label_a_plan_is_nothing(tmp_path: Path, text: str) -> None:
    cache = PlanCache(tmp_path)
    cache.keep("plan", KEY, b"code")
    _, label = files(tmp_path)
    label.write_text(text, encoding="utf-8")
    assert cache.read("plan", KEY) is None
    label.unlink()
    assert cache.read("plan", KEY) is None


def test_a_plan_that_was_renamed_to_another_key_is_foreign(tmp_path: Path) -> None:
    """Somebody copies the folder of another device and renames the files so that they fit."""
    other = replace(KEY, device="Card B (compute capability 8.9, driver 13.0)")
    theirs, ours = PlanCache(tmp_path / "theirs"), PlanCache(tmp_path / "ours")
    theirs.keep("plan", other, b"foreign")
    ours.keep("plan", KEY, b"ours")
    for foreign, own in zip(files(tmp_path / "theirs"), files(tmp_path / "ours"), strict=True):
        foreign.replace(own)
    assert ours.read("plan", KEY) is None


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = PlanCache(tmp_path / "file")
    cache.keep("plan", KEY, b"code")
    assert cache.read("plan", KEY) is None
    nowhere = PlanCache(None)
    nowhere.keep("plan", KEY, b"code")
    nowhere.forget("plan", KEY)
    assert nowhere.read("plan", KEY) is None


def test_the_label_is_written_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut between the two writes leaves bytes that nothing vouches for."""
    cache = PlanCache(tmp_path)
    cache.keep("plan", KEY, b"old")
    replaced = Path.replace

    def cut(self: Path, target: str | os.PathLike[str]) -> Path:
        if str(target).endswith(".json"):
            raise OSError("power cut")
        return replaced(self, target)

    monkeypatch.setattr(Path, "replace", cut)
    cache.keep("plan", KEY, b"new")
    assert cache.read("plan", KEY) is None
