# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What arrived counts as accepted where it lies, or once the receivers of the settings have it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from appliance.config import Settings
from appliance.courier.opening import Arrival
from appliance.courier.stick import Progress
from appliance.errors import DeliveryError
from appliance.outputs.base import Destination, Keeper
from appliance.outputs.catalogue import destination
from appliance.receivers import ReceiverSettings
from appliance.store.courier_opened import CourierOpened


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarded:
    """What became of the files of a bundle."""

    accepted: int
    refused: int
    waiting: int
    """Of these nothing is known yet: a receiver is away. Open the bundle again."""
    trouble: DeliveryError | None


def keep(arrival: Arrival, opened: CourierOpened) -> Forwarded:
    """The files are where they belong: in the folder."""
    manifest = arrival.manifest
    opened.accepted(manifest.device, manifest.bundle, range(len(manifest.files)))
    return Forwarded(accepted=len(manifest.files), refused=0, waiting=0, trouble=None)


def send_on(arrival: Arrival, opened: CourierOpened, settings: Settings, *, progress: Progress) -> Forwarded:
    """Every receiver gets what it takes, in the order of need; a file is accepted when all have it.

    A file that a receiver refuses for good is refused, with its words; a receiver that is away ends the run.
    """
    with _ways_out(settings) as ways:
        return _send_all(arrival, opened, ways, progress=progress)


@contextmanager
def _ways_out(settings: Settings) -> Iterator[tuple[tuple[ReceiverSettings, Destination], ...]]:
    """Every receiver; connections that last are given back at the end."""
    ways = tuple((receiver, destination(receiver, settings)) for receiver in settings.sender.receivers)
    try:
        yield ways
    finally:
        for _, way in ways:
            if isinstance(way, Keeper):
                way.close()


def _send_all(
    arrival: Arrival,
    opened: CourierOpened,
    ways: tuple[tuple[ReceiverSettings, Destination], ...],
    *,
    progress: Progress,
) -> Forwarded:
    manifest = arrival.manifest
    missing = opened.missing(manifest.device, manifest.bundle)
    trouble: DeliveryError | None = None
    refused = 0
    for item in sorted(missing):
        try:
            _deliver(arrival, item, ways)
        except DeliveryError as error:
            if not (error.permanent and error.this_file_only):
                trouble = error
                break
            opened.refused(manifest.device, manifest.bundle, (item,), reason=error.what)
            refused += 1
        else:
            opened.accepted(manifest.device, manifest.bundle, (item,))
        progress(manifest.files[item].size_bytes)
    left = len(opened.missing(manifest.device, manifest.bundle))
    return Forwarded(
        accepted=len(manifest.files) - left, refused=refused, waiting=left - refused, trouble=trouble
    )


def _deliver(arrival: Arrival, item: int, ways: tuple[tuple[ReceiverSettings, Destination], ...]) -> None:
    path, kind = arrival.paths[item], arrival.manifest.files[item].kind
    for receiver, way in ways:
        wanted = receiver.wants_originals if kind == "original" else receiver.results
        if wanted and any(path.name.endswith(end) for end in receiver.takes):
            way.deliver(path)
