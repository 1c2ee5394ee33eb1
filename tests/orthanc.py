# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A real Orthanc on this machine, as Debian packages it: an archive that shares no code with us."""

from __future__ import annotations

import json
import subprocess
import time  # noqa: TID251  (a test waits for a real process)
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
import requests
from typing_extensions import Self

from tests.running import free_port

BINARY = Path("/usr/sbin/Orthanc")
PLUGINS = Path("/usr/share/orthanc/plugins")
START_LIMIT_S = 60.0
LOOK_INTERVAL_S = 0.05
HTTP_TIMEOUT_S = 30.0


class RunningOrthanc:
    """Orthanc with a folder, a DICOM port and a web port of its own. A context manager; ended by its own pid.

    `settings` are Orthanc's own, on top of what makes it small and local.
    """

    ae_title = "ORTHANC"

    def __init__(self, folder: Path, *, plugins: tuple[str, ...] = (), **settings: Any) -> None:
        if not BINARY.is_file():
            pytest.skip("no Orthanc here: `make setup-peers` installs it")
        folder.mkdir(parents=True, exist_ok=True)
        self.dicom_port, self.http_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.http_port}"
        self.log = folder / "orthanc.log"
        known: dict[str, Any] = {
            "Name": "archive of the tests",
            "StorageDirectory": str(folder / "storage"),
            "IndexDirectory": str(folder / "storage"),
            "DicomAet": self.ae_title,
            "DicomPort": self.dicom_port,
            "HttpPort": self.http_port,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "DicomAlwaysAllowStore": True,
            "StableAge": 1,
            "Plugins": [str(PLUGINS / name) for name in plugins],
        }
        self._configuration = folder / "orthanc.json"
        self._configuration.write_text(json.dumps(known | settings), encoding="utf-8")

    def __enter__(self) -> Self:
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(BINARY), str(self._configuration)], stdout=log, stderr=subprocess.STDOUT
            )
        limit = time.monotonic() + START_LIMIT_S
        while time.monotonic() < limit and self.process.poll() is None:
            try:
                if requests.get(f"{self.url}/system", timeout=HTTP_TIMEOUT_S).ok:
                    return self
            except requests.ConnectionError:
                time.sleep(LOOK_INTERVAL_S)
        self.__exit__(None, None, None)
        pytest.fail(
            f"Orthanc did not start:\n{self.log.read_text(encoding='utf-8', errors='replace')[-2000:]}"
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def instances(self) -> list[str]:
        """Orthanc's own identifiers of everything that it holds."""
        found: list[str] = self._get("instances").json()
        return found

    def tags(self, instance: str) -> dict[str, Any]:
        """The header that Orthanc indexed, by keyword."""
        found: dict[str, Any] = self._get(f"instances/{instance}/simplified-tags").json()
        return found

    def delete(self, instance: str) -> None:
        """As somebody does who clears it by hand."""
        requests.delete(f"{self.url}/instances/{instance}", timeout=HTTP_TIMEOUT_S).raise_for_status()

    def file(self, instance: str) -> bytes:
        """The DICOM file as Orthanc gives it back."""
        return self._get(f"instances/{instance}/file").content

    def _get(self, path: str) -> requests.Response:
        answer = requests.get(f"{self.url}/{path}", timeout=HTTP_TIMEOUT_S)
        answer.raise_for_status()
        return answer
