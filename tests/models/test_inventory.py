# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a look at the models tells: who signed, what was proven here, and what was refused."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.errors import ModelBundleError
from appliance.models.candidate import Candidate
from appliance.models.contents import MODEL, SIGNATURE
from appliance.models.inventory import Inventory, take_inventory
from appliance.models.passport import make_passport
from appliance.models.releases import Releases
from appliance.models.slots import SlotFolder
from tests.tiny_bundles import read_signed, trusted

MakeBundle = Callable[..., Path]
ORT = Candidate(engine="ort", precision="fp32")


def look(root: Path) -> Inventory:
    trust = trusted()
    return take_inventory(
        (root / "site",),
        trust=trust,
        slots=SlotFolder(root / "models", trust=trust),
        releases=Releases(root / "releases", read_only=True),
        cache=root / "engines",
    )


def test_a_model_with_its_signer_and_its_passport(make_bundle: MakeBundle, tmp_path: Path) -> None:
    folder = make_bundle(tmp_path / "site" / "a")
    found = look(tmp_path)
    assert (len(found.models), found.problems, found.models[0].passports) == (1, (), ())
    bundle = read_signed(folder)
    made = make_passport(bundle, ORT, threads=1, cache=tmp_path / "engines")
    found = look(tmp_path)
    assert found.models[0].signer == bundle.signer
    assert found.models[0].card == bundle.card
    assert found.models[0].passports == (made,)


def test_the_passport_of_another_bundle_is_none(make_bundle: MakeBundle, tmp_path: Path) -> None:
    make_bundle(tmp_path / "site" / "a")
    other = read_signed(make_bundle(tmp_path / "other", release=2))
    make_passport(other, ORT, threads=1, cache=tmp_path / "engines")
    assert list((tmp_path / "engines").glob("passport-*.json"))
    assert look(tmp_path).models[0].passports == ()


@pytest.mark.parametrize("damage", [SIGNATURE, MODEL])
def test_what_does_not_verify_is_a_problem_and_no_model(
    make_bundle: MakeBundle, tmp_path: Path, damage: str
) -> None:
    folder = make_bundle(tmp_path / "site" / "a")
    with (folder / damage).open("ab") as file:
        file.write(b"x")
    found = look(tmp_path)
    assert found.models == ()
    assert [type(problem) for problem in found.problems] == [ModelBundleError]


def test_a_look_loads_no_engine_and_leaves_nothing(make_bundle: MakeBundle, tmp_path: Path) -> None:
    make_bundle(tmp_path / "site" / "a")
    shutil.rmtree(tmp_path / "engines", ignore_errors=True)
    before = {name for name in sys.modules if name.split(".")[0] in {"openvino", "onnxruntime"}}
    look(tmp_path)
    after = {name for name in sys.modules if name.split(".")[0] in {"openvino", "onnxruntime"}}
    assert after == before
    assert {path.name for path in tmp_path.iterdir()} == {"site"}
