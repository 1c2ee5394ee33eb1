# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A clinic or a hospital that packs, opens and writes receipts, with a data folder of its own."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from appliance.clock import ManualClock
from appliance.courier.forwarding import keep
from appliance.courier.opening import Arrival, Opener
from appliance.courier.packing import Packer, PackReport
from appliance.courier.receipts import TakenReceipt, take_receipts, write_receipts
from appliance.courier.sealing import own_identity, read_identities
from appliance.courier.words import CourierRefusedError
from appliance.device_key import device_key, public_pem
from appliance.domain.acquisition import (
    Acquisition,
    Completeness,
    Door,
    Instance,
    Kind,
    LandedFile,
    SliceRef,
    Urgency,
)
from appliance.domain.finding import Code, Decision, Finding
from appliance.domain.job import Lane
from appliance.domain.record import to_json
from appliance.domain.result import LaneResult
from appliance.layout import Layout
from appliance.models.keys import fingerprint_of, read_trust
from appliance.receivers import CourierSettings
from appliance.store.connection import Database
from appliance.store.courier import CourierOutbox
from appliance.store.courier_opened import CourierOpened
from appliance.store.courier_receipts import CourierReceipts
from appliance.store.landing import FileStatus, Landings
from appliance.store.outbox import Outbox, Render

LARGEST = 4_000_000_000
FILES = 9
"""Of the clinic whose packing is interrupted."""


def nothing(_: int) -> None:
    """Progress that nobody watches."""


@dataclass
class Site:
    """One machine."""

    layout: Layout
    database: Database
    clock: ManualClock
    partners: Path
    make_instance: Callable[..., Instance]
    name: str
    recipients: tuple[str, ...] = ()
    instead_of: tuple[str, ...] = ()
    landed: list[str] = field(default_factory=list)

    @property
    def settings(self) -> CourierSettings:
        return CourierSettings(
            recipients=self.recipients, partner_keys=self.partners, instead_of=self.instead_of
        )

    @property
    def recipient(self) -> str:
        return str(own_identity(self.layout.keys).to_public())

    @property
    def device(self) -> str:
        return fingerprint_of(device_key(self.layout.keys).public_key())

    def believe(self, other: Site) -> None:
        self.partners.mkdir(exist_ok=True)
        (self.partners / f"{other.name}.pem").write_bytes(public_pem(device_key(other.layout.keys)))

    def land(
        self, content: bytes, *, study: str = "1.2.3", peers: tuple[str, ...] = ("courier",)
    ) -> Acquisition:
        """A file that came in; its bytes need not be an image."""
        sha256 = hashlib.sha256(content).hexdigest()
        path = self.layout.spool / sha256[:2] / sha256
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        instance = self.make_instance(
            sha256=sha256,
            study_instance_uid=study,
            series_instance_uid=f"{study}.1",
            sop_instance_uid=f"{study}.{int(sha256[:8], 16)}",
        )
        acquisition = Acquisition(
            acquisition_id=sha256[:16],
            version=1,
            kind=Kind.PROJECTION,
            completeness=Completeness.COMPLETE,
            evidence="one image",
            urgency=Urgency.LIVE,
            instances=(instance,),
            slices=(SliceRef(instance=0, frame=0, position_mm=None),),
        )
        file = LandedFile(
            path=path,
            sha256=sha256,
            size_bytes=len(content),
            door=Door.FOLDER,
            source="x.dcm",
            urgency=Urgency.LIVE,
            landed_at_utc=self.clock.now_utc(),
            noticed_ns=0,
            landed_ns=1,
        )
        Landings(self.database, peers_for_originals=peers).land(
            file, status=FileStatus.ACCEPTED, instance=instance, acquisition=acquisition
        )
        self.landed.append(sha256)
        return acquisition

    def answer(self, acquisition: Acquisition, decision: Decision, content: bytes = b"") -> str:
        """A triage result with one finding, and its rendered object; returns the object's SHA-256."""
        finding = Finding(
            task="chest_triage",
            code=Code(value="36118008", scheme="SCT", meaning="Pneumothorax"),
            probability=0.5,
            sensitive_threshold=0.3,
            specific_threshold=0.6,
            decision=decision,
        )
        result = LaneResult(
            acquisition_id=acquisition.acquisition_id, version=1, lane=Lane.TRIAGE, findings=(finding,)
        )
        with self.database.transaction() as write:
            write(
                "INSERT INTO result (acquisition_id, version, lane, record, committed_at_utc, committed_ns,"
                " boot_id) VALUES (?, 1, 'triage', ?, '', 0, '')",
                (acquisition.acquisition_id, to_json(result)),
            )
        folder = self.layout.results_of(acquisition.acquisition_id, 1)
        folder.mkdir()
        file = folder / "report-triage.dcm"
        file.write_bytes(content or acquisition.acquisition_id.encode() * 10)
        with self.database.transaction() as write:
            rows = write(
                "INSERT INTO outbox (step, acquisition_id, version, lane, rank)"
                " VALUES ('render', ?, 1, 'triage', 10) RETURNING outbox_id",
                (acquisition.acquisition_id,),
            )
        render = Render(
            outbox_id=rows[0][0], acquisition_id=acquisition.acquisition_id, version=1, lane=Lane.TRIAGE
        )
        Outbox(self.database).rendered(render, deliveries=((file, "courier"),))
        return hashlib.sha256(file.read_bytes()).hexdigest()

    def packer(self, stick: Path) -> Packer:
        return Packer(
            settings=self.settings,
            site_name=self.name,
            layout=self.layout,
            database=self.database,
            clock=self.clock,
            folder=stick,
            progress=nothing,
        )

    def pack(self, stick: Path, *, max_bytes: int = LARGEST, models: tuple[Path, ...] = ()) -> PackReport:
        return self.packer(stick).run(max_bytes=max_bytes, models=models)

    def opener(self, out: Path) -> Opener:
        return Opener(
            out=out,
            opened=CourierOpened(self.database),
            trust=read_trust((self.partners,)),
            identities=read_identities(self.layout.keys),
            clock=self.clock,
            progress=nothing,
        )

    def open(self, bundle: Path, out: Path) -> Arrival:
        """Opened, and kept where it lies."""
        arrival = self.opener(out).open(bundle)
        keep(arrival, CourierOpened(self.database))
        return arrival

    def write_receipts(self, stick: Path) -> tuple[Path, ...]:
        opened = CourierOpened(self.database)
        return write_receipts(stick, opened, device_key(self.layout.keys), site_name=self.name)

    def take(self, stick: Path) -> tuple[TakenReceipt, ...]:
        receipts = CourierReceipts(self.database, peer="courier", instead_of=self.instead_of)
        trust = read_trust((self.partners,))
        return tuple(take_receipts(stick, receipts, device=self.device, trust=trust))

    def waiting(self) -> list[str]:
        """SHA-256 of what waits for a stick, in order."""
        files = CourierOutbox(self.database, peer="courier", instead_of=self.instead_of).waiting()
        return [hashlib.sha256((self.layout.data / file.path).read_bytes()).hexdigest() for file in files]

    def unsent(self, peer: str = "courier") -> int:
        rows: Any = self.database.read(
            "SELECT count(*) FROM outbox WHERE step = 'send' AND done = 0 AND peer = ?", (peer,)
        )
        return int(rows[0][0])


def bundles_on(stick: Path) -> list[Path]:
    return sorted(stick.glob("*.scanside-courier"))


def refusal(hospital: Site, bundle: Path, out: Path) -> str:
    """The words with which it is refused; nothing was written and nothing counts as opened."""
    with pytest.raises(CourierRefusedError) as refused:
        hospital.open(bundle, out)
    assert not out.exists() or not list(out.rglob("*"))
    assert hospital.database.read("SELECT * FROM courier_opened_file WHERE outcome = 'accepted'") == []
    return str(refused.value)


def opened(site: Site) -> Site:
    site.database = Database.open(site.layout.database, data=site.layout.data, clock=site.clock)
    return site


def open_everything(hospital: Site, stick: Path, out: Path) -> Counter[str]:
    """How often each file lies on the stick; every bundle there must be whole."""
    found: Counter[str] = Counter()
    for bundle in bundles_on(stick):
        arrival = hospital.open(bundle, out)
        found.update(entry.sha256 for entry in arrival.manifest.files)
    return found
