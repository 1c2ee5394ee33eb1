# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What arrived is sent on to real receivers, and only what all of them have is accepted."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.uid import DigitalXRayImageStorageForPresentation as Radiograph

from appliance.config import Settings
from appliance.courier.forwarding import Forwarded, send_on
from appliance.receivers import PeerSettings, SenderSettings
from appliance.selftest.phantom_radiograph import Identity, write_chest
from appliance.store.courier_opened import CourierOpened
from tests.courier_site import Site, bundles_on, nothing
from tests.receiver import receiver
from tests.running import free_port

NOBODY_LISTENS = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""pynetdicom drops the socket of a refused connection without closing it; Python closes it at once."""
FILMS = 3


def peer(name: str, port: int, **known: bool) -> PeerSettings:
    return PeerSettings(name=name, host="127.0.0.1", port=port, ae_title="ARCHIVE", **known)  # type: ignore[arg-type]


@pytest.fixture
def carried(clinic: Site, stick: Path, tmp_path: Path) -> Path:
    """A bundle with real images."""
    for number in range(FILMS):
        file = tmp_path / "film.dcm"
        write_chest(file, identity=Identity(seed=number), rows=64, columns=64)
        clinic.land(file.read_bytes(), study=f"1.2.{number}")
    clinic.pack(stick)
    return bundles_on(stick)[0]


def forward(hospital: Site, bundle: Path, out: Path, *peers: PeerSettings) -> Forwarded:
    settings = Settings(sender=SenderSettings(peers=peers))
    opened = CourierOpened(hospital.database)
    return send_on(hospital.opener(out).open(bundle), opened, settings, progress=nothing)


@NOBODY_LISTENS
def test_a_pacs_that_is_away_leaves_the_rest_unanswered_and_the_next_run_goes_on(
    carried: Path, clinic: Site, hospital: Site, stick: Path, tmp_path: Path
) -> None:
    out, port = tmp_path / "out", free_port()
    away = forward(hospital, carried, out, peer("pacs", port))
    assert (away.accepted, away.refused, away.waiting) == (0, 0, FILMS)
    assert away.trouble is not None
    assert "does not answer" in away.trouble.what
    assert hospital.write_receipts(stick) == (), "nothing is known, so nothing is said"
    with receiver(takes=Radiograph, port=port) as (_, received):
        done = forward(hospital, carried, out, peer("pacs", port))
    assert (done.accepted, done.waiting, len(received)) == (FILMS, 0, FILMS)
    hospital.write_receipts(stick)
    clinic.take(stick)
    assert clinic.unsent() == 0


def test_a_film_that_is_refused_is_said_home_with_the_words(
    carried: Path, clinic: Site, hospital: Site, stick: Path, tmp_path: Path
) -> None:
    answers = iter((0x0000, 0xC000, 0x0000))
    with receiver(takes=Radiograph, status=lambda _: next(answers)) as (port, _):
        done = forward(hospital, carried, tmp_path / "out", peer("pacs", port))
    assert (done.accepted, done.refused, done.waiting, done.trouble) == (FILMS - 1, 1, 0, None)
    hospital.write_receipts(stick)
    (taken,) = clinic.take(stick)
    assert (taken.accepted, taken.refused) == (FILMS - 1, 1)
    assert len(clinic.waiting()) == 1
    ((reason,),) = clinic.database.read("SELECT reason FROM outbox WHERE done = 0")
    assert "0xC000" in reason


def test_it_is_accepted_only_when_all_have_it(carried: Path, hospital: Site, tmp_path: Path) -> None:
    with (
        receiver(takes=Radiograph) as (first, has),
        receiver(takes=Radiograph, status=0xA700) as (second, _),
    ):
        done = forward(hospital, carried, tmp_path / "out", peer("a", first), peer("b", second))
    assert (done.accepted, done.waiting) == (0, FILMS)
    assert len(has) == 1


def test_who_wants_no_originals_gets_none(carried: Path, hospital: Site, tmp_path: Path) -> None:
    with receiver(takes=Radiograph) as (port, received):
        done = forward(hospital, carried, tmp_path / "out", peer("results only", port, originals=False))
    assert (done.accepted, len(received)) == (FILMS, 0)
