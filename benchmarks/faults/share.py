# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A folder of another machine, as the appliance sees one: mounted, without file events, and sometimes away.

A FUSE file system (bindfs, of the Debian package of that name) stands for it. What is written behind the
mount is what another machine writes: the kernel tells nobody. Ending its process is a share that is away
(ENOTCONN), stopping it is a server that no longer answers.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Final

from typing_extensions import Self

MOUNT_LIMIT_S: Final = 10.0
LOOK_S: Final = 0.02


def why_no_share() -> str | None:
    """Why none can be made here; None when one can."""
    if os.geteuid() != 0:
        return "mounting needs root"
    if not Path("/dev/fuse").exists():
        return "there is no /dev/fuse"
    return None if shutil.which("bindfs") else "bindfs is not installed (package bindfs)"


class Share:
    """A context manager: mounted inside the block, unless `away`."""

    def __init__(self, *, behind: Path, mounted: Path) -> None:
        self.behind, self.mounted = behind, mounted
        self._process: subprocess.Popen[bytes] | None = None

    def come_back(self) -> None:
        """Mount it. Raises TimeoutError when that does not work."""
        self._unmount()
        self._process = subprocess.Popen((_program("bindfs"), "-f", str(self.behind), str(self.mounted)))
        waiter = Event()
        for _ in range(round(MOUNT_LIMIT_S / LOOK_S)):
            if os.path.ismount(self.mounted):
                return
            waiter.wait(LOOK_S)
        raise TimeoutError(f"bindfs did not mount {self.mounted}")

    def go_away(self) -> None:
        """Every access fails with ENOTCONN from now on, those under way as well."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def stop_answering(self) -> None:
        """Every access waits from now on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def answer_again(self) -> None:
        """And what waited goes on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _unmount(self) -> None:
        subprocess.run((_program("umount"), "--lazy", str(self.mounted)), capture_output=True, check=False)

    def __enter__(self) -> Self:
        self.behind.mkdir(parents=True, exist_ok=True)
        self.mounted.mkdir(parents=True, exist_ok=True)
        self.come_back()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self.go_away()
        self._unmount()


def _program(name: str) -> str:
    found = shutil.which(name)
    assert found is not None, f"{name} is not installed"
    return found
