# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Two studies with everything that can be made of them: a chest radiograph and a CT series."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

import cv2
import numpy as np

from appliance.domain.acquisition import Acquisition, Urgency
from appliance.domain.card import ModelCard
from appliance.domain.finding import Code, Decision, Finding, Refusal
from appliance.domain.image import PixelImage
from appliance.domain.job import Lane
from appliance.domain.quality import Mark, MarkShape, QualityCheck, Verdict
from appliance.domain.rejection import Rejection
from appliance.domain.result import EngineUse, LaneResult
from appliance.intake.assembly import all_given, arrive
from appliance.intake.jail import Jail
from appliance.outputs.derived_series import DerivedSeriesWriter
from appliance.outputs.rendering import render_everything, render_failure, render_note
from appliance.selftest.phantom_ct import CtPlan, write_ct
from appliance.selftest.phantom_radiograph import Identity, write_chest

Pixels = Callable[[Path], PixelImage]


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """An original acquisition and everything that was made of it, as files."""

    originals: tuple[Path, ...]
    objects: tuple[Path, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        return (*self.originals, *self.objects)


def acquire(files: tuple[Path, ...], jail: Jail) -> Acquisition:
    acquisition: Acquisition | None = None
    for file in files:
        instance = jail.describe(file).instance
        assert instance is not None
        instance = replace(instance, path=file, sha256=hashlib.sha256(file.read_bytes()).hexdigest())
        siblings = () if acquisition is None else (acquisition,)
        acquisition = arrive(instance, urgency=Urgency.LIVE, siblings=siblings)[0].acquisition
    assert acquisition is not None
    return all_given(acquisition, siblings=(acquisition,))


def result(acquisition: Acquisition, lane: Lane, task: str) -> LaneResult:
    use = EngineUse(task=task, model=f"{task}@1.2", engine="ort f32 CPU", fallback_reason=None)
    return LaneResult(
        acquisition_id=acquisition.acquisition_id, version=acquisition.version, lane=lane, engines=(use,)
    )


def check(criterion: str, *marks: Mark, value: float = 12.0, unit: str = "mm") -> QualityCheck:
    return QualityCheck(
        criterion=criterion,
        verdict=Verdict.CHECK,
        value=value,
        unit=unit,
        limit=1.0,
        advice="Look at it.",
        marks=marks,
    )


def write_all(folder: Path, acquisition: Acquisition, *results: LaneResult) -> tuple[Path, ...]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for one in results:
        for rendered in render_everything(acquisition, one):
            paths.append(folder / rendered.file_name)
            paths[-1].write_bytes(rendered.content)
    return tuple(paths)


def radiograph_results(acquisition: Acquisition) -> tuple[LaneResult, ...]:
    box = Mark(label="Pleural effusion", shape=MarkShape.BOX, points_px=((100.0, 40.0), (200.0, 120.0)))
    second = Mark(label="Pleural effusion", shape=MarkShape.BOX, points_px=((20.0, 40.0), (60.0, 120.0)))
    found = Finding(
        task="chest_triage",
        code=Code(value="60046008", scheme="SCT", meaning="Pleural effusion"),
        probability=0.83,
        sensitive_threshold=0.2,
        specific_threshold=0.7,
        decision=Decision.PRESENT,
        marks=(box, second),
        draws_location=True,
    )
    field = Mark(
        label="exposed field",
        shape=MarkShape.POLYGON,
        points_px=((10.0, 10.0), (10.0, 280.0), (340.0, 280.0), (340.0, 10.0)),
    )
    edge = Mark(label="cut off", shape=MarkShape.LINE, points_px=((350.0, 20.0), (350.0, 130.0)))
    return (
        replace(
            result(acquisition, Lane.QUALITY, "view_check"),
            quality=(
                check("field_of_view", edge),
                check("collimation", field, value=40.0, unit="%"),
                check("exposure", value=-3.5, unit="1"),
            ),
        ),
        replace(
            result(acquisition, Lane.TRIAGE, "chest_triage"),
            findings=(found,),
            refusals=(Refusal(task="fracture_triage", reason="The body part is CHEST."),),
        ),
    )


def radiograph_study(folder: Path, jail: Jail) -> Study:
    """A chest with findings, quality marks and the rejection note of a person."""
    folder.mkdir(exist_ok=True)
    original = folder / "chest.dcm"
    write_chest(original, identity=Identity(patient_name="PHANTOM^MÖBIUS"), rows=360, columns=300)
    acquisition = acquire((original,), jail)
    results = radiograph_results(acquisition)
    objects = write_all(folder / "made", acquisition, *results)
    rejection = Rejection(
        decision_id=1,
        reason="Patient moved",
        decided_at_utc=datetime(2026, 1, 2, 10, 30, tzinfo=timezone.utc),
        checks=results[0].quality,
    )
    (note,) = render_note(acquisition, rejection)
    (failed_report, failed_page) = render_failure(acquisition, Lane.TRIAGE, reason="The model broke.")
    for rendered in (note, failed_report, failed_page):
        (folder / "made" / rendered.file_name).write_bytes(rendered.content)
        objects = (*objects, folder / "made" / rendered.file_name)
    return Study(originals=(original,), objects=objects)


def series_results(
    acquisition: Acquisition, card: ModelCard, pixels_of: Pixels, data: Path
) -> tuple[LaneResult, ...]:
    """Quality, and a denoised series in which a square was kept on two slices."""
    made = []
    with DerivedSeriesWriter(data / "derived", acquisition=acquisition, card=card, data=data) as writer:
        for index, place in enumerate(acquisition.slices):
            image = pixels_of(acquisition.instances[place.instance].path)
            smooth = np.asarray(cv2.GaussianBlur(np.asarray(image.grey()), (0, 0), 1), np.float32)
            derived, _ = writer.add(index, image, smooth)
            made.append(derived)
    kept = ((10.0, 20.0), (10.0, 39.0), (29.0, 39.0), (29.0, 20.0))
    marked = [
        replace(
            derived,
            marks=(Mark(label="original kept", shape=MarkShape.POLYGON, points_px=kept, slice_index=index),)
            if index in {1, 3}
            else (),
        )
        for index, derived in enumerate(made)
    ]
    motion = Mark(label="jump", shape=MarkShape.SLICES, points_px=((1.0, 2.0),))
    denoised = result(acquisition, Lane.DENOISE, card.task)
    use = replace(denoised.engines[0], model=card.identity)
    return (
        replace(result(acquisition, Lane.QUALITY, "view_check"), quality=(check("motion", motion),)),
        replace(denoised, derived=tuple(marked), engines=(use,)),
    )


def series_study(folder: Path, jail: Jail, card: ModelCard, pixels_of: Pixels) -> Study:
    """A series with a jump, denoised, with the original kept in a square on two slices."""
    originals = write_ct(folder / "originals", CtPlan(slices=5)).paths
    acquisition = acquire(originals, jail)
    results = series_results(acquisition, card, pixels_of, folder)
    objects = write_all(folder / "made", acquisition, *results)
    derived = tuple(folder / file.path for file in results[1].derived)
    return Study(originals=originals, objects=(*derived, *objects))
