# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""An appliance at work whose update is cut short at random points, 100 times, while images go on coming.

Two releases of this very source, the newer with one more version of the store, in two slots of a launcher.
Installing, changing, proving and going back are each cut by kill -9 of everything at once. Promised: after
each cut the device receives again with the old software or the new, and every image that was acknowledged is
there, once.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Final

import apsw

from appliance.clock import SystemClock
from appliance.updates.choice import COMPLETE, slot_folder
from benchmarks.faults.figure import Counts, Run
from benchmarks.faults.update_bundles import of_this_source
from benchmarks.faults.update_device import Sender, UpdatedDevice

CUTS: Final = 100
OLD: Final = 2
NEW: Final = 3
LONGEST_S: Final = 24.0
"""From the start of a step to its cut: installing takes some ten seconds, a change with its proof twenty."""
LOOK_EVERY: Final = 10
"""Cuts until the store is compared with what was acknowledged."""
ROLLBACK_MOST_S: Final = 60.0
SEED: Final = 20261203
MIGRATION: Final = """-- SPDX-FileCopyrightText: 2026 The Scanside authors
-- SPDX-License-Identifier: Apache-2.0
ALTER TABLE file ADD COLUMN figure TEXT;
"""


def run(run: Run) -> None:
    """The whole figure, in one go: what a device was is not kept between two runs."""
    counts: Counts = {"failures": [], "promised_cuts": run.rounds(CUTS)}
    old = of_this_source(OLD, run.folder)
    new = of_this_source(NEW, run.folder, migration=MIGRATION)
    chance = random.Random(SEED)  # noqa: S311  (not a secret)
    with UpdatedDevice(run.folder / "device") as device:
        assert device.command("install", str(old)).wait() == 0
        device.start()
        device.wait_until_up()
        with Sender(device.port, run.folder) as sender:
            cut_again_and_again(device, sender, new, counts, run, chance)
            time_a_rollback(device, new, counts)
        look_for_all(device, sender, counts)
    run.note(counts)


def cut_again_and_again(
    device: UpdatedDevice, sender: Sender, new: Path, counts: Counts, run: Run, chance: random.Random
) -> None:
    """One step after the other, each cut; what could be done goes on from where it stands."""
    steps: Counter[str] = Counter()
    ran: Counter[str] = Counter()
    up_s: list[float] = []
    clock = SystemClock()
    for number in range(counts["promised_cuts"]):
        run.progress("cuts", number, counts["promised_cuts"])
        step = next_step(device, new)
        steps[step] += 1
        clock.sleep(chance.uniform(0.1, LONGEST_S))
        device.pull_the_plug()
        device.start()
        try:
            up_s.append(device.wait_until_up())
        except (TimeoutError, AssertionError) as error:
            counts["failures"].append(f"cut {number} of {step}: {error}")
            device.pull_the_plug()
            device.start()
        ran[device.choice.serves] += 1
        counts |= {"cuts": number + 1, "cuts_by_step": dict(steps), "ran_after": dict(ran)}
        counts["up_again_s"] = {"median": sorted(up_s)[len(up_s) // 2], "most": max(up_s)} if up_s else {}
        if (number + 1) % LOOK_EVERY == 0:
            look_for_all(device, sender, counts)
        run.note(counts)


def next_step(device: UpdatedDevice, new: Path) -> str:
    """Begin what comes next on this device."""
    choice = device.choice
    if not choice.confirmed:
        return "prove"  # it is on trial already
    if choice.serves == "b":
        device.command("rollback")
        return "go back"
    if (slot_folder(device.root, "b") / COMPLETE).exists():
        device.command("switch")
        return "switch"
    device.command("install", str(new))
    return "install"


def time_a_rollback(device: UpdatedDevice, new: Path, counts: Counts) -> None:
    """Once in peace: install, change, prove, go back, with the store of the newer software."""
    device.wait_for(lambda: device.choice.confirmed, limit_s=400)
    if device.choice.serves == "a":
        if device.command("install", str(new)).wait() != 0 or device.command("switch").wait() != 0:
            counts["failures"].append("in peace the update could not be installed and chosen")
            return
        counts["proved_s"] = round(device.wait_for(lambda: device.choice.confirmed, limit_s=400), 1)
    if device.command("rollback").wait() != 0:
        counts["failures"].append("in peace it could not go back")
        return
    seconds = device.wait_until_up()
    counts["rollback_s"] = round(seconds, 1)
    if seconds > ROLLBACK_MOST_S:
        counts["failures"].append(f"going back took {seconds:.1f} s")


def look_for_all(device: UpdatedDevice, sender: Sender, counts: Counts) -> None:
    """Every image that was acknowledged so far is there, once."""
    acknowledged = list(sender.acknowledged)
    counts["acknowledged"], counts["not_acknowledged"] = len(acknowledged), sender.refused
    wrong = missing_or_double(device, acknowledged)
    counts["failures"] += [words for words in wrong if words not in counts["failures"]]


def missing_or_double(device: UpdatedDevice, acknowledged: list[str]) -> list[str]:
    """What is wrong with the store now, whichever software wrote it."""
    layout = device.layout
    store = apsw.Connection(str(layout.database), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        store.set_busy_timeout(10_000)
        rows = store.execute("SELECT instance, path FROM file WHERE status = 'accepted'").fetchall()
    finally:
        store.close()
    held = Counter(json.loads(instance)["sop_instance_uid"] for instance, _ in rows)
    wrong = [f"acknowledged and lost: {uid}" for uid in acknowledged if not held[uid]]
    wrong += [f"held twice: {uid}" for uid, times in held.items() if times > 1]
    return wrong + [f"its original is gone: {path}" for _, path in rows if not (layout.data / path).is_file()]
