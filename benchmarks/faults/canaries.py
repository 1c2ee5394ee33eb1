# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Exams of invented people whose names are looked for afterwards wherever no patient belongs.

Name, number, birth name, accession number, physician, institution, description and UIDs of each are unlike
any other text, and the file bears the name. Most exams are whole, others broken in nine ways; a worker is
aborted, the archive refuses everything and quotes the patient, a web address is told of notices, the screen
runs. Looked through are logs, heartbeats, faults, command lines of all processes, the names of all files that
we made, notices, the support bundle, the audit trail and de-identified copies. What is for the patient's care
(images, results, the store, the screen) is not.
"""

from __future__ import annotations

import http.server
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import psutil
import pydicom
from pydicom.config import IGNORE
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.presentation import StoragePresentationContexts
from typing_extensions import Self

from appliance.clock import Clock, SystemClock
from appliance.errors import StoreError
from appliance.selftest.phantom_radiograph import Identity, write_chest
from appliance.store.board import Board
from benchmarks.appliance_run import Appliance, has_ended, running_appliance
from benchmarks.faults.figure import Run

CANARIES: Final = 1000
EXAMS_A_ROUND: Final = 50
SETTLE_LIMIT_S: Final = 420.0
SEED: Final = 20260
LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels: no canary is a word."""
CARE: Final = frozenset({"inbox", "spool", "quarantine", "results", "views", "store"})
"""Folders whose content is for the patient's care; their files' names are looked at all the same, but for the
inbox, where others choose them."""
COMMAND_LIMIT_S: Final = 240


class Canary:
    """One invented person. Every word of theirs holds a part that stands nowhere else."""

    def __init__(self, number: int) -> None:
        chance = random.Random(SEED + number)  # noqa: S311  (the same each time)
        self.number = number
        self.words = tuple("".join(chance.choices(LETTERS, k=10)) for _ in range(8))
        self.uid = f"2.25.{chance.getrandbits(100) + 10**29}"

    @property
    def tokens(self) -> tuple[str, ...]:
        """What must not be found."""
        return (*self.words, self.uid)

    def put_into(self, image: Dataset) -> None:
        """Into the header, as a hospital would."""
        family, given, number, accession, physician, institution, description, other = self.words
        image.PatientName = f"{family}^{given}"
        image.PatientID = number
        image.AccessionNumber = accession
        image.ReferringPhysicianName = f"DR^{physician}"
        image.InstitutionName = institution
        image.StudyDescription = description
        image.PatientMotherBirthName = other
        image.StudyInstanceUID = self.uid
        image.SeriesInstanceUID = f"{self.uid}.1"
        image.SOPInstanceUID = f"{self.uid}.1.1"
        image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID


def write_exam(canary: Canary, model: Path, folder: Path) -> Path:
    """An exam whose file bears the patient's name, too; most are whole, others are broken in eight ways."""
    image = pydicom.dcmread(model)
    canary.put_into(image)
    family, given = canary.words[:2]
    file = folder / f"{family}_{given}.dcm"
    way = canary.number % 16
    if way == 1:
        del image.PixelData
    elif way == 2:
        image.Rows = 60000
    elif way == 3:
        image.PhotometricInterpretation = family
    elif way == 4:
        image.BodyPartExamined = family
        image.add(DataElement("PatientID", "LO", canary.words[2] * 8, validation_mode=IGNORE))  # too long
    elif way == 5:
        image.SOPClassUID = f"{canary.uid}.9"
        image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID
    elif way == 6:
        image.Modality = family
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pydicom.dcmwrite(file.with_suffix(".writing"), image)
    content = file.with_suffix(".writing").read_bytes()
    file.with_suffix(".writing").unlink()
    if way == 7:
        content = content[: len(content) * 2 // 3]
    elif way == 8:
        content = f"{family}^{given}\n".encode() * 100
    elif way == 9:
        content = content.replace(b"US\x02\x00", b"ZZ\x02\x00")
    file.write_bytes(content)
    return file


class _Refuses:
    """An archive that quotes the patient when it refuses, and a web address that is told of notices."""

    def __init__(self) -> None:
        self.told: list[bytes] = []
        told = self.told

        class Told(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told.append(self.path.encode() + self.rfile.read(int(self.headers.get("Content-Length", 0))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing on our standard error."""

        self._web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Told)
        self._thread = threading.Thread(target=self._web.serve_forever)
        entity = AE(ae_title="ARCHIVE")
        entity.supported_contexts = StoragePresentationContexts
        self._archive: Any = entity.start_server(
            ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, _refuse)]
        )

    @property
    def settings(self) -> dict[str, str]:
        peer = {"name": "archive", "host": "127.0.0.1", "port": self._archive.server_address[1]}
        hook = {"name": "ward", "url": f"http://127.0.0.1:{self._web.server_address[1]}/"}
        return {
            "SCANSIDE__SENDER__PEERS": json.dumps([peer | {"ae_title": "ARCHIVE"}]),
            "SCANSIDE__SENDER__WEBHOOKS": json.dumps([hook | {"cooldown_s": 0}]),
            "SCANSIDE__SENDER__RETRY_FIRST_S": "1",
            "SCANSIDE__SENDER__RETRY_LONGEST_S": "2",
        }

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._web.shutdown()
        self._web.server_close()
        self._thread.join()
        self._archive.shutdown()


def _refuse(event: Any) -> Dataset:
    answer = Dataset()
    answer.Status = 0xC000
    answer.ErrorComment = str(event.dataset.get("PatientName", ""))[:64]
    return answer


@contextmanager
def _command_lines(pid: int) -> Iterator[set[str]]:
    """Of every process below `pid`, looked at again and again."""
    seen: set[str] = set()
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            with suppress(psutil.Error):
                for process in psutil.Process(pid).children(recursive=True):
                    with suppress(psutil.Error):
                        seen.add(" ".join(process.cmdline()))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def leaks(folder: Path, canaries: list[Canary], clock: Clock) -> list[str]:
    """Push these exams through an appliance in `folder`; where a canary was found, in words."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "made").mkdir(parents=True)
    model = folder / "model.dcm"
    write_chest(model, identity=Identity(seed=1), rows=360, columns=300)
    files = [write_exam(canary, model, folder / "made") for canary in canaries]
    data, outside = folder / "data", folder / "outside"
    outside.mkdir()
    with (
        _Refuses() as others,
        running_appliance(data, clock, kiosk=True, settings=others.settings) as appliance,
        _command_lines(appliance.pid) as lines,
    ):
        appliance.wait_for(appliance.layout.database.exists, timeout_s=60, what="start")
        half = len(files) // 2
        for file in files[:half]:
            shutil.copyfile(file, appliance.layout.inbox / file.name)
        appliance.wait_for(lambda: _settled(appliance) > 3, timeout_s=SETTLE_LIMIT_S, what="answer exams")
        _abort_a_worker(appliance)
        for file in files[half:]:
            shutil.copyfile(file, appliance.layout.inbox / file.name)
        count = len(files)
        appliance.wait_for(lambda: _settled(appliance) >= count, timeout_s=SETTLE_LIMIT_S, what="settle")
        clock.sleep(1.0)  # for last words
    _ask(data, outside, folder / "made", others.settings)
    (outside / "command-lines").write_bytes("\n".join(sorted(lines)).encode())
    (outside / "notices").write_bytes(b"\n".join(others.told))
    return list(_found(data, outside, canaries))


def _settled(appliance: Appliance) -> int:
    try:
        with appliance.store() as database:
            board = Board(database)
            ended = sum(entry.instance_count for entry in board.entries(limit=5000) if has_ended(entry))
            return ended + len(board.set_aside())
    except StoreError:  # it is still being made
        return 0


def _abort_a_worker(appliance: Appliance) -> None:
    """The way in which a fault in a library would end it: faulthandler writes where it was."""
    for child in psutil.Process(appliance.pid).children():
        if "worker" in child.cmdline():
            child.send_signal(signal.SIGABRT)


def _ask(data: Path, outside: Path, made: Path, settings: dict[str, str]) -> None:
    """What people get out of the device who are not the patient's."""
    log = data / "run.log"
    commands = {
        "support": ("support-bundle", "--out", outside / "support.zip", "--log", log, "--data", data),
        "audit": ("audit", "export", "--data", data),
        "verify": ("audit", "verify", "--data", data),
        "deidentify": ("deidentify", made, "--out", outside / "copies", "--pixels-looked-at", "--data", data),
    }
    for name, arguments in commands.items():
        done = subprocess.run(
            [sys.executable, "-m", "appliance", *map(str, arguments)],
            env={**os.environ, **settings},
            capture_output=True,
            check=False,
            timeout=COMMAND_LIMIT_S,
        )
        if name != "deidentify":  # it names the files that it was given, to who gave them
            (outside / f"{name}.out").write_bytes(done.stdout + done.stderr)
    with zipfile.ZipFile(outside / "support.zip") as bundle:
        bundle.extractall(outside / "support")


def _found(data: Path, outside: Path, canaries: list[Canary]) -> Iterator[str]:
    tokens = {token.encode(): canary.number for canary in canaries for token in canary.tokens}
    for top in (data, outside):
        for path in sorted(top.rglob("*")):
            relative = path.relative_to(top)
            if top == data and relative.parts[0] == "inbox":
                continue
            yield from (
                f"canary {n} in the name of a file below {relative.parts[0]}"
                for t, n in tokens.items()
                if t in os.fsencode(path.name)
            )
            if not path.is_file() or (top == data and relative.parts[0] in CARE):
                continue
            content = path.read_bytes()
            yield from (f"canary {n} in {relative}" for t, n in tokens.items() if t in content)


def run(run: Run) -> None:
    """CANARIES of them, EXAMS_A_ROUND in each appliance."""
    counts = run.counted() or {"canaries": 0, "hits": 0, "failures": []}
    clock, promised = SystemClock(), run.rounds(CANARIES)
    while counts["canaries"] < promised:
        first = counts["canaries"]
        last = min(first + EXAMS_A_ROUND, promised)
        found = leaks(run.folder / "round", [Canary(number) for number in range(first, last)], clock)
        counts |= {"canaries": last, "hits": counts["hits"] + len(found)}
        counts["failures"] += found[:20]
        run.note(counts)
        run.progress("canaries", last, promised)
