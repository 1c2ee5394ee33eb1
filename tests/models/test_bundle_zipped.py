# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A zipped bundle is the same bundle, or refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from appliance.errors import ModelBundleError
from appliance.models.bundle import Bundle, read_bundle, unpack_bundle
from tests.tiny_bundles import trusted


def read(folder: Path) -> Bundle:
    return read_bundle(folder, trust=trusted())


def unpack(archive: Path, into: Path) -> Path:
    return unpack_bundle(archive, into=into, trust=trusted())


def zipped(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
    return path


def test_a_zipped_bundle_is_the_same_bundle(good_bundle: Path, tmp_path: Path) -> None:
    archive = zipped(good_bundle, tmp_path / "b.zip")
    folder = unpack(archive, tmp_path / "unpacked")
    assert read_bundle(folder, trust=trusted()).sums_sha256 == read(good_bundle).sums_sha256
    (folder / "NOTES.md").write_text("left over from an interrupted unpacking", encoding="utf-8")
    assert read_bundle(unpack(archive, tmp_path / "unpacked"), trust=trusted()).card.release == 1


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
            unpack(with_entry(name), into)
    with pytest.raises(ModelBundleError, match="not a plain file"):
        unpack(with_entry("evil.md", 0o120777), into)
    with pytest.warns(UserWarning, match="Duplicate name"):
        double = with_entry("card.toml")
    with pytest.raises(ModelBundleError, match="one name"):
        unpack(double, into)
    cut = tmp_path / "cut.zip"
    cut.write_bytes(zipped(good_bundle, tmp_path / "whole.zip").read_bytes()[:-40])
    with pytest.raises(ModelBundleError, match="cannot be unpacked"):
        unpack(cut, into)
    with pytest.raises(ModelBundleError, match="plain file"):
        unpack(tmp_path / "nowhere.zip", into)
    link = tmp_path / "link.zip"
    link.symlink_to(zipped(good_bundle, tmp_path / "whole.zip"))
    with pytest.raises(ModelBundleError, match="plain file"):
        unpack(link, into)
    assert not (tmp_path / "evil.md").exists()


def test_a_zip_with_one_bit_changed_is_refused(good_bundle: Path, tmp_path: Path) -> None:
    content = zipped(good_bundle, tmp_path / "b.zip").read_bytes()
    whole, refused = read(good_bundle).sums_sha256, 0
    for offset in range(0, len(content), 97):
        changed = bytearray(content)
        changed[offset] ^= 1
        archive = tmp_path / "changed.zip"
        archive.write_bytes(changed)
        try:
            bundle = read_bundle(unpack(archive, tmp_path / "unpacked"), trust=trusted())
        except ModelBundleError:
            refused += 1
        else:  # the bit lay in a time stamp of the zip's own: every file is as it was
            assert bundle.sums_sha256 == whole
    assert refused > 10
