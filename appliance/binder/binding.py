# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The folder: each part in its own, an index that says what each is, its period, or why it is not there.

A part that cannot be made on this device does not keep the others from being made. At the end stand the hash
of every file and the device's signature over the list of them.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from appliance.binder.parts import PARTS, Bound, Sources, Write
from appliance.courier.signing import sign
from appliance.device_key import device_key, public_pem
from appliance.durable import sync_folder, write_whole
from appliance.errors import ConfigError, ScansideError, StoreError

CONTEXT: Final = b"scanside binder 1\n"
SUMS: Final = "SHA256SUMS"
SIGNATURE: Final = "SIGNATURE"
INDEX: Final = "index.html"
TEMPLATE: Final = "binder.html.j2"


def bind(folder: Path, sources: Sources) -> tuple[Bound, ...]:
    """Write the binder into a new folder. Raises ConfigError when it is not empty, StoreError and OSError."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} is not empty.", remedy="Name a new folder with --out.")
    folder.mkdir(parents=True, exist_ok=True)
    bound = tuple(_bound(folder, *row, sources) for row in PARTS)
    write_whole(folder / INDEX, _index(bound, sources))
    _sign(folder, sources)
    return bound


def _bound(
    folder: Path, name: str, title: str, what: str, period: str | None, write: Write, sources: Sources
) -> Bound:
    place = folder / name
    place.mkdir()
    files: tuple[str, ...] = ()
    missing: str | None = None
    try:
        files = write(place, sources)
    except (StoreError, OSError):
        raise
    except ScansideError as error:
        missing = f"{error.what} {error.remedy}"
        shutil.rmtree(place)
    return Bound(
        name=name,
        title=title,
        what=what,
        period=sources.period.words if period is None else period,
        files=tuple(f"{name}/{file}" for file in files),
        missing=missing,
    )


def _index(bound: tuple[Bound, ...], sources: Sources) -> bytes:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415  (only for a page)

    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    return (
        pages.get_template(TEMPLATE)
        .render(
            parts=bound,
            site=sources.settings.site_name,
            period=sources.period.words,
            made=f"{sources.database.clock.now_utc():%Y-%m-%d %H:%M} UTC",
            version=importlib.metadata.version("scanside"),
        )
        .encode("utf-8")
    )


def _sign(folder: Path, sources: Sources) -> None:
    """`sha256sum -c SHA256SUMS` checks the files; the signature says that this device made the list."""
    key = device_key(sources.layout.keys)
    sums = "".join(_sums(folder)).encode("utf-8")
    write_whole(folder / SUMS, sums)
    write_whole(folder / SIGNATURE, sign(sums, key, context=CONTEXT))
    write_whole(folder / "device.pem", public_pem(key))
    sync_folder(folder)


def _sums(folder: Path) -> Iterator[str]:
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        yield f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(folder).as_posix()}\n"
