# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Out on the stick, home with receipts: what counts as handed over, as sent, and what waits again."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from appliance.courier.forwarding import keep
from appliance.domain.finding import Decision
from appliance.errors import ConfigError
from appliance.store.board import Board
from appliance.store.courier_opened import CourierOpened
from appliance.store.courier_standing import CourierStandings
from appliance.store.outbox import Outbox
from tests.courier_site import Site, bundles_on


def sums(folder: Path) -> set[str]:
    return {hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.glob("*.dcm")}


def test_out_and_home(clinic: Site, hospital: Site, stick: Path, tmp_path: Path) -> None:
    acquisition = clinic.land(b"image" * 1000)
    report = clinic.answer(acquisition, Decision.ABSENT)
    packed = clinic.pack(stick)
    assert [(b.bundle, b.files, b.exams, b.studies) for b in packed.bundles] == [(1, 2, 1, 1)]
    assert packed.trouble is None
    assert clinic.unsent() == 2, "only a receipt ends a row"
    assert clinic.waiting() == []
    reasons = {row[0] for row in clinic.database.read("SELECT reason FROM outbox WHERE step = 'send'")}
    assert reasons == {"with the courier since 2026-01-01, bundle 1"}

    arrival = hospital.open(bundles_on(stick)[0], tmp_path / "out")
    assert sums(tmp_path / "out") == {clinic.landed[0], report}
    assert arrival.manifest.site_name == "clinic"

    assert len(hospital.write_receipts(stick)) == 1
    taken = clinic.take(stick)
    assert [(t.bundle, t.accepted, t.refused, t.known, t.trouble) for t in taken] == [(1, 2, 0, False, None)]
    assert clinic.unsent() == 0
    assert CourierStandings(clinic.database, peer="courier").now().bundles[0].state == "closed"
    assert clinic.take(stick)[0].known, "the same receipt again changes nothing"


def test_positive_studies_go_first_then_the_oldest(
    clinic: Site, hospital: Site, stick: Path, tmp_path: Path
) -> None:
    plain, unsure, positive, later = (
        clinic.land(name * 100, study=f"1.2.{number}")
        for number, name in enumerate((b"plain", b"unsure", b"positive", b"later"))
    )
    results = [
        clinic.answer(unsure, Decision.INDETERMINATE),
        clinic.answer(positive, Decision.PRESENT),
        clinic.answer(plain, Decision.ABSENT),
    ]
    images = [acquisition.first.sha256 for acquisition in (positive, unsure, plain, later)]
    expected = [images[0], results[1], images[1], results[0], images[2], results[2], images[3]]
    assert clinic.waiting() == expected
    clinic.pack(stick)
    arrival = hospital.open(bundles_on(stick)[0], tmp_path / "out")
    assert [entry.sha256 for entry in arrival.manifest.files] == expected


def test_it_is_split_by_size_and_nothing_is_left_out(
    clinic: Site, hospital: Site, stick: Path, tmp_path: Path
) -> None:
    for number in range(12):
        clinic.land(bytes([number]) * 300_000, study=f"1.2.{number}")
    report = clinic.pack(stick, max_bytes=1_000_000)
    assert len(report.bundles) > 3
    assert all(file.stat().st_size <= 1_000_000 for file in bundles_on(stick))
    for file in bundles_on(stick):
        hospital.open(file, tmp_path / "out")
    assert sums(tmp_path / "out") == set(clinic.landed)
    assert [b.bundle for b in report.bundles] == list(range(1, len(report.bundles) + 1))


def test_a_file_larger_than_a_bundle_may_be_stays_and_is_said(clinic: Site, stick: Path) -> None:
    clinic.land(bytes(2_000_000))
    clinic.land(b"small")
    report = clinic.pack(stick, max_bytes=1_000_000)
    assert [b.files for b in report.bundles] == [1]
    assert "raise --max-gib" in report.left_behind[0].reason
    assert report.waiting_files == 1


def test_a_damaged_or_missing_original_stays_and_is_said(clinic: Site, stick: Path) -> None:
    damaged, gone = clinic.land(b"damaged"), clinic.land(b"gone")
    clinic.land(b"whole")
    (clinic.layout.spool / damaged.first.sha256[:2] / damaged.first.sha256).write_bytes(b"otherwise")
    (clinic.layout.spool / gone.first.sha256[:2] / gone.first.sha256).unlink()
    report = clinic.pack(stick)
    assert [b.files for b in report.bundles] == [1]
    assert sorted(left.reason for left in report.left_behind) == [
        "it cannot be read: No such file or directory",
        "it is not what landed here: the disk has damaged it",
    ]


def test_what_the_other_end_refuses_goes_again_behind_the_rest(
    clinic: Site, hospital: Site, stick: Path, tmp_path: Path
) -> None:
    unwanted = clinic.land(b"unwanted")
    clinic.pack(stick)
    arrival = hospital.opener(tmp_path / "out").open(bundles_on(stick)[0])
    CourierOpened(hospital.database).refused(clinic.device, 1, (0,), reason="The PACS takes no films.")
    del arrival
    hospital.write_receipts(stick)
    assert clinic.take(stick)[0].refused == 1
    fresh = clinic.land(b"fresh", study="1.9")
    assert clinic.waiting() == [fresh.first.sha256, unwanted.first.sha256]
    assert clinic.database.read("SELECT reason FROM outbox WHERE attempts > 0") == [
        ("refused at the other end: The PACS takes no films.",)
    ]


def test_a_lost_stick_goes_again_and_its_late_receipt_still_counts(
    clinic: Site, hospital: Site, stick: Path, tmp_path: Path
) -> None:
    clinic.land(b"image")
    clinic.pack(stick)
    lost = tmp_path / "lost"
    shutil.move(bundles_on(stick)[0], lost.with_suffix(".scanside-courier"))
    assert clinic.waiting() == []
    clinic.packer(stick).give_up_on((1,))
    assert len(clinic.waiting()) == 1
    report = clinic.pack(stick)
    assert [b.bundle for b in report.bundles] == [2]
    hospital.open(lost.with_suffix(".scanside-courier"), tmp_path / "out")
    arrival = hospital.open(bundles_on(stick)[0], tmp_path / "out")
    assert arrival.never_came == ()
    assert len(sums(tmp_path / "out")) == 1
    hospital.write_receipts(stick)
    clinic.take(stick)
    assert clinic.unsent() == 0
    with pytest.raises(ConfigError, match="not on its way"):
        clinic.packer(stick).give_up_on((1,))


def test_a_bundle_that_never_came_is_missed(
    clinic: Site, hospital: Site, stick: Path, tmp_path: Path
) -> None:
    clinic.land(b"one")
    clinic.pack(stick)
    bundles_on(stick)[0].unlink()
    clinic.land(b"two")
    clinic.pack(stick)
    assert hospital.open(bundles_on(stick)[0], tmp_path / "out").never_came == (1,)


def test_the_network_may_take_it_meanwhile(clinic: Site, hospital: Site, stick: Path, tmp_path: Path) -> None:
    clinic.instead_of = ("pacs",)
    clinic.land(b"both ways", peers=("pacs", "courier"))
    clinic.land(b"by stick", study="1.4", peers=("pacs", "courier"))
    clinic.land(b"before there was a courier", study="1.5", peers=("pacs",))
    outbox = Outbox(clinic.database)
    first = outbox.next_send("pacs")
    assert first is not None
    outbox.sent(first)
    report = clinic.pack(stick)
    assert [b.files for b in report.bundles] == [2], "what the PACS has is not carried"
    hospital.open(bundles_on(stick)[0], tmp_path / "out")
    hospital.write_receipts(stick)
    clinic.take(stick)
    assert clinic.unsent() == clinic.unsent("pacs") == 0


def test_receipts_that_came_home_are_not_written_again(
    clinic: Site, hospital: Site, stick: Path, tmp_path: Path
) -> None:
    clinic.land(b"one")
    clinic.pack(stick)
    hospital.open(bundles_on(stick)[0], tmp_path / "out")
    (first,) = hospital.write_receipts(stick)
    assert hospital.write_receipts(stick) == (first,), "the same bytes under the same name"
    clinic.take(stick)
    clinic.land(b"two")
    clinic.pack(stick)
    hospital.open(bundles_on(stick)[1], tmp_path / "out")
    (second,) = hospital.write_receipts(stick)
    assert second != first


def test_opening_again_writes_nothing_twice(
    clinic: Site, hospital: Site, stick: Path, tmp_path: Path
) -> None:
    clinic.land(b"image")
    clinic.pack(stick)
    out = tmp_path / "out"
    assert not hospital.open(bundles_on(stick)[0], out).before
    (file,) = out.glob("*.dcm")
    before = file.stat().st_mtime_ns, file.stat().st_ino
    again = hospital.opener(out).open(bundles_on(stick)[0])
    assert again.before
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == before
    file.write_bytes(b"somebody changed it")
    keep(hospital.opener(out).open(bundles_on(stick)[0]), CourierOpened(hospital.database))
    assert file.read_bytes() == b"image"


def test_a_model_comes_in_with_a_bundle(clinic: Site, hospital: Site, stick: Path, tmp_path: Path) -> None:
    model = tmp_path / "chest_triage-4.zip"
    model.write_bytes(b"PK signed elsewhere")
    hospital.recipients = (clinic.recipient,)
    report = hospital.pack(stick, models=(model,))
    assert [(b.files, b.exams) for b in report.bundles] == [(1, 0)]
    arrival = clinic.open(bundles_on(stick)[0], tmp_path / "home")
    assert [path.parent.name for path in arrival.paths] == ["models"]
    assert arrival.paths[0].read_bytes() == model.read_bytes()
    clinic.write_receipts(stick)
    assert hospital.take(stick)[0].accepted == 1
    assert hospital.pack(stick).bundles == (), "it is not packed by itself again"


def test_without_a_recipient_nothing_is_packed(clinic: Site, stick: Path) -> None:
    clinic.recipients = ()
    with pytest.raises(ConfigError, match=r"courier\.recipients"):
        clinic.pack(stick)
    clinic.recipients = ("age1" + "q" * 58,)
    with pytest.raises(ConfigError, match="no recipient"):
        clinic.pack(stick)


def test_what_the_courier_carries_is_not_shown_as_being_sent(clinic: Site, stick: Path) -> None:
    clinic.land(b"image" * 1000)
    assert Board(clinic.database).counts().unsent == 1
    clinic.pack(stick)
    assert clinic.unsent() == 1
    assert Board(clinic.database).counts().unsent == 0
