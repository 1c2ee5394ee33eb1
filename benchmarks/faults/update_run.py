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

from appliance.clock import NS_PER_S, SystemClock
from appliance.updates.choice import COMPLETE, read_choice, read_slot, slot_folder
from benchmarks.faults.figure import Counts, Run
from benchmarks.faults.update_bundles import of_this_source
from benchmarks.faults.update_device import Sender, UpdatedDevice

CUTS: Final = 100
OLD: Final = 2
NEW: Final = 3
SPREAD: Final = 1.3
"""A step is cut between its start and this many times what it takes in peace."""
LOOK_EVERY: Final = 10
"""Cuts until the store is compared with what was acknowledged."""
ROLLBACK_MOST_S: Final = 60.0
SEED: Final = 20261203
MIGRATION: Final = """-- SPDX-FileCopyrightText: 2026 The Scanside authors
-- SPDX-License-Identifier: Apache-2.0
ALTER TABLE file ADD COLUMN figure TEXT;
"""


def run(run: Run) -> None:
    """The whole figure; it goes on where it was interrupted, on the same device."""
    counts = run.counted()
    counts |= {"failures": counts.get("failures", []), "promised_cuts": run.rounds(CUTS)}
    old = of_this_source(OLD, run.folder)
    new = of_this_source(NEW, run.folder, migration=MIGRATION)
    with UpdatedDevice(run.folder / "device") as device:
        if read_choice(device.root) is None:
            assert device.command("install", str(old)).wait() == 0
        device.start()
        device.wait_until_up()
        with Sender(device.port, run.folder) as sender:
            if "rollback_s" not in counts:
                measure(device, new, counts)
            cut_again_and_again(device, sender, new, counts, run)
            look_for_all(device, sender, counts)
    run.note(counts)


def measure(device: UpdatedDevice, new: Path, counts: Counts) -> None:
    """Once in peace, timed: install, change, prove, and back, with the store of the newer software."""
    clock = SystemClock()
    started_ns = clock.monotonic_ns()
    assert device.command("install", str(new)).wait() == 0
    counts["install_s"] = round((clock.monotonic_ns() - started_ns) / NS_PER_S, 1)
    assert device.command("switch").wait() == 0
    counts["proved_s"] = round(device.wait_for(lambda: device.choice.confirmed, limit_s=400), 1)
    assert device.command("rollback").wait() == 0
    counts["rollback_s"] = round(device.wait_until_up(), 1)
    if counts["rollback_s"] > ROLLBACK_MOST_S:
        counts["failures"].append(f"going back took {counts['rollback_s']:.1f} s")
    empty_the_other_slot(device)


def cut_again_and_again(device: UpdatedDevice, sender: Sender, new: Path, counts: Counts, run: Run) -> None:
    """One step after the other, each cut; what could be done goes on from where it stands."""
    steps: Counter[str] = Counter(counts.get("cuts_by_step", {}))
    ran: Counter[str] = Counter(counts.get("ran_after", {}))
    up_s: list[float] = counts.setdefault("up_again_s", [])
    clock = SystemClock()
    limits_s = {"install": counts["install_s"], "go back": counts["rollback_s"]}
    for number in range(counts.get("cuts", 0), counts["promised_cuts"]):
        run.progress("cuts", number, counts["promised_cuts"])
        chance = random.Random(SEED + number)  # noqa: S311  (not a secret)
        step = counts["last_step"] = next_step(device, new, last=counts.get("last_step", ""))
        steps[step] += 1
        clock.sleep(chance.uniform(0.1, SPREAD * float(limits_s.get(step) or counts["proved_s"])))
        device.pull_the_plug()
        device.start()
        try:
            up_s.append(round(device.wait_until_up(), 1))
        except (TimeoutError, AssertionError) as error:
            counts["failures"].append(f"cut {number} of {step}: {error}")
            device.pull_the_plug()
            device.start()
        ran[device.choice.serves] += 1
        counts |= {"cuts": number + 1, "cuts_by_step": dict(steps), "ran_after": dict(ran)}
        if (number + 1) % LOOK_EVERY == 0:
            look_for_all(device, sender, counts)
        run.note(counts)


def next_step(device: UpdatedDevice, new: Path, *, last: str) -> str:
    """Begin what comes next on this device."""
    choice = device.choice
    if not choice.confirmed:
        return "prove"  # it is on trial already
    if choice.serves == "b":
        device.command("rollback")
        return "go back"
    if last == "go back":
        empty_the_other_slot(device)  # the next stick
    if read_slot(device.root, "b") is None:
        device.command("install", str(new))
        return "install"
    device.command("switch")
    return "switch"


def empty_the_other_slot(device: UpdatedDevice) -> None:
    """So that there is something to install again."""
    (slot_folder(device.root, "b") / COMPLETE).unlink(missing_ok=True)


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
        found = store.execute("SELECT instance, path FROM file WHERE status = 'accepted'").fetchall()
    finally:
        store.close()
    rows = [(str(instance), str(path)) for instance, path in found]
    held = Counter(json.loads(instance)["sop_instance_uid"] for instance, _ in rows)
    wrong = [f"acknowledged and lost: {uid}" for uid in acknowledged if not held[uid]]
    wrong += [f"held twice: {uid}" for uid, times in held.items() if times > 1]
    return wrong + [f"its original is gone: {path}" for _, path in rows if not (layout.data / path).is_file()]
