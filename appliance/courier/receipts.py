# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Receipts: what the other end says about each file of a bundle, signed, as a small file on the stick.

The two lines of the signature, an empty line, and the JSON that they speak of. A receipt is bound to its
device, to the bundle and to the bundle's secret identifier, which only who opened it can know; taking it
twice changes nothing, and a file that was accepted once stays accepted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import Field

from appliance.courier import signing
from appliance.courier.manifest import Hash, Identifier
from appliance.courier.signing import refused
from appliance.courier.stick import open_plain, write_small
from appliance.courier.words import RECEIPT_SUFFIX, CourierRefusedError, stick_in_words
from appliance.domain.record import from_json, to_json
from appliance.models.keys import Trust
from appliance.store.courier_opened import CourierOpened, OpenedBundle
from appliance.store.courier_receipts import CourierReceipts, FileOutcome

FORMAT: Final = "scanside courier receipt 1"
MAX_RECEIPT_BYTES: Final = 64 * 1024**2
MAX_REASON: Final = 500
SHORT: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptLine:
    """One file."""

    sha256: Hash
    refused: Annotated[str, Field(max_length=MAX_REASON)] | None
    """Why it was refused; null: accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What is signed."""

    format: Literal["scanside courier receipt 1"]
    device: Hash
    """Fingerprint of the device that packed the bundle: nobody else takes this receipt."""
    bundle: Annotated[int, Field(ge=1, le=2**53)]
    bundle_id: Identifier
    written_by: Annotated[str, Field(max_length=64)]
    files: tuple[ReceiptLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenReceipt:
    """What became of a receipt that lay on the stick."""

    file_name: str
    bundle: int | None
    signer: str | None
    accepted: int
    refused: int
    known: bool
    """It was taken before; nothing changed."""
    trouble: CourierRefusedError | None
    """Why it is not believed; None: it is."""


def write_receipts(
    folder: Path, opened: CourierOpened, key: Ed25519PrivateKey, *, site_name: str
) -> tuple[Path, ...]:
    """Write a receipt for each opened bundle about which its device does not know everything yet.

    The same outcomes give the same bytes and the same name. Raises DeliveryError.
    """
    written = []
    for bundle in opened.every():
        content = _receipt_of(bundle, opened.outcomes(bundle.device, bundle.bundle), site_name=site_name)
        if content is None:
            continue
        whole = signing.sign(content, key, context=signing.RECEIPT) + b"\n" + content
        receipt_id = hashlib.sha256(whole).hexdigest()
        if opened.confirmed(bundle.device, receipt_id):
            continue
        name = f"scanside-{bundle.device[:SHORT]}-{bundle.bundle:06d}-{receipt_id[:SHORT]}{RECEIPT_SUFFIX}"
        with stick_in_words(folder):
            write_small(folder / name, whole)
        written.append(folder / name)
    return tuple(written)


def _receipt_of(bundle: OpenedBundle, outcomes: tuple[FileOutcome, ...], *, site_name: str) -> bytes | None:
    if not outcomes:
        return None
    receipt = Receipt(
        format=FORMAT,
        device=bundle.device,
        bundle=bundle.bundle,
        bundle_id=bundle.bundle_id,
        written_by=site_name,
        files=tuple(
            ReceiptLine(
                sha256=outcome.sha256,
                refused=None if outcome.refused is None else outcome.refused[:MAX_REASON],
            )
            for outcome in outcomes
        ),
    )
    return to_json(receipt).encode("utf-8")


def take_receipts(
    folder: Path, receipts: CourierReceipts, *, device: str, trust: Trust
) -> Iterator[TakenReceipt]:
    """Take every receipt in the folder; one that is not believed stops no other. Raises DeliveryError."""
    with stick_in_words(folder):
        files = sorted(file for file in folder.iterdir() if file.name.endswith(RECEIPT_SUFFIX))
    for file in files:
        what = f"The receipt {file.name!r}"
        try:
            yield _take(file, receipts, device=device, trust=trust, what=what)
        except CourierRefusedError as error:
            yield TakenReceipt(
                file_name=file.name,
                bundle=None,
                signer=None,
                accepted=0,
                refused=0,
                known=False,
                trouble=error,
            )


def _take(file: Path, receipts: CourierReceipts, *, device: str, trust: Trust, what: str) -> TakenReceipt:
    whole = _read(file, what)
    signature, content = whole[: signing.SIGNATURE_BYTES], whole[signing.SIGNATURE_BYTES :]
    if not content.startswith(b"\n"):
        raise refused(what, "its signature is damaged", "Have it written again at the other end.")
    content = content[1:]
    signer = signing.check(content, signature, trust, context=signing.RECEIPT, what=what)
    try:
        receipt = from_json(Receipt, content.decode("utf-8"))
    except ValueError as error:
        raise refused(
            what, "it is of a form that this version does not know", "Bring this software up to date."
        ) from error
    remedy = "Give the stick to whom it belongs; this device's own receipts are taken."
    if receipt.device != device:
        raise refused(what, "it is for another device", remedy)
    if receipts.bundle_id(receipt.bundle) != receipt.bundle_id:
        raise refused(what, f"this device never packed that bundle {receipt.bundle}", remedy)
    if not {line.sha256 for line in receipt.files} <= receipts.contents(receipt.bundle):
        raise refused(
            what, f"it names files that bundle {receipt.bundle} does not hold", "Tell whoever wrote it."
        )
    receipt_id = hashlib.sha256(whole).hexdigest()
    known = receipts.known(receipt_id)
    if not known:
        receipts.take(
            receipt_id,
            bundle=receipt.bundle,
            signer=signer.fingerprint,
            outcomes=(FileOutcome(sha256=line.sha256, refused=line.refused) for line in receipt.files),
        )
    accepted = sum(line.refused is None for line in receipt.files)
    return TakenReceipt(
        file_name=file.name,
        bundle=receipt.bundle,
        signer=signer.name,
        accepted=accepted,
        refused=len(receipt.files) - accepted,
        known=known,
        trouble=None,
    )


def _read(file: Path, what: str) -> bytes:
    with stick_in_words(file.parent):
        opened = open_plain(file)
    if opened is None:
        raise refused(what, "it is no plain file", "Remove it: a link or a folder is no receipt.")
    with opened, stick_in_words(file.parent):
        content = opened.read(MAX_RECEIPT_BYTES + 1)
    if len(content) > MAX_RECEIPT_BYTES:
        raise refused(what, f"it is larger than {MAX_RECEIPT_BYTES} bytes", "Remove it.")
    return content
