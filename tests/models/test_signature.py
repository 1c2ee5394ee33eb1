# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The one form of SIGNATURE: no bit of it or of what it covers changes unseen; refusals say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.errors import ModelBundleError
from appliance.models.keys import Trust, fingerprint_of, grouped, read_trust
from appliance.models.signature import CONTEXT, Signed, check_signature, sign
from tests.tiny_bundles import Speaks, signing_key, trusted, write_public_key

SPEAKS = Speaks("chest_triage", "Röntgen, reference", 4)
SUMS = b"0" * 64 + b"  card.toml\n"


@pytest.fixture(scope="module")
def trust() -> Trust:
    return trusted()


@pytest.fixture(scope="module")
def signature() -> bytes:
    return sign(SUMS, signing_key(), of=SPEAKS)


def check(sums: bytes, signature: bytes | None, trust: Trust) -> Signed:
    return check_signature(sums, signature, trust, bundle="b")


def with_each_bit_changed(content: bytes) -> Iterator[bytes]:
    for bit in range(len(content) * 8):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)


def test_who_signed_and_for_what(signature: bytes, trust: Trust) -> None:
    signed = check(SUMS, signature, trust)
    assert (signed.task, signed.name, signed.release) == (SPEAKS.task, SPEAKS.name, SPEAKS.release)
    assert signed.signer.name == "tests"
    assert signed.signer.fingerprint == fingerprint_of(signing_key().public_key())
    assert signed.signer.words == f"tests ({grouped(signed.signer.fingerprint)[:19]} ...)"
    assert sign(SUMS, signing_key(), of=SPEAKS) == signature, "the same bundle, the same signature"


def test_no_bit_of_signature_and_sums_is_spare(signature: bytes, trust: Trust) -> None:
    for changed in with_each_bit_changed(signature):
        with pytest.raises(ModelBundleError):
            check(SUMS, changed, trust)
    for changed in with_each_bit_changed(SUMS):
        with pytest.raises(ModelBundleError, match="not as tests signed it"):
            check(changed, signature, trust)


def test_the_same_content_in_another_form_is_no_signature(signature: bytes, trust: Trust) -> None:
    *head, last, _ = signature.split(b"\n")
    for text in (
        b"\n".join([*head, last.upper(), b""]),
        signature + b"\n",
        signature[:-1],
        signature.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + signature,
        signature.replace(b"release 4", b"release 04"),
        signature.replace(b"release 4", "release \N{ARABIC-INDIC DIGIT FOUR}".encode()),
        b"\xff" * 300,
        b"",
        signature + b" " * 2000,
    ):
        with pytest.raises(ModelBundleError, match="SIGNATURE is damaged"):
            check(SUMS, text, trust)


def test_a_signature_made_for_something_else_is_none(signature: bytes, trust: Trust) -> None:
    """A key that signs other things too must not sign bundles by accident."""
    head = signature[: signature.rindex(b"signature ")]
    for message in (SUMS, head + SUMS, b"another context\n" + head + SUMS):
        foreign = signing_key().sign(message).hex().encode()
        with pytest.raises(ModelBundleError, match="not as tests signed it"):
            check(SUMS, head + b"signature " + foreign + b"\n", trust)
    right = signing_key().sign(CONTEXT + head + SUMS).hex().encode()
    assert head + b"signature " + right + b"\n" == signature


@pytest.mark.parametrize(
    "speaks",
    [
        Speaks("Chest", "a", 1),
        Speaks("a\nb", "a", 1),
        Speaks("a", "two\nlines", 1),
        Speaks("a", "a\u202eb", 1),
        Speaks("a", "", 1),
        Speaks("a", "x" * 101, 1),
        Speaks("a", "a", -1),
        Speaks("a", "a", 10**9),
    ],
)
def test_what_cannot_stand_on_its_line_is_not_signed(speaks: Speaks) -> None:
    with pytest.raises(ModelBundleError, match="cannot be signed"):
        sign(SUMS, signing_key(), of=speaks)


def test_refusals_name_the_key_and_the_remedy(signature: bytes, trust: Trust, tmp_path: Path) -> None:
    with pytest.raises(ModelBundleError, match="it is not signed") as unsigned:
        check(SUMS, None, trust)
    assert "signed" in unsigned.value.remedy
    stranger = Ed25519PrivateKey.generate()
    digits = grouped(fingerprint_of(stranger.public_key()))
    foreign = sign(SUMS, stranger, of=SPEAKS)
    with pytest.raises(ModelBundleError, match=f"{digits}, which this device does not trust") as unknown:
        check(SUMS, foreign, trust)
    assert "scanside models trust" in unknown.value.remedy
    write_public_key(stranger, tmp_path / "stranger.pem")
    assert check(SUMS, foreign, read_trust((tmp_path,))).signer.name == "stranger"
    (tmp_path / "revoked").write_text(f"{fingerprint_of(stranger.public_key())}  # lost\n", encoding="utf-8")
    with pytest.raises(ModelBundleError, match=f"{digits}, which was revoked"):
        check(SUMS, foreign, read_trust((tmp_path,)))
