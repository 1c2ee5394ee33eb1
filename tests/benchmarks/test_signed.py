# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.errors import InputError
from appliance.models.keys import fingerprint_of
from benchmarks.signed import sign, signer_of

REPORT = {"format": 1, "latency_ms": {"dx_raw": {"p50": 321.7000000001, "values": [1, 2.5]}}, "none": None}


def test_whoever_signed_is_known_also_after_a_round_through_a_file() -> None:
    key = Ed25519PrivateKey.generate()
    signed = json.loads(json.dumps(sign(REPORT, key), indent=1))
    assert signer_of(signed, name="a.json") == fingerprint_of(key.public_key())
    assert signer_of(REPORT, name="a.json") is None
    assert sign(signed, key) == signed, "signing again replaces the signature"


def test_one_changed_digit_is_seen() -> None:
    signed = json.loads(json.dumps(sign(REPORT, Ed25519PrivateKey.generate())))
    signed["latency_ms"]["dx_raw"]["p50"] = 32.7
    with pytest.raises(InputError, match=r"a\.json is not as"):
        signer_of(signed, name="a.json")


@pytest.mark.parametrize("signature", [{}, {"public_key": "00", "signature": "zz"}, "yes"])
def test_a_damaged_signature_is_no_signature(signature: object) -> None:
    with pytest.raises(InputError):
        signer_of({**REPORT, "signature": signature}, name="a.json")
