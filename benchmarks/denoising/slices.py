# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The slices on which denoisers are compared, from the folder of real images that SCANSIDE_DATA names.

What a filter's setting is chosen on is of other patients than what it is judged on. Simulated low dose
(`export.reference.denoiser_sets`): chosen on the patients that taught our network, judged on those that were
kept aside. Real pairs: chosen on one patient and judged on the other, then the other way round.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from export.reference.ct_slices import SliceSet, routine_rows, simulate
from export.reference.denoiser_sets import Pair, added_noise_pairs, one_kernel_pairs, real_pairs

VARIABLE: Final = "SCANSIDE_DATA"
TRAINED_RED_CNN: Final = Path("denoisers") / "red_cnn.onnx"
"""In that folder: what `export.reference.red_cnn` wrote."""
SEED: Final = 20261201
SIMULATED: Final[dict[str, Callable[[SliceSet], list[Pair]]]] = {
    "added_noise": added_noise_pairs,
    "one_kernel": one_kernel_pairs,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """Slices to choose settings on, and others to judge them on."""

    chosen_on: tuple[Pair, ...]
    judged_on: tuple[Pair, ...]


def real_images() -> Path | None:
    """The folder that SCANSIDE_DATA names; None where it holds no CT slices."""
    named = os.environ.get(VARIABLE)
    folder = Path(named) if named else None
    return folder if folder is not None and (folder / "ct" / "ct-normal-dose").is_dir() else None


def trained_red_cnn(data: Path | None) -> Path | None:
    """The graph of RED-CNN that was trained on the same slices; None: there is none."""
    path = data / TRAINED_RED_CNN if data is not None else None
    return path if path is not None and path.exists() else None


def folds_of(data: Path, *, most_of_a_patient: int) -> dict[str, tuple[Fold, ...]]:
    """By the kind of pairs. Simulating takes about two seconds a slice."""
    rows = defaultdict(list)
    for row in routine_rows(data):
        rows[row["patient"]].append(row)
    few = [row for own in rows.values() for row in spread_over(own, most_of_a_patient)]
    drawn = simulate(data, few, noises=1, random=np.random.default_rng(SEED))
    found = simulated_folds(drawn)
    pairs = real_pairs(data)
    if pairs:
        found["real"] = patient_by_patient(pairs)
    return found


def simulated_folds(drawn: SliceSet) -> dict[str, tuple[Fold, ...]]:
    """Both kinds of simulated pairs: chosen on the patients that taught, judged on those kept aside."""
    others = tuple(replace(item, held_out=not item.held_out) for item in drawn.slices)
    taught = replace(drawn, slices=others)
    return {
        name: (Fold(chosen_on=tuple(make(taught)), judged_on=tuple(make(drawn))),)
        for name, make in SIMULATED.items()
    }


def spread_over(rows: Sequence[dict[str, str]], most: int) -> list[dict[str, str]]:
    """At most so many, evenly over all."""
    chosen = np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(int)
    return [rows[index] for index in chosen]


def patient_by_patient(pairs: Sequence[Pair]) -> tuple[Fold, ...]:
    """Each patient judged with what was chosen on all others; a group's name begins with its patient."""
    patients = sorted({patient_of(pair) for pair in pairs})
    return tuple(
        Fold(
            chosen_on=tuple(pair for pair in pairs if patient_of(pair) != patient),
            judged_on=tuple(pair for pair in pairs if patient_of(pair) == patient),
        )
        for patient in patients
    )


def patient_of(pair: Pair) -> str:
    """Series of real pairs are called PATIENT_KERNEL_THICKNESS."""
    return pair.group.partition("_")[0]
