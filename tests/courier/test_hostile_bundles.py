# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A stick in the wrong hands: whatever is changed on it is refused in words, and nothing of it is written."""

from __future__ import annotations

import hashlib
import io
import random
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyrage
import pytest

from appliance.courier import signing
from appliance.courier.archive import name_of
from appliance.courier.manifest import FORMAT, Manifest, ManifestEntry
from appliance.courier.sealing import own_identity
from appliance.courier.words import CourierRefusedError
from appliance.device_key import device_key
from tests.courier_site import Site, bundles_on, refusal

SEED = 20
FLIPS = 120
CUTS = 60
MakeSite = Callable[[str], Site]
CONTENT = b"an image of somebody"


def forged(
    clinic: Site,
    hospital: Site,
    stick: Path,
    *,
    members: list[tuple[tarfile.TarInfo, bytes]] | None = None,
    manifest: Manifest | None = None,
    tail: bytes = b"",
) -> Path:
    """A bundle made by somebody who has the clinic's key, and may put anything into it."""
    listed = manifest or manifest_of(clinic)
    content = listed.to_bytes()
    signature = signing.sign(content, device_key(clinic.layout.keys), context=signing.MANIFEST)
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for info, data in [
            plain("manifest.json", content),
            plain("SIGNATURE", signature),
            *(members if members is not None else [plain(name_of(0), CONTENT)]),
        ]:
            tar.addfile(info, io.BytesIO(data))
    body = whole.getvalue()
    end = len(body.rstrip(b"\0"))
    body = body[: -(-end // 512) * 512] + bytes(1024) + tail
    file = stick / "forged.scanside-courier"
    file.write_bytes(pyrage.encrypt(body, [own_identity(hospital.layout.keys).to_public()]))
    return file


def plain(name: str, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    return info, content


def special(kind: bytes, target: str) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name_of(0))
    info.type = kind
    info.linkname = target
    return info, b""


def manifest_of(clinic: Site, **known: object) -> Manifest:
    whole = Manifest(
        format=FORMAT,
        device=clinic.device,
        site_name="clinic",
        bundle=7,
        bundle_id="0" * 32,
        sequence=1,
        packed_at_utc=clinic.clock.now_utc(),
        studies=1,
        exams=1,
        files=(
            ManifestEntry(
                kind="original", sha256=hashlib.sha256(CONTENT).hexdigest(), size_bytes=len(CONTENT)
            ),
        ),
        without_receipt=(),
        receipts=(),
    )
    return replace(whole, **known)  # type: ignore[arg-type]


def test_the_forger_can_also_make_an_honest_one(
    clinic: Site, hospital: Site, stick: Path, tmp_path: Path
) -> None:
    """The complement of the forgeries below: they are refused for what is forged in them."""
    hospital.open(forged(clinic, hospital, stick), tmp_path / "out")
    assert [file.read_bytes() for file in (tmp_path / "out").iterdir()] == [CONTENT]


# Trace: REQ-046
def test_any_flipped_bit_is_refused(bundle: Path, hospital: Site, tmp_path: Path) -> None:
    whole = bundle.read_bytes()
    for position in random.Random(SEED).sample(range(len(whole)), FLIPS):
        changed = bytearray(whole)
        changed[position] ^= 1 << position % 8
        bundle.write_bytes(changed)
        refusal(hospital, bundle, tmp_path / "out")
    bundle.write_bytes(whole)
    hospital.open(bundle, tmp_path / "out")


def test_any_cut_is_refused(bundle: Path, hospital: Site, tmp_path: Path) -> None:
    whole = bundle.read_bytes()
    lengths = [0, 1, len(whole) - 1, *random.Random(SEED).sample(range(len(whole)), CUTS)]
    for length in lengths:
        bundle.write_bytes(whole[:length])
        assert "damaged or was cut off" in refusal(hospital, bundle, tmp_path / "out")
    bundle.write_bytes(whole + b"more")
    refusal(hospital, bundle, tmp_path / "out")


def test_a_damaged_bundle_whose_list_holds_is_answered_by_a_receipt(
    bundle: Path, clinic: Site, hospital: Site, stick: Path, tmp_path: Path
) -> None:
    whole = bytearray(bundle.read_bytes())
    whole[-1000] ^= 1
    good = bytes(bundle.read_bytes())
    bundle.write_bytes(whole)
    refusal(hospital, bundle, tmp_path / "out")
    hospital.write_receipts(stick)
    (taken,) = clinic.take(stick)
    assert (taken.accepted, taken.refused) == (0, 6)
    assert len(clinic.waiting()) == 6, "all of it goes again"
    bundle.write_bytes(good)
    hospital.open(bundle, tmp_path / "out")
    hospital.write_receipts(stick)
    clinic.take(stick)
    assert clinic.unsent() == 0, "the whole copy was found after all"


# Trace: REQ-046
def test_a_stranger_s_bundle_is_refused(
    make_site: MakeSite, hospital: Site, stick: Path, tmp_path: Path
) -> None:
    stranger = make_site("stranger")
    stranger.recipients = (hospital.recipient,)
    stranger.land(CONTENT)
    stranger.pack(stick)
    assert "nobody here has been told to trust" in refusal(hospital, bundles_on(stick)[0], tmp_path / "out")


def test_a_revoked_key_is_refused(bundle: Path, clinic: Site, hospital: Site, tmp_path: Path) -> None:
    (hospital.partners / "revoked").write_text(clinic.device + "\n", encoding="ascii")
    assert "revoked" in refusal(hospital, bundle, tmp_path / "out")


def test_a_bundle_for_somebody_else_is_refused(
    bundle: Path, clinic: Site, make_site: MakeSite, tmp_path: Path
) -> None:
    other = make_site("other hospital")
    other.believe(clinic)
    assert "for somebody else" in refusal(other, bundle, tmp_path / "out")


def test_a_list_signed_by_one_partner_for_another_is_refused(
    clinic: Site, hospital: Site, make_site: MakeSite, stick: Path, tmp_path: Path
) -> None:
    other = make_site("other")
    forgery = forged(clinic, hospital, stick, manifest=manifest_of(clinic, device=other.device))
    assert "another device than the one that signed" in refusal(hospital, forgery, tmp_path / "out")


@pytest.mark.parametrize(
    "member",
    [
        plain("../../outside.dcm", CONTENT),
        plain("/outside.dcm", CONTENT),
        plain("files/0000002", CONTENT),
        special(tarfile.SYMTYPE, "/etc/passwd"),
        special(tarfile.LNKTYPE, "manifest.json"),
        special(tarfile.CHRTYPE, ""),
        special(tarfile.DIRTYPE, ""),
        special(tarfile.FIFOTYPE, ""),
        plain("n" * 300, CONTENT),
    ],
    ids=["up", "root", "number", "symlink", "hard link", "device", "folder", "pipe", "long name"],
)
def test_anything_but_the_listed_file_is_refused(
    member: tuple[tarfile.TarInfo, bytes], clinic: Site, hospital: Site, stick: Path, tmp_path: Path
) -> None:
    forgery = forged(clinic, hospital, stick, members=[member])
    assert "something else where files/0000001 belongs" in refusal(hospital, forgery, tmp_path / "out")
    assert not list(tmp_path.rglob("outside.dcm"))


def test_a_growing_header_is_refused_before_it_is_read(
    clinic: Site, hospital: Site, stick: Path, tmp_path: Path
) -> None:
    info = tarfile.TarInfo(name_of(0))
    info.type = tarfile.XHDTYPE
    info.size = 5_000_000
    forgery = forged(clinic, hospital, stick, members=[(info, bytes(5_000_000))])
    assert "something else" in refusal(hospital, forgery, tmp_path / "out")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (CONTENT + b"!", "another size"),
        (CONTENT[:-1] + b"!", "not what its list says"),
    ],
)
def test_a_file_that_the_list_does_not_describe_is_refused(
    content: bytes, words: str, clinic: Site, hospital: Site, stick: Path, tmp_path: Path
) -> None:
    forgery = forged(clinic, hospital, stick, members=[plain(name_of(0), content)])
    assert words in refusal(hospital, forgery, tmp_path / "out")


def test_more_and_less_than_the_list_is_refused(
    clinic: Site, hospital: Site, stick: Path, tmp_path: Path
) -> None:
    first, second = plain(name_of(0), CONTENT), plain(name_of(1), CONTENT)
    more = forged(clinic, hospital, stick, members=[first, second])
    assert "behind its end" in refusal(hospital, more, tmp_path / "out")
    assert "not laid out" in refusal(hospital, forged(clinic, hospital, stick, members=[]), tmp_path / "out")
    padded = forged(clinic, hospital, stick, tail=bytes(20_000))
    assert "behind its end" in refusal(hospital, padded, tmp_path / "out")


def test_a_list_of_gigabytes_is_refused_unread(
    clinic: Site, hospital: Site, stick: Path, tmp_path: Path
) -> None:
    info = tarfile.TarInfo("manifest.json")
    info.size = 2**40
    file = stick / "bomb.scanside-courier"
    body = info.tobuf(tarfile.GNU_FORMAT) + bytes(4096)
    file.write_bytes(pyrage.encrypt(body, [own_identity(hospital.layout.keys).to_public()]))
    assert "more than" in refusal(hospital, file, tmp_path / "out")


def test_a_replayed_bundle_changes_nothing_and_another_of_its_number_is_refused(
    clinic: Site, hospital: Site, stick: Path, tmp_path: Path
) -> None:
    old = forged(clinic, hospital, stick)
    hospital.open(old, tmp_path / "out")
    assert hospital.open(old, tmp_path / "out").before
    other = forged(clinic, hospital, stick, manifest=manifest_of(clinic, bundle_id="1" * 32))
    with pytest.raises(CourierRefusedError, match="another bundle with number 7"):
        hospital.open(other, tmp_path / "out")
