# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What is taken in from an export, what stays outside, and what the recipe measured is kept."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from appliance.models.bundle import read_unsigned
from appliance.models.registry import shipped_models

pytest.importorskip("tomli_w", reason="the workshop is not installed (make setup-export)")
from export.card_file import card_toml, read_card
from export.reference.adopt import adopt


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """As the workshop leaves one: variants, its own gate, a report with films in it."""
    folder = tmp_path / "exported"
    shutil.copytree(shipped_models() / "radiograph_view", folder)
    (folder / "SIGNATURE").unlink()
    (folder / "gate.json").write_text(json.dumps({"variants": {"int8": {"passed": True}}}), encoding="utf-8")
    (folder / "report.html").write_text("films of people", encoding="utf-8")
    return folder


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """As a recipe leaves one: float32 only."""
    folder = tmp_path / "shipped"
    shutil.copytree(shipped_models() / "radiograph_view", folder)
    for variant in ("model.int8.onnx", "model.fp16.onnx"):
        (folder / variant).unlink()
    (folder / "gate.json").write_text('{"part": "what the recipe measured"}', encoding="utf-8")
    return folder


def test_variants_and_their_gate_come_in_and_what_the_recipe_measured_stays(
    exported: Path, shipped: Path
) -> None:
    before = read_card(shipped / "card.toml")
    adopt(exported, shipped, version="9.9.9")
    bundle = read_unsigned(shipped)
    assert set(bundle.model_sha256) == {"fp32", "int8", "fp16"}
    assert (bundle.card.version, bundle.card.release) == ("9.9.9", before.release + 1)
    gate = json.loads((shipped / "gate.json").read_text(encoding="utf-8"))
    assert gate == {"part": "what the recipe measured", "variants": {"int8": {"passed": True}}}
    assert not (shipped / "report.html").exists(), "it shows films"
    assert not (shipped / "SIGNATURE").exists(), "what was changed has to be signed anew"


def test_without_a_new_version_the_release_stays(exported: Path, shipped: Path) -> None:
    card = read_card(exported / "card.toml")
    (exported / "card.toml").write_text(card_toml(card), encoding="utf-8")
    adopt(exported, shipped, version=None)
    assert read_unsigned(shipped).card.release == card.release
