# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Models change while images come: on the running appliance, by the commands that a person types."""

from __future__ import annotations

import shutil
import time  # noqa: TID251  (images come in real time)
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.clock import SystemClock
from appliance.domain.acquisition import Acquisition
from appliance.domain.job import Lane
from appliance.errors import ExitCode
from appliance.intake.jail import Jail
from appliance.layout import Layout
from appliance.models.registry import Registry
from appliance.models.served import Surroundings
from appliance.models.slots import SlotFolder
from appliance.processes.shadows import ShadowWork
from appliance.processes.worker import NAME, Worker
from appliance.selftest.phantom_radiograph import Identity, write_chest
from appliance.store.connection import Database
from appliance.store.jobs import Jobs
from appliance.store.results import Results
from appliance.store.shadows import Shadows
from tests.command_line import json_lines, scanside
from tests.processes.test_worker import opened, settings_with
from tests.running import RunningAppliance
from tests.tiny_bundles import trusted
from tests.tiny_triage import build_triage

Land = Callable[..., Acquisition]
TASK = "chest_triage"
DECIDES = {f"{TASK}@2.0": "PRESENT", f"{TASK}@3.0": "ABSENT"}
"""What each release says of a chest's first label: an answer cannot bear the other's name."""
ROWS, COLUMNS = 400, 340


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("releases")
    return (
        build_triage(folder / "two", release=2),
        build_triage(folder / "three", release=3, opposite=True),
    )


@pytest.fixture
def chests(tmp_path: Path) -> Callable[[], Path]:
    """A new chest at each call."""
    made: list[Path] = []

    def another() -> Path:
        file = tmp_path / f"chest{len(made)}.dcm"
        made.append(file)
        write_chest(file, identity=Identity(seed=100 + len(made)), rows=ROWS, columns=COLUMNS)
        return file

    return another


class Site:
    """A running appliance, a stream of chests into its inbox, and a person at the command line."""

    def __init__(self, appliance: RunningAppliance, chests: Callable[[], Path], cache: Path) -> None:
        self._appliance = appliance
        self._chests = chests
        self._cache = cache
        self.sent = 0

    def send(self, count: int = 1) -> None:
        for _ in range(count):
            file = self._chests()
            file.replace(self._appliance.layout.inbox / file.name)
            self.sent += 1

    def say(self, *arguments: str | Path) -> None:
        data = self._appliance.layout.data
        done = scanside(
            "models", *arguments, "--data", data, cache=self._cache, SCANSIDE__WORKER__ENGINES='["ort"]'
        )
        assert done.returncode == ExitCode.OK, done.stderr

    def newest(self) -> dict[str, Any]:
        """The last answer, once everything that was sent has one."""
        return self._appliance.wait_for_answers(self.sent, limit_s=60)[-1]

    def send_until(self, model: str) -> None:
        """Images come one by one until that model answers: the change takes seconds, and none may be lost."""
        deadline = time.monotonic() + 60
        while True:
            self.send()
            if model in self.newest()["models"]:
                return
            assert time.monotonic() < deadline, f"{model} never answered"


def test_images_stream_in_while_models_change_and_none_is_lost(
    tmp_path: Path, proofs: Path, releases: tuple[Path, Path], chests: Callable[[], Path]
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "engines").symlink_to(proofs)
    with RunningAppliance(data, SCANSIDE__WORKER__ENGINES='["ort"]') as appliance:
        site = Site(appliance, chests, tmp_path / "cache")
        for release in releases:
            site.say("install", release)
        site.say("activate", f"{TASK}@2.0")
        site.send_until(f"{TASK}@2.0")
        site.send(3)
        site.say("activate", f"{TASK}@3.0")
        site.send_until(f"{TASK}@3.0")
        site.send(3)
        site.say("rollback", TASK)
        site.send_until(f"{TASK}@2.0")
        slots = SlotFolder(appliance.layout.models, trust=trusted())
        key = next(key for key, bundle in slots.installed(TASK) if bundle.card.release == 3)
        (slots.release(TASK, key) / "model.onnx").write_bytes(b"the disk went bad")
        slots.activate(TASK, key)
        appliance.wait_for(lambda _: bool(slots.read(TASK).note), limit_s=30)
        site.send(2)
        site.newest()
        lines = appliance.lines()
        log = appliance.log.read_text(encoding="utf-8")
    assert len(lines) == site.sent, "none lost, none twice"
    assert {line["status"] for line in lines} == {"done"}
    seen = set()
    for line in lines:
        (model,) = [name for name in line["models"] if name.startswith(TASK)]
        (bright,) = [finding for finding in line["findings"] if finding["code"]["value"] == "BRIGHT"]
        assert bright["decision"] == DECIDES[model], "the result names the model that made it"
        assert line["engines"][TASK] == "ort f32 CPU"
        seen.add(model)
    assert seen == set(DECIDES)
    assert lines[-1]["models"][0] == f"{TASK}@2.0", "what cannot be loaded went back by itself"
    assert log.count('"event": "model in service"') >= 4, "each change is in the log"
    assert "model.onnx is not the file that SHA256SUMS lists" in slots.read(TASK).note


def work_off(worker: Worker, database: Database) -> None:
    jobs = Jobs(database, max_attempts=3)
    while job := jobs.lease(worker=NAME, lease_s=60):
        worker.do(job)


def test_a_shadow_sees_the_same_images_and_changes_no_answer(
    layout: Layout,
    database: Database,
    land: Land,
    jail: Jail,
    releases: tuple[Path, Path],
    chests: Callable[[], Path],
    tmp_path: Path,
) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    shutil.copytree(releases[0], folder / "two")
    slots = SlotFolder(layout.models, trust=trusted())
    with Registry(
        (releases[1].parent,), engines=("ort",), threads=1, cache=layout.engine_cache, trust=trusted()
    ) as registry:
        three = registry.bundle(TASK)
        assert three is not None
        assert three.card.release == 3
        slots.install(three)
    slots.set_shadow(TASK, three.sums_sha256[:16])
    settings = settings_with(folder)
    before = land([chests()])
    with opened(layout, database, settings) as worker:
        work_off(worker, database)
        with Registry(
            (folder,),
            engines=("ort",),
            threads=1,
            cache=layout.engine_cache,
            trust=trusted(),
            surroundings=Surroundings(slots=slots, mends_slots=True),
        ) as registry:
            clock = SystemClock()
            assert not ShadowWork(registry, database, clock).do_one(jail), "it begins with what comes"
            images = [land([chests()]), land([chests()])]
            work_off(worker, database)
            shadows = ShadowWork(registry, database, clock)
            assert [shadows.do_one(jail), shadows.do_one(jail), shadows.do_one(jail)] == [True, True, False]
            gone = land([chests()])
            work_off(worker, database)
            gone.first.path.unlink()
            assert ShadowWork(registry, database, clock).do_one(jail), "an image that is gone is passed over"
    answers = Shadows(database).answers(TASK, three.sums_sha256[:16])
    assert [answer.acquisition_id for answer in answers] == [image.acquisition_id for image in images]
    for answer in answers:
        assert (answer.served_model, answer.shadow_model) == (f"{TASK}@2.0", f"{TASK}@3.0")
        bright = next(pair for pair in answer.pairs if pair.label == "Bright")
        assert (bright.served.value, bright.shadow.value) == ("PRESENT", "ABSENT")
        assert bright.served_probability == pytest.approx(1 - bright.shadow_probability)
        assert answer.shadow_ms > 0
        assert answer.served_ms is not None
    for image in (before, *images, gone):
        result = Results(database).of(image.acquisition_id, image.version, Lane.TRIAGE)
        assert result is not None
        assert [use.model for use in result.engines] == [f"{TASK}@2.0"]
        assert result.findings[0].decision.value == "PRESENT"
    shown = json_lines(scanside("results", "--data", layout.data, "--json", cache=tmp_path / "cache"))
    assert all("@3.0" not in str(line) for line in shown), "a shadow is never shown"
