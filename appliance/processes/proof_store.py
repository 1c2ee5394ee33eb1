# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The store of the test exam: a data folder of its own, beside that of the patients and never mixed with it.

The exam goes through the same processes, the same code and the same jails as any other, but every row and
every file of it lies below `selftest/path`. So no list, no count, no report and no receiver of the device can
ever meet it, whatever is added to them later: they read another database.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Final

import structlog
from typing_extensions import Self

from appliance.clock import Clock
from appliance.config import Settings
from appliance.errors import StoreError
from appliance.layout import Layout
from appliance.receivers import PeerSettings, SenderSettings
from appliance.store.connection import Database

RECEIVER: Final = "self-test"
"""The private receiver: a folder."""


def path_layout(layout: Layout) -> Layout:
    """The data folder of the test exam."""
    return Layout(data=layout.selftest / "path")


def path_settings(settings: Settings) -> Settings:
    """The appliance's settings with one receiver only, whose address cannot exist (RFC 2606)."""
    nobody = PeerSettings(name=RECEIVER, host="self-test.invalid", port=1, ae_title="SELFTEST")
    return settings.model_copy(update={"sender": SenderSettings(peers=(nobody,))})


class ProofStore:
    """One process's connection to it, opened when it is used and again when somebody deleted the folder.

    A context manager. Trouble with this store is trouble of the proof, never of the patients' images.
    """

    def __init__(self, layout: Layout, clock: Clock, *, opened: Callable[[Database], None]) -> None:
        """`opened` is told of each new connection, to build what works on it."""
        self.layout = path_layout(layout)
        self._clock = clock
        self._opened = opened
        self._database: Database | None = None
        self._inode = 0
        self._log = structlog.get_logger()
        self._said = ""

    def ready(self) -> bool:
        """Whether it can be worked on now."""
        try:
            if self._database is None or self._file_id() != self._inode:
                self.close()
                self.layout.create()
                self._database = Database.open(self.layout.database, data=self.layout.data, clock=self._clock)
                self._inode = self._file_id()
                self._opened(self._database)
        except (StoreError, OSError) as error:
            self.trouble(error)
            return False
        return True

    def trouble(self, error: Exception) -> None:
        """Something was in the way: the next try opens it anew. Said when it starts."""
        self.close()
        words = error.what if isinstance(error, StoreError) else type(error).__name__
        if words != self._said:
            self._log.error("the test exam has no store", reason=words)
        self._said = words

    def _file_id(self) -> int:
        try:
            return self.layout.database.stat().st_ino
        except FileNotFoundError:
            return 0

    def close(self) -> None:
        """Give the file back."""
        database, self._database = self._database, None
        if database is not None:
            database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
