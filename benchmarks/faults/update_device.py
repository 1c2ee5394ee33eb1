# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A whole appliance under the launcher, with two slots, and somebody who goes on sending images to it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Final

import psutil
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydicom import Dataset, dcmread
from pydicom.uid import generate_uid
from pynetdicom import AE
from typing_extensions import Self

from appliance.clock import NS_PER_S, SystemClock
from appliance.layout import Layout
from appliance.selftest.phantom_radiograph import Identity, write_chest
from appliance.updates.choice import LAUNCHER, Choice, read_choice
from appliance.updates.slot_build import PLATFORM
from benchmarks.faults.update_bundles import KEY

LOOK_S: Final = 0.2
UP_WITHIN_S: Final = 180.0
PAUSE_S: Final = 0.5


def free_port() -> int:
    """One that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def is_open(port: int) -> bool:
    """Whether somebody on this machine listens there."""
    found = psutil.net_connections(kind="tcp")
    return any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in found)


class UpdatedDevice:
    """The launcher on a root and a data folder. A context manager; the end kills everything."""

    def __init__(self, folder: Path, *, prove_within_s: float = 240.0) -> None:
        """`folder` is made; the packages that Scanside needs come from this environment."""
        self.root, self.layout = folder / "software", Layout(data=folder / "data")
        self._log = folder / "launcher.log"
        self._clock = SystemClock()
        self._processes: list[subprocess.Popen[bytes]] = []
        self.port = free_port()
        self.root.mkdir(parents=True, exist_ok=True)
        keys = folder / "keys"
        keys.mkdir(exist_ok=True)
        pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (keys / "figure.pem").write_bytes(pem)
        (self.root / PLATFORM).write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
        self.settings = folder / "device.toml"
        self.settings.write_text(
            f'[update]\nkeys = "{keys}"\nprove_within_s = {prove_within_s}\n'
            f"[listener]\nport = {self.port}\n[metrics]\nport = {free_port()}\n",
            encoding="utf-8",
        )

    @property
    def choice(self) -> Choice:
        """As it stands."""
        choice = read_choice(self.root)
        assert choice is not None, "no slot is whole"
        return choice

    def start(self) -> None:
        """Switch it on."""
        command = ["run", "--data", str(self.layout.data), "--config", str(self.settings)]
        with self._log.open("ab") as log:
            self._processes.append(
                subprocess.Popen(
                    [sys.executable, "-I", str(self.root / LAUNCHER), *command],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            )

    def command(self, *words: str) -> subprocess.Popen[bytes]:
        """`scanside update ...` of what runs there, as a person would; at first of this source."""
        runs = read_choice(self.root) is not None
        there = (sys.executable, "-I", str(self.root / LAUNCHER), "exec")
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [
                    *(there if runs else (sys.executable, "-m", "appliance")),
                    *("update", *words, "--root", str(self.root)),
                    *("--data", str(self.layout.data)),
                    *(("--config", str(self.settings)) if words[0] != "rollback" else ()),
                ],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._processes.append(process)
        return process

    def pull_the_plug(self) -> None:
        """Kill -9 for everything that was started here, all at once."""
        victims: list[psutil.Process] = []
        for process in self._processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                victims += [
                    psutil.Process(process.pid),
                    *psutil.Process(process.pid).children(recursive=True),
                ]
        for victim in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                victim.kill()
        psutil.wait_procs(victims, timeout=30)
        for process in self._processes:
            process.wait()
        self._processes.clear()

    def answers(self) -> bool:
        """Whether the DICOM door is open. Nobody is bothered by being asked."""
        return is_open(self.port)

    def wait_for(self, condition: Callable[[], bool], *, limit_s: float = UP_WITHIN_S) -> float:
        """Seconds until it held. Raises TimeoutError with the end of the log."""
        started_ns = self._clock.monotonic_ns()
        while not condition():
            passed_s = (self._clock.monotonic_ns() - started_ns) / NS_PER_S
            if passed_s > limit_s:
                tail = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise TimeoutError(f"after {passed_s:.0f} s: {read_choice(self.root)}\n{tail}")
            self._clock.sleep(LOOK_S)
        return (self._clock.monotonic_ns() - started_ns) / NS_PER_S

    def wait_until_up(self) -> float:
        """Seconds until the door is open and the store was brought to what runs."""
        return self.wait_for(lambda: self.choice.settled and self.answers())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.pull_the_plug()


class Sender:
    """A modality that sends one image after the other, whatever happens, and knows what was acknowledged."""

    def __init__(self, port: int, folder: Path) -> None:
        self._port = port
        self._stop = Event()
        self._kept = folder / "acknowledged.txt"
        known = self._kept.read_text(encoding="ascii").split() if self._kept.exists() else []
        self.acknowledged: list[str] = known
        """SOPInstanceUIDs, those of an earlier part of the same run included."""
        self.refused = 0
        """Sent and not acknowledged: nobody was there."""
        file = folder / "sent.dcm"
        write_chest(file, identity=Identity(seed=1), rows=240, columns=200)
        self._image = dcmread(file)
        self._thread = Thread(target=self._run, name="sender")

    def _run(self) -> None:
        for image in self._images():
            if self._stop.wait(PAUSE_S):
                return
            if self._store(image):
                self.acknowledged.append(str(image.SOPInstanceUID))
                with self._kept.open("a", encoding="ascii") as kept:
                    kept.write(f"{image.SOPInstanceUID}\n")
            else:
                self.refused += 1

    def _images(self) -> Iterator[Dataset]:
        number = 0
        while True:
            number += 1
            image = self._image
            for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"):
                setattr(image, keyword, generate_uid())
            image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
            image.PatientID = f"SENT-{number}"
            yield image

    def _store(self, image: Dataset) -> bool:
        if not is_open(self._port):  # the library leaves its own socket open where nobody listens
            return False
        entity = AE()
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 30
        entity.add_requested_context(image.SOPClassUID, image.file_meta.TransferSyntaxUID)
        association = entity.associate("127.0.0.1", self._port, ae_title="SCANSIDE")
        if not association.is_established:
            transport = association.dul.socket
            if transport is not None and transport.socket is not None:
                transport.socket.close()
            return False
        try:
            answer: Dataset = association.send_c_store(image)
            association.release()
        except (OSError, RuntimeError, ValueError):  # it was cut in the middle
            return False
        return "Status" in answer and int(answer.Status) == 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
