# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Receipts that end nothing: by strangers, for others, changed, replayed, or no receipts at all."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.courier import signing
from appliance.courier.receipts import FORMAT, Receipt, ReceiptLine
from appliance.device_key import device_key
from appliance.domain.record import to_json
from appliance.store.courier_opened import CourierOpened
from tests.courier_site import Site, bundles_on

SEED = 21
FLIPS = 100
MakeSite = Callable[[str], Site]


@pytest.fixture
def receipt(clinic: Site, hospital: Site, stick: Path, tmp_path: Path) -> Path:
    """An honest one."""
    clinic.land(b"image")
    clinic.pack(stick)
    hospital.open(bundles_on(stick)[0], tmp_path / "out")
    (file,) = hospital.write_receipts(stick)
    return file


def words(clinic: Site, stick: Path) -> str:
    """Why the only receipt on the stick is not believed; nothing has changed by it."""
    (taken,) = clinic.take(stick)
    assert taken.trouble is not None
    assert clinic.unsent() == 1
    return str(taken.trouble)


def write(file: Path, signer: Site, receipt: Receipt, *, context: bytes = signing.RECEIPT) -> None:
    content = to_json(receipt).encode()
    signature = signing.sign(content, device_key(signer.layout.keys), context=context)
    file.write_bytes(signature + b"\n" + content)


def made_up(clinic: Site, **known: object) -> Receipt:
    """A receipt with the right identifiers, or those that are given."""
    ((bundle_id,),) = clinic.database.read("SELECT bundle_id FROM courier_bundle")
    whole: dict[str, object] = {
        "format": FORMAT,
        "device": clinic.device,
        "bundle": 1,
        "bundle_id": bundle_id,
        "written_by": "",
        "files": (ReceiptLine(sha256=clinic.landed[0], refused=None),),
    }
    return Receipt(**(whole | known))  # type: ignore[arg-type]


def test_any_changed_byte_is_refused(receipt: Path, clinic: Site, stick: Path) -> None:
    whole = receipt.read_bytes()
    for position in random.Random(SEED).sample(range(len(whole)), FLIPS):
        changed = bytearray(whole)
        changed[position] ^= 1 << position % 8
        receipt.write_bytes(changed)
        words(clinic, stick)
    for length in range(0, len(whole), 7):
        receipt.write_bytes(whole[:length])
        words(clinic, stick)
    receipt.write_bytes(whole)
    assert clinic.take(stick)[0].accepted == 1


def test_a_stranger_s_receipt_is_refused(
    receipt: Path, clinic: Site, make_site: MakeSite, stick: Path
) -> None:
    write(receipt, make_site("stranger"), made_up(clinic))
    assert "nobody here has been told to trust" in words(clinic, stick)


@pytest.mark.parametrize(
    ("known", "why"),
    [
        ({"device": "0" * 64}, "for another device"),
        ({"bundle_id": "0" * 32}, "never packed that bundle 1"),
        ({"bundle": 2}, "never packed that bundle 2"),
        ({"files": (ReceiptLine(sha256="0" * 64, refused=None),)}, "files that bundle 1 does not hold"),
        ({"format": "scanside courier receipt 9"}, "of a form that this version does not know"),
    ],
)
def test_a_receipt_that_does_not_fit_is_refused(
    known: dict[str, object], why: str, receipt: Path, clinic: Site, hospital: Site, stick: Path
) -> None:
    write(receipt, hospital, made_up(clinic, **known))
    assert why in words(clinic, stick)
    write(receipt, hospital, made_up(clinic))
    assert clinic.take(stick)[0].trouble is None


def test_a_signature_of_another_kind_does_not_count(
    receipt: Path, clinic: Site, hospital: Site, stick: Path
) -> None:
    write(receipt, hospital, made_up(clinic), context=signing.MANIFEST)
    assert "not as hospital signed it" in words(clinic, stick)


def test_what_is_no_plain_file_is_refused(receipt: Path, clinic: Site, stick: Path, tmp_path: Path) -> None:
    elsewhere = receipt.rename(tmp_path / "elsewhere")
    receipt.symlink_to(elsewhere)
    assert "no plain file" in words(clinic, stick)
    receipt.unlink()
    receipt.mkdir()
    assert "no plain file" in words(clinic, stick)
    receipt.rmdir()
    os.mkfifo(receipt)
    assert "no plain file" in words(clinic, stick)


def test_an_old_refusal_that_is_replayed_takes_nothing_back(
    clinic: Site, hospital: Site, stick: Path, tmp_path: Path
) -> None:
    clinic.land(b"image")
    clinic.pack(stick)
    opened = CourierOpened(hospital.database)
    hospital.opener(tmp_path / "out").open(bundles_on(stick)[0])
    opened.refused(clinic.device, 1, None, reason="not now")
    (old,) = hospital.write_receipts(stick)
    opened.accepted(clinic.device, 1, (0,))
    hospital.write_receipts(stick)
    for _ in range(2):
        taken = clinic.take(stick)
        assert len(taken) == 2
        assert clinic.unsent() == 0
    assert all(one.known for one in taken)
    clinic.database.read("DELETE FROM courier_receipt")
    hospital_says_no = old.read_bytes()
    for file in stick.glob("*.scanside-receipt"):
        file.unlink()
    old.write_bytes(hospital_says_no)
    clinic.take(stick)
    assert clinic.unsent() == 0, "even if it was never seen before"
    assert clinic.database.read("SELECT outcome FROM courier_item") == [("accepted",)]
