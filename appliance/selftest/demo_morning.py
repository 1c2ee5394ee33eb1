# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A believable morning in each of the three rooms: who comes when, and what is wrong with the picture.

Everybody is invented, and named so that nobody can think otherwise. Nothing here answers for the appliance:
these are only files for its inbox.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pydicom

from appliance.selftest.phantom_ct import CtPlan, write_ct
from appliance.selftest.phantom_exposure import ExposurePlan
from appliance.selftest.phantom_radiograph import COLUMNS, ROWS, Identity, write_chest, write_limb

PRIOR_DAYS: Final = 400
"""How long ago the earlier image of a patient was taken."""
_CLOSED_IN: Final = (12.0, 12.0, 12.0, 12.0)

Draw = Callable[[Path, int], None]
"""Writes the files of one arrival into a folder, at this many rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An invented patient."""

    seed: int
    """Names the study: views with the same seed and body part belong together."""
    name: str
    sex: str
    birth_date: str
    """DICOM DA."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One delivery from a modality."""

    after_s: float
    """Since the one before."""
    folder: str
    person: Person
    planted: str
    """What is wrong with it, in words."""
    draw: Draw
    days_ago: int = 0
    """When it was taken; more than 0: an earlier image, sent on request."""
    stat: bool = False
    """The request says so."""


def write_arrival(arrival: Arrival, folder: Path, *, now: datetime, rows: int = ROWS) -> None:
    """Draw the arrival's files into `folder` (made when absent) as taken `days_ago` before `now`."""
    folder.mkdir(parents=True, exist_ok=True)
    arrival.draw(folder, rows)
    taken = now - timedelta(days=arrival.days_ago)
    for file in sorted(folder.glob("*.dcm")):
        dataset = pydicom.dcmread(file)
        dataset.PatientName = arrival.person.name
        dataset.PatientID = f"PHANTOM-{arrival.person.seed}"
        dataset.PatientSex, dataset.PatientBirthDate = arrival.person.sex, arrival.person.birth_date
        age_years = (now - datetime.strptime(arrival.person.birth_date, "%Y%m%d").astimezone()).days // 365
        dataset.PatientAge = f"{age_years:03d}Y"
        day, moment = f"{taken:%Y%m%d}", f"{taken:%H%M%S}"
        dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = day
        dataset.StudyTime = dataset.SeriesTime = dataset.AcquisitionTime = dataset.ContentTime = moment
        if arrival.stat:
            dataset.RequestedProcedurePriority = "STAT"
        dataset.save_as(file, enforce_file_format=True)


def morning(profile: str) -> tuple[Arrival, ...]:
    """Who comes to this room: scanner, rural or fracture."""
    return {"scanner": _scanner, "rural": _rural, "fracture": _fracture}[profile]()


def _chest(seed: int, plan: ExposurePlan | None = None, *, monochrome1: bool = False) -> Draw:
    def draw(folder: Path, rows: int) -> None:
        write_chest(
            folder / "image.dcm",
            plan,
            identity=Identity(seed=seed),
            rows=rows,
            columns=rows * COLUMNS // ROWS,
            monochrome1=monochrome1,
        )

    return draw


def _limb(
    seed: int,
    part: str,
    view: str,
    plan: ExposurePlan | None = None,
    *,
    side: str = "R",
    dead_column: float | None = None,
) -> Draw:
    """`dead_column`: where a detector column is dead, as a share of the width."""

    def draw(folder: Path, rows: int) -> None:
        columns = rows * COLUMNS // ROWS
        taken = plan or ExposurePlan()
        if dead_column is not None:
            taken = replace(taken, dead_columns=(round(dead_column * columns),))
        write_limb(
            folder / f"{view.lower()}.dcm",
            taken,
            body_part=part,
            identity=Identity(seed=seed, view_position=view, image_laterality=side),
            rows=rows,
            columns=columns,
        )

    return draw


def _ct(plan: CtPlan) -> Draw:
    def draw(folder: Path, rows: int) -> None:
        del rows  # a slice has its own size
        write_ct(folder, plan)

    return draw


_FOREARM: Final = ExposurePlan(collimation_mm=(0.0, 100.0, 0.0, 100.0))
_FOREARM_SIDE: Final = ExposurePlan(collimation_mm=(0.0, 110.0, 0.0, 110.0), shift_mm=(4.0, 3.0), dose=1.1)
_HAND_SIDE: Final = ExposurePlan(shift_mm=(3.0, -6.0), dose=0.95)
_CUT: Final = ExposurePlan(shift_mm=(140.0, 0.0), collimation_mm=_CLOSED_IN)


def _person(seed: int, given: str, sex: str, birth_date: str) -> Person:
    return Person(seed=seed, name=f"PHANTOM^{given}", sex=sex, birth_date=birth_date)


def _arrival(
    after_s: float,
    folder: str,
    person: Person,
    draw: Draw,
    planted: str = "nothing",
    *,
    days_ago: int = 0,
    stat: bool = False,
) -> Arrival:
    return Arrival(
        after_s=after_s,
        folder=folder,
        person=person,
        planted=planted,
        draw=draw,
        days_ago=days_ago,
        stat=stat,
    )


def _scanner() -> tuple[Arrival, ...]:
    ada, bela = _person(201, "ADA", "F", "19620304"), _person(202, "BELA", "M", "19850711")
    caro, dov = _person(203, "CARO", "F", "19910923"), _person(204, "DOV", "M", "19471130")
    eva, finn = _person(205, "EVA", "F", "19780615"), _person(206, "FINN", "M", "20010202")
    return (
        _arrival(0, "01-ada-earlier", ada, _chest(1201), days_ago=PRIOR_DAYS),
        _arrival(20, "02-ada-chest", ada, _chest(201)),
        _arrival(40, "03-bela-chest", bela, _chest(202, _CUT, monochrome1=True), "both lung bases cut off"),
        _arrival(30, "04-bela-again", bela, _chest(1202), "nothing: the repeat"),
        _arrival(45, "05-caro-hand", caro, _limb(203, "HAND", "PA", dead_column=0.47), "one dead column"),
        _arrival(25, "06-caro-hand", caro, _limb(203, "HAND", "OBL", _HAND_SIDE)),
        _arrival(
            50,
            "07-dov-ct",
            dov,
            _ct(CtPlan(seed=204, slices=24, noise_hu=16.0, missing=(12,), streaked=(7, 8))),
            "one of 24 slices missing, streaks in two",
        ),
        _arrival(40, "08-eva-chest", eva, _chest(205), stat=True),
        _arrival(60, "09-finn-chest", finn, _chest(206, ExposurePlan(dose=0.04)), "badly underexposed"),
    )


def _rural() -> tuple[Arrival, ...]:
    people = (
        _person(301, "ASHA", "F", "19690518"),
        _person(302, "BIKO", "M", "19550102"),
        _person(303, "CHI", "F", "19890827"),
        _person(304, "DIA", "F", "20030314"),
        _person(305, "EKO", "M", "19720909"),
        _person(306, "FATU", "F", "19640721"),
    )
    asha, biko, chi, dia, eko, fatu = people
    return (
        _arrival(0, "01-asha-chest", asha, _chest(301)),
        _arrival(40, "02-biko-chest", biko, _chest(302, _CUT), "both lung bases cut off"),
        _arrival(25, "03-biko-again", biko, _chest(1302), "nothing: the repeat"),
        _arrival(50, "04-chi-chest", chi, _chest(303, ExposurePlan(dose=0.04)), "badly underexposed"),
        _arrival(45, "05-dia-forearm", dia, _limb(304, "FOREARM", "AP", _FOREARM)),
        _arrival(35, "06-eko-chest", eko, _chest(305, ExposurePlan(blur_px=24)), "moved while it was taken"),
        _arrival(60, "07-fatu-chest", fatu, _chest(306), stat=True),
    )


def _fracture() -> tuple[Arrival, ...]:
    ana, ben = _person(401, "ANA", "F", "20170406"), _person(402, "BEN", "M", "19640812")
    cleo, dan = _person(403, "CLEO", "F", "19991225"), _person(404, "DAN", "M", "19500130")
    eli = _person(405, "ELI", "M", "19811017")
    return (
        _arrival(0, "01-ben-earlier", ben, _limb(1402, "HAND", "PA"), days_ago=PRIOR_DAYS),
        _arrival(20, "02-ana-forearm", ana, _limb(401, "FOREARM", "AP", _FOREARM)),
        _arrival(20, "03-ana-forearm", ana, _limb(401, "FOREARM", "LAT", _FOREARM_SIDE)),
        _arrival(40, "04-ben-hand", ben, _limb(402, "HAND", "PA")),
        _arrival(25, "05-ben-hand", ben, _limb(402, "HAND", "OBL", _HAND_SIDE)),
        _arrival(
            45,
            "06-cleo-hand",
            cleo,
            _limb(403, "HAND", "PA", side="L", dead_column=0.47),
            "one dead column; the second view never comes",
        ),
        _arrival(40, "07-dan-chest", dan, _chest(404), stat=True),
        _arrival(
            50, "08-eli-forearm", eli, _limb(405, "FOREARM", "AP", replace(_FOREARM, blur_px=24)), "moved"
        ),
        _arrival(20, "09-eli-forearm", eli, _limb(405, "FOREARM", "LAT", _FOREARM_SIDE)),
    )
