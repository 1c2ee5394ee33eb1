# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Killed, cut off, pulled out, full: nothing counts as handed over that is not whole on a stick."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from appliance.clock import ManualClock
from appliance.layout import Layout
from appliance.store.connection import Database
from appliance.store.courier_opened import CourierOpened
from tests.calls_watched import calls_watched
from tests.courier_site import FILES, Site, bundles_on, open_everything, opened

SEED = 22
KILLS = 40
SMALL = 1_000_000
NEVER = 10**9
STEPS = frozenset({"start", "write_part", "packed", "give_name", "sync_folder", "handed"})
"""What makes a bundle count, in this order; each is also interrupted when it begins and when it has ended."""


def copy_of(site: Site, folder: Path) -> Site:
    """The same clinic in another folder, its store closed."""
    shutil.copytree(site.layout.data, folder)
    return Site(
        layout=Layout(data=folder),
        database=site.database,
        clock=site.clock,
        partners=site.partners,
        make_instance=site.make_instance,
        name=site.name,
        recipients=site.recipients,
        landed=list(site.landed),
    )


def pack_in_child(
    site: Site,
    stick: Path,
    *,
    kill_at_call: int = NEVER,
    steps_only: bool = False,
    limit_bytes: int | None = None,
) -> int:
    """Pack in a process of its own, which kills itself at that call; its exit code, or minus the signal."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    calls = 0

    def count(frame: FrameType, event: str, __: Any) -> None:
        nonlocal calls
        if steps_only:
            counts = event in ("call", "return") and frame.f_code.co_name in STEPS
        else:
            counts = event in ("call", "c_call")
        calls += counts
        if counts and calls == kill_at_call:
            os.kill(os.getpid(), signal.SIGKILL)

    code = 99
    try:
        if limit_bytes is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
        with calls_watched(count):
            report = opened(site).pack(stick, max_bytes=SMALL)
        (stick.parent / "calls").write_text(str(calls), encoding="ascii")
        code = 0 if report.trouble is None else 1
    finally:
        os._exit(code)


def count_calls(site: Site, folder: Path, *, steps_only: bool) -> int:
    warm, stick = folder / "warm stick", folder / "counting stick"
    warm.mkdir()
    stick.mkdir()
    once = opened(copy_of(site, folder / "warm"))
    once.pack(warm, max_bytes=SMALL)  # what is imported on first use is not counted
    once.database.close()
    assert pack_in_child(copy_of(site, folder / "counting"), stick, steps_only=steps_only) == 0
    return int((folder / "calls").read_text(encoding="ascii"))


def lose_what_was_not_flushed(stick: Path, site: Site, chance: random.Random) -> None:
    """What a power cut may do to a stick: whatever the store does not count yet can be torn or gone."""
    counted = {
        row[0] for row in site.database.read("SELECT file_name FROM courier_bundle WHERE state = 'handed'")
    }
    for file in stick.iterdir():
        if file.name in counted:
            continue
        fate = chance.choice(("stays", "torn", "gone", "old name"))
        if fate == "torn":
            os.truncate(file, file.stat().st_size // 2)
        elif fate == "gone":
            file.unlink()
        elif fate == "old name" and not file.name.endswith(".part"):
            file.rename(file.with_name(file.name + ".part"))


@pytest.mark.parametrize("steps_only", [False, True], ids=["anywhere", "each step"])
@pytest.mark.parametrize("power_cut", [False, True], ids=["killed", "power cut"])
def test_after_any_kill_the_next_run_completes_and_nothing_goes_twice(
    power_cut: bool, steps_only: bool, clinic_on_disk: Site, hospital: Site, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    calls = count_calls(clinic_on_disk, tmp_path, steps_only=steps_only)
    places = range(1, calls + 1) if steps_only else chance.sample(range(1, calls), KILLS)
    killed = 0
    for trial, at in enumerate(places):
        folder = tmp_path / str(trial)
        stick = folder / "stick"
        stick.mkdir(parents=True)
        site = copy_of(clinic_on_disk, folder / "data")
        killed += pack_in_child(site, stick, kill_at_call=at, steps_only=steps_only) == -signal.SIGKILL
        opened(site)
        hospital.database.read("DELETE FROM courier_opened")
        hospital.database.read("DELETE FROM courier_opened_file")
        if power_cut:
            lose_what_was_not_flushed(stick, site, chance)
        handed = site.database.read(
            "SELECT b.file_name, i.sha256 FROM courier_bundle b JOIN courier_item i USING (bundle)"
            " WHERE b.state = 'handed'"
        )
        for name in {row[0] for row in handed}:
            hospital.open(stick / name, folder / "early")
        early = {file.stem for file in (folder / "early").glob("*.dcm")}
        assert early >= {row[1] for row in handed}, f"counted but not whole, killed at call {at}"

        report = site.pack(stick, max_bytes=SMALL)
        assert report.trouble is None, at
        found = open_everything(hospital, stick, folder / "out")
        assert found == Counter(site.landed), f"killed at call {at}"
        assert not list(stick.glob("*.part"))
        hospital.write_receipts(stick)
        site.take(stick)
        assert site.unsent() == 0
        site.database.close()
        shutil.rmtree(folder)
    assert killed > len(places) * 9 // 10, "the trials were interrupted"


def test_a_stick_that_left_before_it_was_counted_costs_nothing(
    clinic_on_disk: Site, hospital: Site, tmp_path: Path
) -> None:
    """Named, but the power went before the store knew: another stick gets its files, too."""
    site, first, second = opened(clinic_on_disk), tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    site.pack(first, max_bytes=SMALL)
    site.database.read("UPDATE courier_bundle SET state = 'packed' WHERE bundle = 2")
    report = site.pack(second, max_bytes=SMALL)
    assert report.abandoned == (2,)
    assert len(report.bundles) == 1
    found = open_everything(hospital, first, tmp_path / "out")
    found += open_everything(hospital, second, tmp_path / "out")
    assert set(found) == set(site.landed)
    assert len(list((tmp_path / "out").iterdir())) == FILES, "by content there is one of each"
    hospital.write_receipts(second)
    site.take(second)
    assert site.unsent() == 0
    site.database.close()


def test_a_file_system_that_takes_no_larger_file_says_so(clinic_on_disk: Site, stick: Path) -> None:
    """FAT32's limit, made small: the kernel refuses the write in the middle."""
    assert pack_in_child(clinic_on_disk, stick, limit_bytes=600_000) == 1
    assert not list(stick.iterdir()), "nothing half-written stays"
    site = opened(clinic_on_disk)
    assert len(site.waiting()) == FILES
    assert site.pack(stick, max_bytes=SMALL).waiting_files == 0
    site.database.close()


def test_opening_that_is_killed_goes_on(clinic: Site, hospital: Site, stick: Path, tmp_path: Path) -> None:
    for number in range(FILES):
        clinic.land(random.Random(number).randbytes(50_000), study=f"1.{number}")
    clinic.pack(stick)
    (bundle,) = bundles_on(stick)
    out = tmp_path / "out"
    chance = random.Random(SEED)
    for _ in range(30):
        child = os.fork()
        if child == 0:
            at, calls = chance.randrange(1, 4000), 0

            def count(_: Any, event: str, __: Any, at: int = at) -> None:
                nonlocal calls
                calls += 1
                if calls == at:
                    os.kill(os.getpid(), signal.SIGKILL)

            try:
                hospital.database = Database.open(
                    hospital.layout.database, data=hospital.layout.data, clock=ManualClock()
                )
                with calls_watched(count):
                    hospital.open(bundle, out)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        chance.random()
        whole = {file.stem for file in out.glob("*.dcm")} if out.exists() else set()
        assert whole <= set(clinic.landed), "a file has its name only when it is whole"
    hospital.open(bundle, out)
    assert {file.stem for file in out.iterdir()} == set(clinic.landed)
    assert CourierOpened(hospital.database).missing(clinic.device, 1) == frozenset()
