# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Packing: the same bytes each time, nothing that a device would refuse, and what comes out is taken."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from appliance.errors import ConfigError, ModelBundleError
from appliance.models.bundle import read_bundle, read_unsigned, unpack_bundle
from appliance.models.contents import SIGNATURE, SUMS
from appliance.models.keys import Trust, read_trust
from export.keys import new_key
from export.pack import pack
from tests.tiny_bundles import build

WORDS = "four words nobody joins"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("key") / "west.pem"
    new_key(file, passphrase=WORDS)
    return file


@pytest.fixture(scope="module")
def trust(key: Path, tmp_path_factory: pytest.TempPathFactory) -> Trust:
    folder = tmp_path_factory.mktemp("trusted")
    shutil.copy(key.with_name("west.public.pem"), folder / "west.pem")
    return read_trust((folder,))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle as the steps before leave it: neither listed nor signed."""
    made = build(tmp_path / "b", release=4)
    (made / SUMS).unlink()
    (made / SIGNATURE).unlink()
    return made


def test_a_zip_is_taken_and_the_same_bit_for_bit(
    folder: Path, key: Path, trust: Trust, tmp_path: Path
) -> None:
    one = pack(folder, key=key, out=tmp_path / "one.zip", passphrase=WORDS)
    for file in folder.iterdir():
        os.utime(file, (10**9, 10**9))
        file.chmod(0o600)
    two = pack(folder, key=key, out=tmp_path / "two.zip", passphrase=WORDS)
    assert one.read_bytes() == two.read_bytes()
    assert not (folder / SUMS).exists(), "the folder stays as it was"
    unpacked = unpack_bundle(one, into=tmp_path / "u", trust=trust)
    bundle = read_bundle(unpacked, trust=trust)
    assert bundle.signer is not None
    assert bundle.signer.name == "west"
    assert bundle.card.release == 4
    with zipfile.ZipFile(one) as archive:
        assert archive.namelist() == sorted(archive.namelist())
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert pack(folder, key=key, out=one, passphrase=WORDS) == one, "an older zip is replaced"


def test_a_new_folder_or_the_folder_itself(folder: Path, key: Path, trust: Trust, tmp_path: Path) -> None:
    out = pack(folder, key=key, out=tmp_path / "out", passphrase=WORDS)
    assert read_bundle(out, trust=trust).card.release == 4
    with pytest.raises(ConfigError, match="exists already"):
        pack(folder, key=key, out=out, passphrase=WORDS)
    pack(folder, key=key, out=folder, passphrase=WORDS)
    assert read_bundle(folder, trust=trust).sums_sha256 == read_bundle(out, trust=trust).sums_sha256
    (folder / "gate.json").write_text('{"auc": 0.9}', encoding="utf-8")
    pack(folder, key=key, out=folder, passphrase=WORDS)
    assert read_bundle(folder, trust=trust).card.release == 4, "signed anew, with the new gate"


def test_without_a_key_it_is_listed_and_no_device_takes_it(
    folder: Path, key: Path, trust: Trust, tmp_path: Path
) -> None:
    out = pack(folder, key=None, out=tmp_path / "out")
    assert read_unsigned(out).signer is None
    with pytest.raises(ModelBundleError, match="not signed"):
        read_bundle(out, trust=trust)
    pack(folder, key=key, out=folder, passphrase=WORDS)
    pack(folder, key=None, out=folder)
    assert not (folder / SIGNATURE).exists(), "an old signature is none of the new list"
    with pytest.raises(ModelBundleError, match="not signed"):
        unpack_bundle(pack(folder, key=None, out=tmp_path / "o.zip"), into=tmp_path / "u", trust=trust)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("card.toml", b"format = 1", "card.toml"),
        ("model.onnx", b"no graph", "model.onnx"),
        ("golden.npz", b"no arrays", "golden.npz"),
        ("gate.json", b"no gate", "gate.json"),
        ("weights.pkl", b"\x80\x04", "holds no file called"),
    ],
)
def test_what_a_device_would_refuse_is_not_packed(
    folder: Path, key: Path, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (folder / name).write_bytes(content)
    for out in (tmp_path / "out.zip", tmp_path / "out", folder):
        with pytest.raises(ModelBundleError, match=words):
            pack(folder, key=key, out=out, passphrase=WORDS)
    assert not (tmp_path / "out.zip").exists()
    assert not (tmp_path / "out").exists()
    assert not (folder / SUMS).exists()


def test_a_key_that_does_not_open_packs_nothing(folder: Path, key: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not open"):
        pack(folder, key=key, out=tmp_path / "out.zip", passphrase="another passphrase")
    assert not (tmp_path / "out.zip").exists()


def test_the_command(folder: Path, key: Path, trust: Trust, tmp_path: Path) -> None:
    words = tmp_path / "words"
    words.write_text(WORDS + "\n", encoding="utf-8")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "export.pack", folder, "--key", key),
            *("--out", tmp_path / "b.zip", "--passphrase-file", words),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (known,) = trust.keys.values()
    assert known.signer.fingerprint in done.stdout.replace(" ", "")
    assert unpack_bundle(tmp_path / "b.zip", into=tmp_path / "u", trust=trust).is_dir()
