# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Figure `stuck_worker`: a worker that hangs, dies or meets a poisoned image, under the real supervisor.

Hang: SIGSTOP in the middle of a job. Death: SIGABRT (what `abort()` and a failed assertion send) and SIGKILL
(what the kernel sends when memory runs out). Poison: a graph that loops for ever in the engine on one image,
while radiographs go on coming. Wrong answers: NaN, zeros, another shape.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np
import psutil

from appliance.clock import NS_PER_S, SystemClock
from appliance.domain.job import Lane
from appliance.monitor.heartbeat import Beat, read_beat
from appliance.selftest.phantom_ct import CtPlan, write_ct
from benchmarks.appliance_run import Appliance, running_appliance
from benchmarks.faults.figure import Counts, Run
from benchmarks.faults.kill_feed import Feed
from benchmarks.faults.poison import LOOP, NAN, SHORT, ZEROS, write_poisoned_model

SIGNALS: Final = {"stopped": signal.SIGSTOP, "aborted": signal.SIGABRT, "out of memory": signal.SIGKILL}
EACH: Final = 20
"""Workers that are stopped, aborted and killed, of each kind."""
FOUND_LIMIT_S: Final = 10.0
REPLACED_LIMIT_S: Final = 30.0
STEP_BUDGET_S: Final = 4.0
DECODE_S: Final = 3.0
BUDGET_S: Final = STEP_BUDGET_S + DECODE_S
POISONED_RADIOGRAPHS: Final = 40
ARRIVAL_S: Final = 2.0
SLICES: Final = 3
SETTINGS: Final = {
    "SCANSIDE__WORKER__STEP_BUDGET_S": str(STEP_BUDGET_S),
    "SCANSIDE__READING__DECODE_TIMEOUT_S": str(DECODE_S),
    "SCANSIDE__WORKER__ENGINES": '["ort"]',
    "SCANSIDE__WORKER__PRECISIONS": '["fp32"]',
    "SCANSIDE__WORKER__THREADS": "1",
    "SCANSIDE__INTAKE__SERIES_QUIET_S": "2",
}
CLOCK: Final = SystemClock()


def run(run: Run) -> None:
    """Each kind in turn; `failures` says what was too late, lost or not said."""
    counts = run.counted() or {"failures": []}
    rounds = run.rounds(EACH)
    for kind in SIGNALS:
        if kind not in counts:
            run.progress(kind, 0, rounds)
            strike(run, counts, kind, rounds)
            run.note(counts)
    for how in (NAN, ZEROS, SHORT):
        if f"wrong answer: {how}" not in counts:
            run.progress(how, 0, 1)
            wrong_answer(run, counts, how)
            run.note(counts)
    if "poison" not in counts and run.amount >= 1.0:
        run.progress("poison", 0, 1)
        poison(run, counts)
        run.note(counts)


@contextmanager
def _appliance(run: Run, name: str, **more: str) -> Iterator[Appliance]:
    data = run.folder / name.replace(" ", "-")
    shutil.rmtree(data, ignore_errors=True)
    proofs = run.folder / "engines"
    proofs.mkdir(parents=True, exist_ok=True)
    data.mkdir()
    (data / "engines").symlink_to(proofs)
    with running_appliance(data, CLOCK, settings=SETTINGS | more) as appliance:
        appliance.wait_until_ready()
        yield appliance
    shutil.rmtree(data)


def strike(run: Run, counts: Counts, kind: str, rounds: int) -> None:
    """A worker in the middle of a job, again and again; every image still gets its answer."""
    found: list[float] = []
    replaced: list[float] = []
    with _appliance(run, kind) as appliance:
        feed = Feed(appliance.layout.inbox, seed=len(kind))
        for number in range(rounds):
            feed.next()
            beat = _wait_for_work(appliance)
            psutil.Process(beat.pid).send_signal(SIGNALS[kind])
            last = _beat(appliance) or beat  # as it was when it was struck
            struck_ns = CLOCK.monotonic_ns()
            budget_end_ns = struck_ns + round(((last.budget_s or 0.0) - last.age_s) * NS_PER_S)
            appliance.wait_for(lambda pid=beat.pid: _has_ended(pid), timeout_s=60, what="end its worker")  # type: ignore[misc]
            ended_ns = CLOCK.monotonic_ns()
            appliance.wait_for(
                lambda pid=beat.pid: _is_another(appliance, pid),  # type: ignore[misc]
                timeout_s=60,
                what="start a worker again",
            )
            due_ns = budget_end_ns if kind == "stopped" else struck_ns
            found.append((ended_ns - due_ns) / NS_PER_S)
            replaced.append((CLOCK.monotonic_ns() - ended_ns) / NS_PER_S)
            run.progress(kind, number + 1, rounds)
            _wait_until_done(appliance, len(feed.given))
    counts[kind] = {
        "workers": rounds,
        "found_past_budget_s": _spread(found),
        "replaced_s": _spread(replaced),
    }
    if max(found) > FOUND_LIMIT_S:
        counts["failures"].append(f"{kind}: found {max(found):.1f} s past its budget")
    if max(replaced) > REPLACED_LIMIT_S:
        counts["failures"].append(f"{kind}: replaced after {max(replaced):.1f} s")


def wrong_answer(run: Run, counts: Counts, how: str) -> None:
    """NaN, zeros or another shape where there is metal: nothing of it is kept, and it is said."""
    models, keys = write_poisoned_model(run.folder / f"model-{how}", how)
    settings = {"SCANSIDE__MODELS": f'["{models}"]', "SCANSIDE__MODEL_KEYS": str(keys)}
    with _appliance(run, how, **settings) as appliance:
        _give_metal(run, appliance, how)
        state, reason = _wait_for_denoise(appliance, ("failed", "done"))
        derived = list(appliance.layout.results.rglob("*denois*"))
    counts[f"wrong answer: {how}"] = {"state": state, "said": reason, "files_kept": len(derived)}
    if state != "failed" or not reason or derived:
        counts["failures"].append(f"wrong answer {how}: {state}, {reason}, {len(derived)} files")
    shutil.rmtree(run.folder / f"model-{how}")


def poison(run: Run, counts: Counts) -> None:
    """An image that makes every worker hang, among radiographs that come all the time."""
    models, keys = write_poisoned_model(run.folder / "model-loop", LOOP)
    settings = {"SCANSIDE__MODELS": f'["{models}"]', "SCANSIDE__MODEL_KEYS": str(keys)}
    with _appliance(run, "poison", **settings) as appliance:
        feed = Feed(appliance.layout.inbox, seed=99, only_radiographs=True)
        before = _delays(appliance, feed, POISONED_RADIOGRAPHS // 2)
        _give_metal(run, appliance, "poison")
        after = _delays(appliance, feed, POISONED_RADIOGRAPHS)[len(before) :]
        state, reason = _wait_for_denoise(appliance, ("failed",))
        with appliance.store() as store:
            deaths = store.read("SELECT deaths, rank FROM job WHERE state = 'failed'")
    p95_before, p95_after = np.percentile(before, 95), np.percentile(after, 95)
    counts["poison"] = {
        "state": state,
        "said": reason,
        "deaths": deaths[0][0],
        "others": len(after),
        "others_quality_p95_s": {"before": round(p95_before, 2), "beside_poison": round(p95_after, 2)},
        "one_job_s": BUDGET_S,
    }
    shutil.rmtree(run.folder / "model-loop")


def _delays(appliance: Appliance, feed: Feed, count: int) -> list[float]:
    """Give `count` radiographs; seconds from landing to the quality verdict of all that there are."""
    for _ in range(count):
        feed.next()
        CLOCK.sleep(ARRIVAL_S)
    appliance.wait_for(
        lambda: len(_verdicts(appliance)) >= len(feed.given), timeout_s=180, what="answer the others"
    )
    return _verdicts(appliance)


def _verdicts(appliance: Appliance) -> list[float]:
    with appliance.store() as store:
        rows = store.read(
            "SELECT (r.committed_ns - f.noticed_ns) / 1e9 FROM result r JOIN acquisition a USING"
            " (acquisition_id) JOIN file f USING (acquisition_id)"
            " WHERE r.lane = ? AND a.kind = 'projection' ORDER BY f.landed_ns",
            (Lane.QUALITY.value,),
        )
    return [row[0] for row in rows]


def _give_metal(run: Run, appliance: Appliance, name: str) -> None:
    """A short series with an implant in its last slice."""
    folder = run.folder / f"metal-{name}"
    write_ct(folder, CtPlan(slices=SLICES, metal=(SLICES - 1,)))
    folder.rename(appliance.layout.inbox / "metal")


def _wait_for_denoise(appliance: Appliance, states: tuple[str, ...]) -> tuple[str, str]:
    found: list[tuple[str, str]] = []

    def ended() -> bool:
        with appliance.store() as store:
            found[:] = [
                (state, reason or "")
                for state, reason in store.read(
                    "SELECT j.state, j.reason FROM job j JOIN acquisition a USING (acquisition_id)"
                    " WHERE j.lane = 'denoise' AND a.kind = 'volume'"
                )
                if state in states
            ]
        return bool(found)

    appliance.wait_for(ended, timeout_s=400, what="come to an end with the poisoned series")
    return found[0]


def _wait_for_work(appliance: Appliance) -> Beat:
    beats: list[Beat] = []

    def works() -> bool:
        beat = _beat(appliance)
        if beat is not None and beat.state.startswith("working"):
            beats.append(beat)
        return bool(beats)

    appliance.wait_for(works, timeout_s=60, what="begin to work")
    return beats[0]


def _wait_until_done(appliance: Appliance, studies: int) -> None:
    def done() -> bool:
        with appliance.store() as store:
            (results,) = store.read("SELECT count(*) FROM result")[0]
        return int(results) == studies * len(Lane)

    appliance.wait_for(done, timeout_s=120, what="answer every image once")


def _beat(appliance: Appliance) -> Beat | None:
    return read_beat(appliance.layout.run, "worker", CLOCK)


def _has_ended(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def _is_another(appliance: Appliance, pid: int) -> bool:
    beat = _beat(appliance)
    return beat is not None and beat.pid != pid


def _spread(seconds: list[float]) -> dict[str, float]:
    return {"median": round(float(np.median(seconds)), 2), "longest": round(max(seconds), 2)}
