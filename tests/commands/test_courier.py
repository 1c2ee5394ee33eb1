# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside courier` from end to end: an appliance, a stick, a hospital with a real Orthanc, and home."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from appliance.clock import SystemClock
from appliance.layout import Layout
from appliance.selftest.phantom_radiograph import Identity, write_chest
from appliance.store.connection import Database
from tests.command_line import json_lines, scanside
from tests.orthanc import RunningOrthanc
from tests.running import RunningAppliance

STUDIES = 2


class Ends:
    """Two machines' settings as environment variables, and the stick between them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stick = folder / "stick"
        self.stick.mkdir()
        self.clinic: dict[str, str] = {"SCANSIDE__COURIER__PARTNER_KEYS": str(folder / "clinic-partners")}
        self.hospital: dict[str, str] = {"SCANSIDE__COURIER__PARTNER_KEYS": str(folder / "hospital-partners")}

    def say(self, end: str, *arguments: str | Path, code: int = 0) -> list[dict[str, Any]]:
        """The JSON of a command at one of the two ends."""
        data: tuple[str | Path, ...] = ("--data", self.folder / f"{end}-data")
        if arguments[0] == "trust":
            data = ()
        done = scanside(
            "courier", *arguments, *data, "--json", cache=self.folder / "cache", **getattr(self, end)
        )
        assert done.returncode == code, done.stdout + done.stderr
        return json_lines(done)

    def introduce(self) -> None:
        """Each end gets the other's key, the clinic the hospital's recipient."""
        for end, other in (("clinic", "hospital"), ("hospital", "clinic")):
            pem = self.folder / f"{other}.public.pem"
            (keys,) = self.say(other, "keys", "--save", pem)
            self.say(end, "trust", pem, "--fingerprint", keys["fingerprint"])
            if other == "hospital":
                self.clinic["SCANSIDE__COURIER__RECIPIENTS"] = f'["{keys["recipient"]}"]'


@pytest.fixture
def ends(tmp_path: Path) -> Ends:
    made = Ends(tmp_path)
    made.introduce()
    return made


def open_rows(data: Path, step: str) -> int:
    """Rows of the outbox that wait for this."""
    file = Layout(data=data).database
    with Database.open_to_read(file, data=data, clock=SystemClock()) as database:
        rows = database.read("SELECT count(*) FROM outbox WHERE done = 0 AND step = ?", (step,))
        return int(rows[0][0])


def test_a_study_goes_by_stick_into_a_real_orthanc_and_its_receipt_comes_home(
    ends: Ends, tmp_path: Path
) -> None:
    data = tmp_path / "clinic-data"
    with RunningAppliance(data, **ends.clinic) as appliance:
        for number in range(STUDIES):
            file = tmp_path / f"{number}.dcm"
            write_chest(
                file, identity=Identity(seed=number, patient_name="CANARY^JANE"), rows=700, columns=600
            )
            shutil.move(file, appliance.layout.inbox / file.name)
        appliance.wait_for_answers(STUDIES, limit_s=120)
        appliance.wait_for(lambda _: not open_rows(data, "render"), limit_s=30)
        assert appliance.stop() == 0

    (before,) = ends.say("clinic", "status")
    assert before["waiting_exams"] == STUDIES
    *packed, report = ends.say("clinic", "pack", ends.stick)
    assert [line["packed"]["exams"] for line in packed] == [STUDIES]
    assert report["waiting_files"] == 0
    (away,) = ends.say("clinic", "status")
    assert (away["waiting_files"], away["carried_files"]) == (0, before["waiting_files"])

    with RunningOrthanc(tmp_path / "orthanc") as orthanc:
        ends.hospital["SCANSIDE__SENDER__PEERS"] = (
            f'[{{"name": "PACS", "host": "127.0.0.1", "port": {orthanc.dicom_port}, "ae_title": "ORTHANC"}}]'
        )
        out = tmp_path / "out"
        (opened,) = ends.say("hospital", "open", ends.stick, "--out", out, "--send")
        assert opened["accepted"] == opened["files"] == before["waiting_files"]
        assert opened["refused"] == opened["waiting"] == 0
        assert len(orthanc.instances()) == opened["files"]
        modalities = {orthanc.tags(instance)["Modality"] for instance in orthanc.instances()}
        assert {"DX", "SR"} <= modalities
        again = ends.say("hospital", "open", ends.stick, "--out", out, "--send")
        assert again[0]["status"] == "opened before"
        assert len(orthanc.instances()) == opened["files"]
    (receipt,) = ends.say("hospital", "receipt", ends.stick)
    assert Path(receipt["receipt"]).is_file()

    (taken,) = ends.say("clinic", "take-receipts", ends.stick)
    assert (taken["accepted"], taken["signer"]) == (opened["files"], "hospital")
    (home,) = ends.say("clinic", "status")
    assert (home["waiting_files"], home["carried_files"]) == (0, 0)
    assert [bundle["state"] for bundle in home["bundles"]] == ["closed"]
    assert open_rows(data, "send") == open_rows(data, "render") == 0
    log = (data / "appliance.log").read_text(encoding="utf-8", errors="replace")
    names = " ".join(os.fsdecode(file.name) for file in ends.stick.iterdir())
    assert "CANARY" not in log + names


def test_mistakes_are_said_in_words(ends: Ends, tmp_path: Path) -> None:
    nobody = scanside("courier", "pack", ends.stick, "--data", tmp_path / "x", cache=tmp_path / "cache")
    assert nobody.returncode == 78
    assert "No recipient is named" in nobody.stderr
    no_stick = scanside("courier", "pack", tmp_path / "none", cache=tmp_path / "cache", **ends.clinic)
    assert no_stick.returncode == 78
    assert "There is no stick" in no_stick.stderr
    unnamed = scanside("courier", "take-receipts", cache=tmp_path / "cache", **ends.clinic)
    assert "No stick is named" in unnamed.stderr
    empty = scanside("courier", "open", ends.stick, "--out", tmp_path / "out", cache=tmp_path / "cache")
    assert "There is no bundle" in empty.stderr


def test_a_late_receipt_is_said(ends: Ends, tmp_path: Path) -> None:
    ends.say("clinic", "pack", ends.stick, "--model", _model(tmp_path))
    data = tmp_path / "clinic-data"
    with Database.open(Layout(data=data).database, data=data, clock=SystemClock()) as database:
        database.read("UPDATE courier_bundle SET packed_at_utc = '2026-01-01T00:00:00+00:00'")
    (status,) = ends.say("clinic", "status", code=1)
    assert status["receipts_late"] == 1
    words = scanside("courier", "status", "--data", data, cache=tmp_path / "cache", **ends.clinic)
    assert "NO RECEIPT" in words.stdout
    assert "--again 1" in " ".join(words.stdout.split())
    ends.say("clinic", "pack", ends.stick, "--again", "1")
    ends.say("clinic", "status")


def test_refused_things_end_with_code_1_and_their_reason(ends: Ends, tmp_path: Path) -> None:
    ends.say("clinic", "pack", ends.stick, "--model", _model(tmp_path))
    (bundle,) = ends.stick.glob("*.scanside-courier")
    (ends.stick / "broken.scanside-courier").write_bytes(bundle.read_bytes()[:-1])
    lines = ends.say("hospital", "open", ends.stick, "--out", tmp_path / "out", code=1)
    assert [line["status"] for line in lines] == ["refused", "opened"]
    (ends.stick / "broken.scanside-receipt").write_bytes(b"thank you")
    (receipt,) = ends.say("clinic", "take-receipts", ends.stick, code=1)
    assert "signature is damaged" in receipt["trouble"]


def _model(folder: Path) -> Path:
    file = folder / "model.zip"
    file.write_bytes(b"signed elsewhere")
    return file
