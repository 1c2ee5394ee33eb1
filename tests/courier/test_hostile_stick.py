# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Links, pipes and half-written files on a stick; and what somebody who finds it can read."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from pathlib import Path

import pyrage

from appliance.courier.sealing import own_identity
from tests.courier_site import Site, bundles_on, refusal

CONTENT = b"an image of somebody"


def test_links_pipes_folders_and_half_bundles_are_not_opened(
    bundle: Path, hospital: Site, stick: Path, tmp_path: Path
) -> None:
    link, pipe, folder = (stick / f"{name}.scanside-courier" for name in ("link", "pipe", "folder"))
    link.symlink_to(bundle)
    os.mkfifo(pipe)
    folder.mkdir()
    for file in (link, pipe, folder):
        assert "no plain file" in refusal(hospital, file, tmp_path / "out")
    half = bundle.rename(bundle.with_name(bundle.name + ".part"))
    assert "half a bundle" in refusal(hospital, half, tmp_path / "out")


def test_a_link_in_the_way_is_replaced_and_not_followed(
    clinic: Site, hospital: Site, stick: Path, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    clinic.land(CONTENT)
    name = f"scanside-{clinic.device[:8]}-000001.scanside-courier"
    (stick / f"{name}.part").symlink_to(victim)
    (stick / name).symlink_to(victim)
    assert clinic.pack(stick).trouble is None
    out = tmp_path / "out"
    out.mkdir()
    target = f"{hashlib.sha256(CONTENT).hexdigest()}.dcm"
    (out / target).symlink_to(victim)
    (out / f"{target}.part").symlink_to(victim)
    hospital.open(stick / name, out)
    assert (out / target).read_bytes() == CONTENT
    (receipt,) = hospital.write_receipts(stick)
    receipt.unlink()
    receipt.with_name(receipt.name + ".part").symlink_to(victim)
    hospital.write_receipts(stick)
    assert victim.read_bytes() == b"precious"


def test_no_name_of_a_patient_is_on_the_stick(
    clinic: Site, hospital: Site, stick: Path, tmp_path: Path
) -> None:
    make = clinic.make_instance
    clinic.make_instance = lambda **known: make(
        patient={"patient_name": "CANARY^JANE", "patient_id": "CANARY-7"}, **known
    )
    clinic.land(b"DICM CANARY^JANE CANARY-7", study="1.2.777.888")
    clinic.pack(stick)
    hospital.open(bundles_on(stick)[0], tmp_path / "out")
    hospital.write_receipts(stick)
    files = list(stick.iterdir())
    assert len(files) == 2
    for file in files:
        seen = os.fsencode(file.name) + file.read_bytes()
        for canary in (b"CANARY", b"JANE", b"1.2.777.888"):
            assert canary not in seen


def test_any_tar_program_unpacks_it(bundle: Path, hospital: Site, clinic: Site, tmp_path: Path) -> None:
    body = pyrage.decrypt(bundle.read_bytes(), [own_identity(hospital.layout.keys)])
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        tar.extractall(tmp_path / "by hand", filter="data")
    unpacked = sorted((tmp_path / "by hand" / "files").iterdir())
    assert [hashlib.sha256(file.read_bytes()).hexdigest() for file in unpacked] == clinic.landed
