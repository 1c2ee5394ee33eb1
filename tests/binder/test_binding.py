# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The binder: every part is there or says why; hashes and signature hold; no patient is in it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.binder.binding import CONTEXT
from appliance.binder.parts import TRACE
from appliance.clock import NS_PER_S
from appliance.courier.signing import check
from appliance.device_key import device_key
from appliance.domain.audit import AuditEvent, AuditKind
from appliance.domain.card import ModelCard
from appliance.domain.quality import QualityCheck, Verdict
from appliance.errors import ConfigError
from appliance.models.inventory import Answering, Inventory
from appliance.models.keys import Signer, Trust, TrustedKey, fingerprint_of
from appliance.monitor.proof import ProofFile, moment, write_proof
from appliance.monitor.proof_log import ProofLog
from appliance.store.audit import note_alone
from tests.monitor.reports.conftest import Site, found

Bind = Callable[..., Any]
JUDGED = QualityCheck(
    criterion="field_of_view", verdict=Verdict.OK, value=1.0, unit="mm", limit=0.0, advice=""
)


def prove(site: Site, *, passed: bool = True) -> None:
    made = moment(site.clock)
    write_proof(
        site.layout.run,
        ProofFile(
            made=made,
            took_ms=10.0,
            passed=passed,
            failures=() if passed else ("the planted fault was not found",),
            image_passed=passed,
            last_passed=made if passed else None,
            interval_s=600.0,
        ),
    )


def test_an_empty_device_says_of_each_part_why_it_is_not_there(bind_one: Bind, tmp_path: Path) -> None:
    bound = bind_one()
    missing = {name for name, part in bound.items() if part.missing}
    assert missing == {"performance", "models", "timing", "selftests"}
    page = (tmp_path / "binder" / "index.html").read_text(encoding="utf-8")
    assert page.count("Not available:") == len(missing)
    assert "outcomes import" in page
    assert not any((tmp_path / "binder" / name).exists() for name in missing)
    assert {path.name for path in (tmp_path / "binder" / "trace").iterdir()} == set(TRACE)


def test_every_file_is_linked_hashed_and_signed(site: Site, bind_one: Bind, tmp_path: Path) -> None:
    bound = bind_one(sbom=Path(__file__))
    folder = tmp_path / "binder"
    page = (folder / "index.html").read_text(encoding="utf-8")
    linked = set(re.findall(r'href="([^"]+)"', page))
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    outside = {"index.html", "SHA256SUMS", "SIGNATURE", "device.pem"}
    assert linked == files - outside == {file for part in bound.values() for file in part.files}
    sums = (folder / "SHA256SUMS").read_bytes()
    for line in sums.decode("utf-8").splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert len(sums.splitlines()) == len(files - outside) + 1
    key = device_key(site.layout.keys).public_key()
    signer = Signer(name="it", fingerprint=fingerprint_of(key))
    trust = Trust(
        keys={signer.fingerprint: TrustedKey(signer=signer, key=key)}, revoked=frozenset(), problems=()
    )
    check(sums, (folder / "SIGNATURE").read_bytes(), trust, context=CONTEXT, what="the binder")


def test_latency_and_deadlines_are_counted_by_month(site: Site, bind_one: Bind, tmp_path: Path) -> None:
    for number in range(8):
        site.on(1 + number)
        site.exam(f"e{number}", found(0.9), quality=(JUDGED,))
    site.on(20)
    late = site.exam("late", quality=(JUDGED,))
    site.on(3, month=4)
    site.exam("april", quality=(JUDGED,))
    with site.database.transaction() as write:
        write(
            "UPDATE result SET committed_ns = committed_ns + ? WHERE acquisition_id = ? AND lane = 'quality'",
            (4 * NS_PER_S, late.acquisition_id),
        )
    bound = bind_one()
    assert bound["timing"].missing is None
    tables = json.loads((tmp_path / "binder" / "timing" / "timing.json").read_text(encoding="utf-8"))["parts"]
    (deadlines,) = tables[1]["tables"]["deadlines"]
    assert (deadlines["month"], deadlines["kind"]) == ("2026-03", "projection")
    assert (deadlines["in_time"], deadlines["late"]) == (8, 1)
    assert deadlines["late_share"] == pytest.approx(1 / 9)
    assert (deadlines["late_low"], deadlines["late_high"]) == pytest.approx(
        (0.0199, 0.4350), abs=1e-4
    )  # Wilson
    answers = {row["lane"]: row for row in tables[0]["tables"]["answers"]}
    assert answers["quality"]["n"] == 9
    assert answers["quality"]["longest_s"] >= 4.0
    assert answers["triage"]["longest_s"] < 4.0


def test_changes_are_told_in_three_parts(
    site: Site, bind_one: Bind, tmp_path: Path, chest_card: ModelCard
) -> None:
    log = ProofLog(site.layout)

    def happens(day: int, kind: AuditKind, *about: tuple[str, str]) -> None:
        site.on(day)
        note_alone(site.database, AuditEvent(kind=kind, who="user x", about=about))

    happens(2, AuditKind.SOFTWARE, ("software", "0.1.0"))
    happens(5, AuditKind.SOFTWARE, ("software", "0.2.0"))
    happens(6, AuditKind.MODEL, ("activated", chest_card.identity), ("release", "ab"))
    happens(7, AuditKind.MODEL, ("activated", "gone@1"))
    happens(8, AuditKind.STARTED)
    site.on(6, 9)
    for passed in (True, False):
        site.clock.advance(60)
        prove(site, passed=passed)
        log.note()
    site.on(31, month=5)
    note_alone(site.database, AuditEvent(kind=AuditKind.MODEL, who="x", about=(("activated", "later@1"),)))
    bind_one(inventory=Inventory(models=(answering(chest_card),), problems=()))
    content = json.loads((tmp_path / "binder" / "changes" / "changes.json").read_text(encoding="utf-8"))
    rows = content["parts"][0]["tables"]["changes"]
    assert [row["description"] for row in rows] == [
        "software from not known to 0.1.0",
        "software from 0.1.0 to 0.2.0",
        f"activated {chest_card.identity}, release ab",
        "activated gone@1",
    ]
    assert all(row["protocol"] and row["impact"] for row in rows)
    assert "1 of 2 passed" in rows[2]["impact"]
    assert "not kept" in rows[0]["impact"]  # the tests came four days later
    assert "not kept on this device" in rows[3]["impact"]


def answering(card: ModelCard) -> Answering:
    return Answering(card=card, signer=None, passports=(), stepped_back=None)


def test_self_tests_are_logged_once_and_counted(site: Site, bind_one: Bind, tmp_path: Path) -> None:
    log = ProofLog(site.layout)
    for day, passed in ((1, True), (2, True), (3, False)):
        site.on(day)
        prove(site, passed=passed)
        log.note()
        log.note()
    ProofLog(site.layout).note()  # another life of the process
    with (site.layout.proofs / "2026-03.jsonl").open("a", encoding="utf-8") as torn:
        torn.write('{"proof": "wor')
    site.on(2, month=4)
    prove(site)
    log.note()
    assert sorted(path.name for path in site.layout.proofs.iterdir()) == ["2026-03.jsonl", "2026-04.jsonl"]
    bind_one()
    content = json.loads((tmp_path / "binder" / "selftests" / "selftests.json").read_text(encoding="utf-8"))
    tables = content["parts"][0]["tables"]
    (month,) = tables["selftests"]
    assert (month["made"], month["failed"], month["longest_gap_s"]) == (3, 1, 86400.0)
    assert [row["what"] for row in tables["selftest-failures"]] == ["the planted fault was not found"]


def test_the_log_ends_at_its_length(site: Site) -> None:
    site.layout.proofs.mkdir()
    for month in range(70):
        (site.layout.proofs / f"19{30 + month // 12}-{month % 12 + 1:02}.jsonl").touch()
    prove(site)
    ProofLog(site.layout).note()
    assert len(list(site.layout.proofs.iterdir())) == 60


def test_no_patient_is_in_it(site: Site, bind_one: Bind, tmp_path: Path) -> None:
    site.exam("one", found(0.9), quality=(JUDGED,))
    bind_one()
    for file in (tmp_path / "binder").rglob("*"):
        if file.is_file():
            content = file.read_bytes().lower()
            assert b"canary^jane" not in content, file
            assert b"p-one" not in content, file


def test_the_trail_is_exported_and_verified(site: Site, bind_one: Bind, tmp_path: Path) -> None:
    site.exam("one", found(0.9))
    with site.database.transaction() as write:
        write("UPDATE audit SET record = replace(record, 'watcher', 'nobody') WHERE number = 1")
    bind_one()
    folder = tmp_path / "binder" / "audit"
    verified = json.loads((folder / "verification.json").read_text(encoding="utf-8"))
    assert "row 1" in verified["faults"][0]
    messages = (folder / "messages.txt").read_text(encoding="utf-8").splitlines()
    assert len(messages) == verified["count"]
    assert all(line.startswith("<AuditMessage>") for line in messages)


def test_a_folder_that_is_not_empty_is_left_alone(bind_one: Bind, tmp_path: Path) -> None:
    (tmp_path / "binder").mkdir()
    (tmp_path / "binder" / "mine").touch()
    with pytest.raises(ConfigError, match="not empty"):
        bind_one()
