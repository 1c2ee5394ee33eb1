# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The shipped bundles are signed, all with one key, of which only the public half exists anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.errors import ConfigError, ModelBundleError
from appliance.models.bundle import read_bundle
from appliance.models.keys import read_trust, shipped_keys
from appliance.models.registry import shipped_models
from export.reference.sign import KEY_FILE, KEYS, sign_all
from tests.tiny_bundles import build


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Two bundles that the key of the tests has signed."""
    folder = tmp_path / "models"
    build(folder / "one")
    build(folder / "two", task="other", release=3)
    return folder


def test_every_shipped_bundle_verifies_with_the_shipped_key() -> None:
    folders = sorted(path.parent for path in shipped_models().glob("*/card.toml"))
    assert len(folders) >= 4
    signers = {read_bundle(folder).signer for folder in folders}
    assert [signer.name for signer in signers if signer] == [Path(KEY_FILE).stem]
    trust = read_trust((shipped_keys(),))
    assert trust.problems == ()
    assert len(trust.keys) == 1, "a key that signs nothing any more is not trusted any more"


def test_signing_again_makes_a_new_key_and_the_old_one_counts_no_more(models: Path) -> None:
    first = sign_all(models)
    assert [bundle.card.task for bundle in first] == ["ct_denoise", "other"]
    assert (models / "one" / "SHA256SUMS").exists()
    old = read_trust((models / KEYS,))
    second = sign_all(models)
    assert {bundle.signer for bundle in first}.isdisjoint(bundle.signer for bundle in second)
    assert [bundle.sums_sha256 for bundle in first] == [bundle.sums_sha256 for bundle in second]
    with pytest.raises(ModelBundleError, match="does not trust"):
        read_bundle(models / "one", trust=old)


def test_the_private_key_is_nowhere(models: Path) -> None:
    sign_all(models)
    written = [path for path in models.rglob("*") if path.is_file()]
    assert not [path for path in written if b"PRIVATE" in path.read_bytes()]
    assert [path.name for path in (models / KEYS).iterdir()] == [KEY_FILE]


def test_one_bad_bundle_changes_nothing(models: Path) -> None:
    sign_all(models)
    before = {path: path.read_bytes() for path in models.rglob("*") if path.is_file()}
    (models / "two" / "gate.json").write_text("no gate", encoding="utf-8")
    with pytest.raises(ModelBundleError, match=r"gate\.json"):
        sign_all(models)
    (models / "two" / "gate.json").write_bytes(before[models / "two" / "gate.json"])
    assert {path: path.read_bytes() for path in models.rglob("*") if path.is_file()} == before
    with pytest.raises(ConfigError, match="no bundle"):
        sign_all(models / "one")
