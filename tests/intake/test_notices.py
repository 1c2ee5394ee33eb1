# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Whatever happens to the events, the next listing finds the file."""

from __future__ import annotations

import importlib
import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest

from appliance.domain.acquisition import Urgency
from appliance.intake.complete import Signature
from appliance.intake.notices import FULL_LISTING_EVERY, Notices, Sighting, ignored

Hints = SimpleQueue[Path | None]
PATIENCE_S = 5.0
LISTINGS_UNTIL_ARMED = 4


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def hints() -> Hints:
    return SimpleQueue()


@pytest.fixture
def notices(root: Path, hints: Hints) -> Iterator[Notices]:
    with Notices((root,), events=True, hint=hints.put) as opened:
        assert opened.by_events
        yield opened


def now() -> datetime:
    return datetime.now(timezone.utc)


def names(sightings: list[Sighting]) -> list[str]:
    return sorted(sighting.path.name for sighting in sightings)


def settle(notices: Notices, sightings: list[Sighting]) -> None:
    for sighting in sightings:
        notices.settle(sighting.path, sighting.signature)


def hinted(hints: Hints, path: Path) -> bool:
    """Whether a hint for this path comes, whatever comes before it."""
    try:
        while hints.get(timeout=PATIENCE_S) != path:
            pass
    except Empty:
        return False
    return True


def drain(hints: Hints) -> None:
    while not hints.empty():
        hints.get()


def test_closing_a_file_gives_a_hint(root: Path, notices: Notices, hints: Hints) -> None:
    (root / "a.dcm").write_bytes(b"1")
    assert hinted(hints, root / "a.dcm")


def test_renaming_into_place_gives_a_hint(root: Path, notices: Notices, hints: Hints, tmp_path: Path) -> None:
    (root / "a.part").write_bytes(b"1")
    (root / "a.part").rename(root / "a.dcm")
    assert hinted(hints, root / "a.dcm")
    (tmp_path / "b").write_bytes(b"1")
    (tmp_path / "b").rename(root / "b.dcm")
    assert hinted(hints, root / "b.dcm")


def test_a_tree_that_is_moved_in_asks_for_a_listing(
    root: Path, notices: Notices, hints: Hints, tmp_path: Path
) -> None:
    (tmp_path / "tree" / "deep").mkdir(parents=True)
    (tmp_path / "tree" / "deep" / "a.dcm").write_bytes(b"1")
    notices.rescan(now())
    (tmp_path / "tree").rename(root / "tree")
    assert hints.get(timeout=PATIENCE_S) is None
    assert names(notices.rescan(now())) == ["a.dcm"]


def test_files_in_new_folders_give_hints_too(root: Path, notices: Notices, hints: Hints) -> None:
    (root / "x" / "y").mkdir(parents=True)
    assert hints.get(timeout=PATIENCE_S) is None
    notices.rescan(now())
    for _ in range(50):  # the observer adds its watch a moment after the folder has come
        (root / "x" / "y" / "a.dcm").write_bytes(b"1")
        try:
            while hints.get(timeout=0.1) is None:
                pass
            break
        except Empty:
            continue
    else:
        pytest.fail("no hint")


# Trace: REQ-005
def test_a_listing_finds_what_no_event_told(root: Path, hints: Hints) -> None:
    with Notices((root,), events=False, hint=hints.put) as notices:
        assert not notices.by_events
        assert notices.rescan(now()) == []
        (root / "deep" / "er").mkdir(parents=True)
        (root / "deep" / "er" / "a.dcm").write_bytes(b"1")
        found = notices.rescan(now())
        assert names(found) == ["a.dcm"]
        assert names(notices.rescan(now())) == ["a.dcm"]  # not settled: noticed again
        settle(notices, found)
        assert notices.rescan(now()) == []
    assert hints.empty()


def test_a_settled_file_that_changes_is_noticed_again(root: Path, hints: Hints) -> None:
    with Notices((root,), events=False, hint=hints.put) as notices:
        path = root / "a.dcm"
        path.write_bytes(b"1")
        settle(notices, notices.rescan(now()))
        path.write_bytes(b"changed in place")
        found = [names(notices.rescan(now())) for _ in range(FULL_LISTING_EVERY)]
        assert ["a.dcm"] in found
        settle(notices, [Sighting(path=path, signature=Signature.of(path.lstat()), urgency=Urgency.LIVE)])
        (root / "new").write_bytes(b"another file")
        (root / "new").replace(path)
        assert names(notices.rescan(now())) == ["a.dcm"]  # another inode: seen by the quick listing


def test_a_removed_file_is_forgotten_and_noticed_when_it_comes_back(root: Path, hints: Hints) -> None:
    with Notices((root,), events=False, hint=hints.put) as notices:
        path = root / "deep" / "a.dcm"
        path.parent.mkdir()
        path.write_bytes(b"1")
        settle(notices, notices.rescan(now()))
        kept = root / "kept"
        shutil.copy2(path, kept)
        shutil.rmtree(path.parent)
        assert names(notices.rescan(now())) == ["kept"]
        path.parent.mkdir()
        kept.rename(path)
        assert names(notices.rescan(now())) == ["a.dcm"]


# Trace: REQ-005
def test_a_root_that_is_deleted_and_made_again_is_watched_again(
    root: Path, notices: Notices, hints: Hints
) -> None:
    notices.rescan(now())
    shutil.rmtree(root)
    notices.rescan(now())
    root.mkdir()
    (root / "before.dcm").write_bytes(b"1")
    assert names(notices.rescan(now())) == ["before.dcm"]
    # The new folder may have the old one's inode number while the old watch is still dying: then the
    # listing after its death arms the new one.
    for number in range(LISTINGS_UNTIL_ARMED):
        drain(hints)
        after = root / f"after{number}.dcm"
        after.write_bytes(b"1")
        if hinted(hints, after):
            return
        notices.rescan(now())
    pytest.fail("the folder is not watched again")


def test_a_root_that_is_not_there_yet_is_no_error(tmp_path: Path, hints: Hints) -> None:
    root = tmp_path / "later"
    with Notices((root,), events=True, hint=hints.put) as notices:
        assert notices.rescan(now()) == []
        root.mkdir()
        (root / "a.dcm").write_bytes(b"1")
        assert names(notices.rescan(now())) == ["a.dcm"]


def test_without_room_for_another_event_queue_the_folders_are_listed(root: Path, hints: Hints) -> None:
    importlib.import_module("watchdog.observers")  # now, while there is room to read it
    lowest_free = os.dup(0)
    os.close(lowest_free)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    notices = Notices((root,), events=True, hint=hints.put)
    with ExitStack() as opened:
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
        try:
            opened.enter_context(notices)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        (root / "a.dcm").write_bytes(b"1")
        assert not notices.by_events
        assert names(notices.rescan(now())) == ["a.dcm"]


def test_several_folders(tmp_path: Path, hints: Hints) -> None:
    roots = (tmp_path / "a", tmp_path / "b")
    for root in roots:
        root.mkdir()
        (root / f"{root.name}.dcm").write_bytes(b"1")
    with Notices(roots, events=True, hint=hints.put) as notices:
        assert names(notices.rescan(now())) == ["a.dcm", "b.dcm"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.dcm", False),
        ("IM0001", False),
        (".a.dcm", True),
        ("a.dcm.part", True),
        ("A.TMP", True),
        ("a.partial", True),
        ("partial", False),
    ],
)
def test_names_that_are_not_meant_for_us(name: str, expected: bool) -> None:
    assert ignored(name) is expected


def test_links_are_seen_and_not_followed(root: Path, hints: Hints, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.dcm").write_bytes(b"1")
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "loop").symlink_to(root)
    with Notices((root,), events=False, hint=hints.put) as notices:
        assert names(notices.rescan(now())) == ["link", "loop"]


def test_a_name_that_is_not_utf8(root: Path, hints: Hints) -> None:
    with Notices((root,), events=True, hint=hints.put) as notices:
        name = os.fsencode(root) + b"/\xff\xfe.dcm"
        Path(os.fsdecode(name)).write_bytes(b"1")
        assert hinted(hints, Path(os.fsdecode(name)))
        (sighting,) = notices.rescan(now())
        assert os.fsencode(sighting.path) == name


def test_what_was_there_at_the_start_is_backlog_unless_it_is_fresh(root: Path, hints: Hints) -> None:
    (root / "old.dcm").write_bytes(b"1")
    yesterday = (now() - timedelta(days=1)).timestamp()
    os.utime(root / "old.dcm", (yesterday, yesterday))
    (root / "fresh.dcm").write_bytes(b"1")
    with Notices((root,), events=False, hint=hints.put) as notices:
        urgency = {sighting.path.name: sighting.urgency for sighting in notices.rescan(now())}
        assert urgency == {"old.dcm": Urgency.BACKFILL, "fresh.dcm": Urgency.LIVE}
        os.utime(root / "fresh.dcm", (yesterday, yesterday))
        later = {sighting.urgency for sighting in notices.rescan(now())}
        assert later == {Urgency.LIVE}  # copied with its old date while we watch
