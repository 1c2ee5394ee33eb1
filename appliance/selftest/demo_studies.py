# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The bundled demonstration: six synthetic studies, and what is wrong with each.

Drawn when they are needed, so that they take no room in the package and every device makes the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from appliance.selftest.phantom_ct import CtPlan, write_ct
from appliance.selftest.phantom_exposure import ExposurePlan
from appliance.selftest.phantom_radiograph import COLUMNS, ROWS, Identity, write_chest, write_limb


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoStudy:
    """One study on disk."""

    folder: Path
    planted: str
    """What is wrong with it, in words."""


def write_demo_studies(folder: Path, *, rows: int = ROWS) -> tuple[DemoStudy, ...]:
    """Write all studies under `folder`, one folder each: about 5 s of one core's time.

    `rows`: of the radiographs, which always cover the same field. Studies that lie there whole from an
    earlier time are not drawn again.
    """
    studies = {
        "1-chest": "nothing",
        "2-chest-bases-cut-off": "both lung bases cut off at the lower edge, by 48 and 59 mm",
        "3-chest-underexposed": "a twenty-fifth of the target exposure, so noisy",
        "4-forearm": "nothing",
        "5-hand-dead-line": "one dead detector column through the wrist, and no side given",
        "6-ct": "one of 24 slices missing, and streaks in two others",
    }
    folders = [folder / name for name in studies]
    whole = folder / "whole"
    if not whole.exists():
        _draw(folders, rows=rows)
        whole.touch()
    return tuple(
        DemoStudy(folder=each, planted=planted)
        for each, planted in zip(folders, studies.values(), strict=True)
    )


def _draw(folders: list[Path], *, rows: int) -> None:
    columns = rows * COLUMNS // ROWS
    for each in folders:
        each.mkdir(parents=True, exist_ok=True)
    files = [each / "image.dcm" for each in folders]
    closed_in = (12.0, 12.0, 12.0, 12.0)
    write_chest(files[0], identity=_person(101, "PHANTOM^GOOD"), rows=rows, columns=columns)
    write_chest(
        files[1],
        ExposurePlan(shift_mm=(140.0, 0.0), collimation_mm=closed_in),
        identity=_person(102, "PHANTOM^CUT"),
        rows=rows,
        columns=columns,
        monochrome1=True,
    )
    write_chest(
        files[2],
        ExposurePlan(dose=0.04),
        identity=_person(103, "PHANTOM^DARK"),
        rows=rows,
        columns=columns,
    )
    forearm = Identity(
        seed=104,
        patient_name="PHANTOM^FOREARM",
        patient_id="PHANTOM-104",
        view_position="AP",
        image_laterality="R",
    )
    write_limb(
        files[3],
        ExposurePlan(collimation_mm=(0.0, 100.0, 0.0, 100.0), marker=None),
        body_part="FOREARM",
        identity=forearm,
        rows=rows,
        columns=columns,
    )
    write_limb(
        files[4],
        ExposurePlan(dead_columns=(round(0.47 * columns),)),
        identity=_person(105, "PHANTOM^HAND"),
        rows=rows,
        columns=columns,
    )
    write_ct(folders[5], CtPlan(seed=106, slices=24, noise_hu=16.0, missing=(12,), streaked=(7, 8)))


def _person(seed: int, name: str) -> Identity:
    return Identity(seed=seed, patient_name=name, patient_id=f"PHANTOM-{seed}")
