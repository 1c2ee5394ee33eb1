# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Which keys count: plain public keys in folders that not everybody may write, less the revoked ones."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)

from appliance.errors import ModelBundleError
from appliance.models.keys import fingerprint_of, read_public_key, read_trust, shipped_keys
from tests.tiny_bundles import write_public_key


def names(*folders: Path) -> list[str]:
    return sorted(key.signer.name for key in read_trust(folders).keys.values())


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def test_the_keys_of_all_folders_count_and_a_missing_folder_holds_none(
    key: Ed25519PrivateKey, tmp_path: Path
) -> None:
    write_public_key(key, tmp_path / "site" / "clinic-west.pem")
    (tmp_path / "site" / "README.txt").write_text("who put these here", encoding="utf-8")
    trust = read_trust((tmp_path / "none", tmp_path / "site", shipped_keys()))
    assert trust.problems == ()
    assert {"clinic-west", "scanside-reference"} == {known.signer.name for known in trust.keys.values()}
    write_public_key(key, tmp_path / "again" / "other-name.pem")
    assert names(tmp_path / "site", tmp_path / "again") == ["clinic-west"], "the first name stays"


def test_a_fingerprint_is_the_hash_of_the_raw_key() -> None:
    """The first test key of RFC 8032, section 7.1; its hash computed with sha256sum."""
    raw = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    der = bytes.fromhex("302a300506032b6570032100") + raw  # RFC 8410, section 10.1
    pem = b"-----BEGIN PUBLIC KEY-----\n" + base64.b64encode(der) + b"\n-----END PUBLIC KEY-----\n"
    known = load_pem_public_key(pem)
    assert fingerprint_of(known) == "21fe31dfa154a261626bf854046fd2271b7bed4b6abe45aa58877ef47f9721b9"  # type: ignore[arg-type]


def test_a_revoked_key_counts_nowhere(key: Ed25519PrivateKey, tmp_path: Path) -> None:
    other = Ed25519PrivateKey.generate()
    write_public_key(key, tmp_path / "shipped" / "old.pem")
    write_public_key(other, tmp_path / "site" / "new.pem")
    assert names(tmp_path / "shipped", tmp_path / "site") == ["new", "old"]
    fingerprint = fingerprint_of(key.public_key())
    (tmp_path / "site" / "revoked").write_text(f"# lost in May\n\n{fingerprint}  # old\n", encoding="utf-8")
    trust = read_trust((tmp_path / "shipped", tmp_path / "site"))
    assert [known.signer.name for known in trust.keys.values()] == ["new"]
    assert trust.revoked == {fingerprint}
    assert trust.problems == ()


@pytest.mark.parametrize("content", [b"not a fingerprint\n", b"ab" * 31, b"\xff\xfe", b"AB" * 32])
def test_a_list_of_revoked_keys_that_is_not_understood_takes_all_trust(
    key: Ed25519PrivateKey, tmp_path: Path, content: bytes
) -> None:
    write_public_key(key, tmp_path / "shipped" / "a.pem")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "revoked").write_bytes(content)
    trust = read_trust((tmp_path / "shipped", tmp_path / "site"))
    assert not trust.keys
    assert "No key is trusted" in trust.problems[0].what


def test_a_list_or_a_folder_that_cannot_be_read_takes_all_trust(
    key: Ed25519PrivateKey, tmp_path: Path
) -> None:
    write_public_key(key, tmp_path / "site" / "a.pem")
    (tmp_path / "site" / "revoked").mkdir()
    trust = read_trust((tmp_path / "site",))
    assert not trust.keys
    assert "cannot be read" in trust.problems[0].what
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    (tmp_path / "site" / "revoked").rmdir()
    assert not read_trust((tmp_path / "site", tmp_path / "file")).keys


def test_what_everybody_may_write_gives_no_trust_but_still_takes_it(
    key: Ed25519PrivateKey, tmp_path: Path
) -> None:
    folder = tmp_path / "site"
    file = write_public_key(key, folder / "a.pem")
    file.chmod(0o666)
    trust = read_trust((folder,))
    assert not trust.keys
    assert "Everybody on this machine may write" in trust.problems[0].what
    file.chmod(0o644)
    assert names(folder) == ["a"]
    write_public_key(key, tmp_path / "shipped" / "a.pem")
    (folder / "revoked").write_text(fingerprint_of(key.public_key()), encoding="ascii")
    folder.chmod(0o777)
    assert names(tmp_path / "shipped", folder) == []


def test_files_that_are_no_key_are_told_and_the_others_count(key: Ed25519PrivateKey, tmp_path: Path) -> None:
    write_public_key(key, tmp_path / "good.pem")
    write_public_key(key, tmp_path / "name with blanks.pem")
    (tmp_path / "words.pem").write_text("words", encoding="utf-8")
    (tmp_path / "large.pem").write_bytes(b"-" * 5000)
    (tmp_path / "private.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    curve = generate_private_key(SECP256R1()).public_key()
    (tmp_path / "curve.pem").write_bytes(curve.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (tmp_path / "link.pem").symlink_to(tmp_path / "nowhere")
    trust = read_trust((tmp_path,))
    assert [known.signer.name for known in trust.keys.values()] == ["good"]
    told = " ".join(problem.what for problem in trust.problems)
    for words in (
        "words.pem is no",
        "larger than",
        "holds a private key",
        "another kind",
        "link.pem",
        "blanks",
    ):
        assert words in told, words
    assert all(problem.remedy for problem in trust.problems)


def test_one_key_file_by_itself(key: Ed25519PrivateKey, tmp_path: Path) -> None:
    file = write_public_key(key, tmp_path / "a.pem")
    assert fingerprint_of(read_public_key(file)) == fingerprint_of(key.public_key())
    with pytest.raises(ModelBundleError, match="no public key"):
        read_public_key(tmp_path / "none.pem")
