# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A zipped bundle is the same bundle, or refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from appliance.errors import ModelBundleError
from appliance.models.bundle import read_bundle, unpack_bundle


def zipped(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
    return path


def test_a_zipped_bundle_is_the_same_bundle(good_bundle: Path, tmp_path: Path) -> None:
    archive = zipped(good_bundle, tmp_path / "b.zip")
    folder = unpack_bundle(archive, into=tmp_path / "unpacked")
    assert read_bundle(folder).sums_sha256 == read_bundle(good_bundle).sums_sha256
    (folder / "NOTES.md").write_text("left over from an interrupted unpacking", encoding="utf-8")
    assert read_bundle(unpack_bundle(archive, into=tmp_path / "unpacked")).card.release == 1


def test_zips_that_play_tricks_are_refused(good_bundle: Path, tmp_path: Path) -> None:
    def with_entry(name: str, mode: int = 0o100644) -> Path:
        path = zipped(good_bundle, tmp_path / "trick.zip")
        entry = zipfile.ZipInfo(name)
        entry.external_attr = mode << 16
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(entry, "x")
        return path

    into = tmp_path / "unpacked"
    for name in ("../evil.md", "/evil.md", "sub/evil.md", "evil.pkl"):
        with pytest.raises(ModelBundleError, match="holds no file called"):
            unpack_bundle(with_entry(name), into=into)
    with pytest.raises(ModelBundleError, match="holds no file called"):
        unpack_bundle(with_entry("evil.md", 0o120777), into=into)
    with pytest.warns(UserWarning, match="Duplicate name"):
        double = with_entry("card.toml")
    with pytest.raises(ModelBundleError, match="one name"):
        unpack_bundle(double, into=into)
    cut = tmp_path / "cut.zip"
    cut.write_bytes(zipped(good_bundle, tmp_path / "whole.zip").read_bytes()[:-40])
    with pytest.raises(ModelBundleError, match="cannot be unpacked"):
        unpack_bundle(cut, into=into)
    with pytest.raises(ModelBundleError, match="plain file"):
        unpack_bundle(tmp_path / "nowhere.zip", into=into)
    assert not (tmp_path / "evil.md").exists()


def test_a_zip_with_one_bit_changed_is_refused(good_bundle: Path, tmp_path: Path) -> None:
    content = zipped(good_bundle, tmp_path / "b.zip").read_bytes()
    whole, refused = read_bundle(good_bundle).sums_sha256, 0
    for offset in range(0, len(content), 97):
        changed = bytearray(content)
        changed[offset] ^= 1
        archive = tmp_path / "changed.zip"
        archive.write_bytes(changed)
        try:
            bundle = read_bundle(unpack_bundle(archive, into=tmp_path / "unpacked"))
        except ModelBundleError:
            refused += 1
        else:  # the bit lay in a time stamp of the zip's own: every file is as it was
            assert bundle.sums_sha256 == whole
    assert refused > 10
