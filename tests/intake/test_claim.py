# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A file is taken whole and durable, or not at all."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.config import GIB
from appliance.errors import StoreError
from appliance.intake.claim import NotPlainFileError, Part, Spool
from appliance.intake.complete import Signature
from appliance.layout import Layout

LIMIT_BYTES = 1_000_000


@pytest.fixture
def spool(layout: Layout) -> Spool:
    return Spool(layout)


@pytest.fixture
def source(layout: Layout) -> Path:
    path = layout.inbox / "a.dcm"
    path.write_bytes(os.urandom(300_000))
    return path


@pytest.fixture
def held_open(source: Path) -> Iterator[Path]:
    with source.open("ab"):
        yield source


def signature(path: Path) -> Signature:
    return Signature.of(path.lstat())


def copy(spool: Spool, source: Path, *, still_open_ok: bool = False) -> Part | None:
    return spool.copy(source, signature(source), max_bytes=LIMIT_BYTES, still_open_ok=still_open_ok)


# Trace: REQ-016
def test_a_kept_file_lies_under_the_name_of_its_content(spool: Spool, layout: Layout, source: Path) -> None:
    part = copy(spool, source)
    assert part is not None
    place = spool.place_of(part)
    spool.keep({place: part})
    content = source.read_bytes()
    assert place.read_bytes() == content
    assert place == layout.spool / part.sha256[:2] / hashlib.sha256(content).hexdigest()
    assert part.size_bytes == len(content)
    assert not list(layout.spool.glob("*.part"))


def test_many_are_kept_at_once_and_again(spool: Spool, layout: Layout) -> None:
    places = {}
    for index in range(20):
        path = layout.inbox / f"{index}.dcm"
        path.write_bytes(b"%d" % index)
        part = copy(spool, path)
        assert part is not None
        places[spool.place_of(part)] = part
    spool.keep(places)
    spool.keep(places)  # an attempt after one that came as far and no further
    assert sorted(place.read_bytes() for place in places) == sorted(b"%d" % index for index in range(20))


# Trace: REQ-003
def test_a_file_that_somebody_still_writes_is_left(spool: Spool, layout: Layout, held_open: Path) -> None:
    assert copy(spool, held_open) is None
    assert copy(spool, held_open, still_open_ok=True) is not None
    assert len(list(layout.spool.glob("*.part"))) == 1


def test_a_file_that_is_not_as_it_was_looked_at_is_left(spool: Spool, layout: Layout, source: Path) -> None:
    before = signature(source)
    with source.open("ab") as file:
        file.write(b"more")
    assert spool.copy(source, before, max_bytes=LIMIT_BYTES) is None
    assert not list(layout.spool.glob("*.part"))


# Trace: REQ-001
def test_bytes_that_read_back_differently_are_not_kept(spool: Spool, layout: Layout, source: Path) -> None:
    part = copy(spool, source)
    assert part is not None
    with part.path.open("r+b") as file:  # what a lying disk would do
        file.seek(1000)
        file.write(b"\x00\x01\x02\x03")
    with pytest.raises(StoreError, match="other bytes than were written"):
        spool.keep({spool.place_of(part): part})
    assert not spool.place_of(part).exists()
    assert not list(layout.spool.glob("*.part"))


def test_a_full_disk_takes_nothing_and_leaves_nothing(layout: Layout, source: Path) -> None:
    full = Spool(layout, reserve_bytes=1_000_000 * GIB)
    with pytest.raises(StoreError, match="is full"):
        copy(full, source)
    assert not list(layout.spool.glob("*.part"))
    assert source.exists()


def test_a_spool_that_is_gone_is_said(spool: Spool, layout: Layout, source: Path) -> None:
    layout.spool.rmdir()
    with pytest.raises(StoreError, match="cannot be written"):
        copy(spool, source)


def test_only_plain_files_are_taken(spool: Spool, layout: Layout, source: Path) -> None:
    pipe, link, folder = layout.inbox / "pipe.dcm", layout.inbox / "link.dcm", layout.inbox / "folder.dcm"
    os.mkfifo(pipe)
    link.symlink_to(source)
    folder.mkdir()
    with pytest.raises(NotPlainFileError, match="named pipe"):
        copy(spool, pipe)
    with pytest.raises(OSError, match="symbolic link"):
        copy(spool, link)
    with pytest.raises(NotPlainFileError, match="folder"):
        copy(spool, folder)


def test_a_socket_is_not_opened(spool: Spool, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as door:
        path = tmp_path / "s"
        door.bind(str(path))
        with pytest.raises(OSError, match="No such device or address"):
            copy(spool, path)


def test_a_file_of_a_terabyte_is_refused_unread(spool: Spool, layout: Layout) -> None:
    path = layout.inbox / "sparse.dcm"
    with path.open("wb") as file:
        file.truncate(1024 * GIB)
    with pytest.raises(NotPlainFileError, match="at most 1,000,000 are taken"):
        copy(spool, path)


def test_what_an_interrupted_run_left_is_swept(spool: Spool, layout: Layout, source: Path) -> None:
    kept = copy(spool, source)
    assert kept is not None
    spool.keep({spool.place_of(kept): kept})
    assert copy(spool, source) is not None
    assert spool.sweep() == 1
    assert not list(layout.spool.glob("*.part"))
    assert spool.place_of(kept).exists()


def test_an_incoming_part_that_is_not_finished_is_removed(spool: Spool, layout: Layout) -> None:
    with spool.receive() as incoming:
        incoming.write(b"half, then the sender died")
    assert not list(layout.spool.glob("*.part"))
