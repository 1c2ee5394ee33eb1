# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The signed line of a slip: read back as it was, and not one bit of it may differ."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import InputError
from appliance.outputs.slip_payload import Slip, SlipFinding, signed, verified, word

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SLIP = Slip(
    exam="5D1F-0C2A",
    date="2026-01-02",
    models=("chest_triage@2.1",),
    findings=(
        SlipFinding(code="SCT:60046008", band="high", score=0.81, raised_from=0.2, high_from=0.7),
        SlipFinding(code="99SCANSIDE:any_finding", band="below", score=0.05, raised_from=0.3, high_from=1.0),
    ),
    not_analysed=(),
    more=2,
)
REFUSED = Slip(exam="5D1F-0C2A", date=None, models=(), findings=(), not_analysed=("chest_triage", "x.y"))


@pytest.mark.parametrize("slip", [SLIP, REFUSED])
def test_what_is_signed_is_read_back(slip: Slip) -> None:
    line = signed(slip, KEY)
    assert line.isascii()
    assert line == signed(slip, KEY)
    assert verified(f"  {line}\n", [KEY.public_key()]) == slip


@given(at=st.integers(min_value=0), to=st.integers(33, 126))
def test_no_character_can_change(at: int, to: int) -> None:
    line = signed(SLIP, KEY)
    at %= len(line)
    changed = line[:at] + chr(to) + line[at + 1 :]
    if changed == line:
        return
    with pytest.raises(InputError):
        verified(changed, [KEY.public_key()])


@pytest.mark.parametrize(
    "text", ["", "hello", "SCANSIDE-SLIP-1", signed(SLIP, KEY)[:-1], signed(SLIP, KEY) + "A"]
)
def test_what_is_no_slip_is_said(text: str) -> None:
    with pytest.raises(InputError, match="not the text of a slip"):
        verified(text, [KEY.public_key()])


def test_another_device_is_named_and_a_forger_is_found() -> None:
    other = Ed25519PrivateKey.generate()
    with pytest.raises(InputError, match="none of the given ones"):
        verified(signed(SLIP, other), [KEY.public_key()])
    assert verified(signed(SLIP, other), [KEY.public_key(), other.public_key()]) == SLIP
    better = signed(SLIP, KEY).replace("=high,", "=below,")
    with pytest.raises(InputError, match="signature does not hold"):
        verified(better, [KEY.public_key()])


def test_a_signature_made_for_something_else_is_none() -> None:
    line = signed(SLIP, KEY)
    statement = line.partition(";sig=")[0]
    bare = base64.urlsafe_b64encode(KEY.sign(statement.encode())).decode().rstrip("=")
    with pytest.raises(InputError, match="signature does not hold"):
        verified(f"{statement};sig={bare}", [KEY.public_key()])


def test_what_cannot_stand_there_does_not() -> None:
    assert word("a b;c=1\n") == "a_b_c_1_"
    assert signed(replace(SLIP, models=("name;exam=0000-0000",)), KEY).count("exam=") == 1
    with pytest.raises(InputError, match="does not fit"):
        signed(replace(SLIP, exam="no number"), KEY)
    bad = replace(SLIP.findings[0], score=float("nan"))
    with pytest.raises(InputError, match="does not fit"):
        signed(replace(SLIP, findings=(bad,)), KEY)
