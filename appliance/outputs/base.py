# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What an output is: a result rendered to bytes (pure), and delivered to somebody (idempotent).

A renderer is a file in this folder with an `OUTPUT`; a way out is a file `<kind>_send.py` with a function
`destination(receiver, settings)`, and `echo(receiver, settings)` where one can ask without sending. What is
no DICOM object is rendered by a `<word>_message.py`, only while somebody takes it; its function
`message(ending, settings, layout)` makes the `Output`. The end of a file's name says what it is, and who
takes it (`receivers`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from appliance.domain.acquisition import Acquisition
from appliance.domain.commitment import CommitmentReport, StoredObject
from appliance.domain.result import LaneResult

WHOLE_LANE: Final = "analysis"
"""The task of the refusal that stands for a lane that came to no result at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """One finished object, ready to leave."""

    file_name: str
    """Unique by content: a repeat of the work is the same name and the same bytes."""
    content: bytes


class Output(Protocol):
    """Turns a lane's result into standard objects. Same input, same bytes."""

    name: str

    def render(self, acquisition: Acquisition, result: LaneResult) -> tuple[Rendered, ...]:
        """The objects that say this; empty when there is nothing for this output to say."""


class Destination(Protocol):
    """Somebody who receives files: a folder, a PACS, a printer."""

    name: str

    def deliver(self, path: Path) -> None:
        """Hand over one file; handing it over twice does no harm. Raises DeliveryError."""


@runtime_checkable
class Keeper(Destination, Protocol):
    """A destination with a connection that lasts, and that can be asked whether it keeps what it took."""

    @property
    def is_open(self) -> bool:
        """Is a connection kept?"""

    def expect(self, paths: tuple[Path, ...]) -> None:
        """What is going to be handed over next. Costs nothing."""

    def rest(self) -> None:
        """Give back what is kept open. May take as long as the peer does."""

    def ask(self, objects: tuple[StoredObject, ...], transaction_uid: str) -> None:
        """Ask for its word that it keeps these. Raises DeliveryError."""

    def reports(self) -> tuple[CommitmentReport, ...]:
        """Answers that have come since the last call."""

    def close(self) -> None:
        """The end: give back everything."""
