# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What is fuzzed of files outside the jail: what couriers bring, laboratories send and scanners read."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.clock import SystemClock
from appliance.config import load_settings
from appliance.courier import signing
from appliance.courier.archive import ArchiveSink, ArchiveSource
from appliance.courier.manifest import Manifest, ManifestEntry, read_manifest
from appliance.courier.receipts import Receipt, ReceiptLine
from appliance.domain.record import from_json, to_json
from appliance.models.keys import Signer, Trust, TrustedKey, fingerprint_of
from appliance.models.signature import check_signature, sign
from appliance.monitor.reports.outcome_csv import read_csv
from appliance.monitor.reports.outcome_hl7 import read_hl7
from appliance.outputs.slip_payload import Slip, SlipFinding, signed, verified
from benchmarks.faults.fuzz_outside import Reason, in_memory, said

KEY: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
"""Of a device that is trusted and went bad: what it signs gets past the signature."""


def _trust() -> Trust:
    signer = Signer(name="fuzz", fingerprint=fingerprint_of(KEY.public_key()))
    key = TrustedKey(signer=signer, key=KEY.public_key())
    return Trust(keys={signer.fingerprint: key}, revoked=frozenset(), problems=())


class _Nobody:
    """Takes what a bundle holds, and keeps nothing."""

    def on_manifest(self, manifest: Manifest, content: bytes) -> None:
        """See `Visitor`."""

    def on_piece(self, item: int, piece: bytes) -> None:
        """See `Visitor`."""

    def on_file(self, item: int) -> None:
        """See `Visitor`."""


def courier(data: bytes) -> Iterator[Reason]:
    """The inside of a bundle, from its first byte."""

    def read() -> None:
        sink = ArchiveSink(_Nobody(), trust=_trust(), what="The bundle")
        for start in range(0, len(data), 4096):
            sink.write(data[start : start + 4096])

    return said(read)


def courier_list(data: bytes) -> Iterator[Reason]:
    """A list that a trusted device signed, whatever it says."""

    def read() -> None:
        signature = signing.sign(data, KEY, context=signing.MANIFEST)
        signing.check(data, signature, _trust(), context=signing.MANIFEST, what="The bundle")
        read_manifest(data, what="The bundle")

    return said(read)


def _manifest(files: tuple[ManifestEntry, ...] = ()) -> Manifest:
    return Manifest(
        format="scanside courier 1",
        device=fingerprint_of(KEY.public_key()),
        site_name="site",
        bundle=1,
        bundle_id="0" * 32,
        sequence=1,
        packed_at_utc=SystemClock().now_utc(),
        studies=1,
        exams=1,
        files=files,
        without_receipt=(),
        receipts=(),
    )


def courier_archives(folder: Path) -> Iterator[bytes]:
    """A bundle of one file, and one of none."""
    content = b"DICM" * 30
    path = folder / "file"
    path.write_bytes(content)
    entry = ManifestEntry(
        kind="original", sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content)
    )
    for entries, paths in (((), ()), ((entry,), (path,))):
        source = ArchiveSource(_manifest(entries), paths, KEY)
        yield b"".join(iter(source.read, b""))


def courier_lists(folder: Path) -> Iterator[bytes]:
    """A list of nothing, and one of one file."""
    del folder
    yield _manifest().to_bytes()
    yield _manifest((ManifestEntry(kind="result", sha256="a" * 64, size_bytes=7),)).to_bytes()


def receipt(data: bytes) -> Iterator[Reason]:
    """What a receipt says, once its signature holds."""
    with_faults = data.decode("utf-8", errors="replace")
    with suppress(ValueError):  # "of a form that this version does not know"
        from_json(Receipt, with_faults)
    return iter(())


def receipts(folder: Path) -> Iterator[bytes]:
    """One that accepts a file and refuses another."""
    del folder
    lines = (ReceiptLine(sha256="a" * 64, refused=None), ReceiptLine(sha256="b" * 64, refused="not taken"))
    yield to_json(
        Receipt(
            format="scanside courier receipt 1",
            device="c" * 64,
            bundle=1,
            bundle_id="0" * 32,
            written_by="hospital",
            files=lines,
        )
    ).encode()


def outcomes(data: bytes) -> Iterator[Reason]:
    """Outcomes of a laboratory, as HL7 where it begins so, else as a table."""
    return said(lambda: read_hl7(data) if data.startswith(b"MSH") else read_csv(data))


def outcome_files(folder: Path) -> Iterator[bytes]:
    """One of each."""
    del folder
    yield b"accession_number,code,truth,observed_on\nA1,36118008,positive,2026-01-05\n"
    yield (
        b"MSH|^~\\&|LAB|X|Y|Z|20260105||ORU^R01|1|P|2.5\rPID|1||P1\rPV1|1|O||||||||||||||||||||||||||||||||||01\r"
        b"OBR|1|||X|||20260105|||||||||||A1\rOBX|1|CE|36118008^Pneumothorax^SCT||260373001||||||F\r"
    )


def slip(data: bytes) -> Iterator[Reason]:
    """A code that somebody scanned."""
    return said(lambda: verified(data.decode("utf-8", errors="replace"), [KEY.public_key()]))


def slips(folder: Path) -> Iterator[bytes]:
    """One with a finding."""
    del folder
    found = SlipFinding(code="SCT:36118008", band="high", score=0.9, raised_from=0.2, high_from=0.6)
    made = Slip(exam="5D1F-0C2A", date="2026-01-05", models=("t@1",), findings=(found,), not_analysed=("q",))
    yield signed(made, KEY).encode()


@dataclass(frozen=True)
class _Named:
    task: str = "chest_triage"
    name: str = "Chest"
    release: int = 4


def signature(data: bytes) -> Iterator[Reason]:
    """SIGNATURE and SHA256SUMS of a model bundle; the length of the first stands in front."""
    (length,) = struct.unpack("<H", data[:2].ljust(2, b"\0"))
    content = data[2:]
    return said(lambda: check_signature(content[length:], content[:length], _trust(), bundle="bundle"))


def signatures(folder: Path) -> Iterator[bytes]:
    """One that holds."""
    del folder
    sums = b"a" * 64 + b"  card.toml\n"
    made = sign(sums, KEY, of=_Named())
    yield struct.pack("<H", len(made)) + made + sums


def settings(data: bytes) -> Iterator[Reason]:
    """A settings file."""
    path = in_memory("settings.toml", data)
    return said(lambda: load_settings(path))


def settings_files(folder: Path) -> Iterator[bytes]:
    """A few sections."""
    del folder
    yield (
        b"[intake]\nseries_quiet_s = 5\n\n"
        b"[[sender.peers]]\nname = 'pacs'\nhost = 'h'\nport = 104\nae_title = 'A'\n"
    )
