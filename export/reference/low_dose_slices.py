# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Sets of slices beside the repository, for the calibration and the gate of the denoiser's 8-bit variant.

`python -m export.reference.low_dose_slices --data DATA --work WORK --out FOLDER`

`calibration`: simulated quarter-dose slices of patients that taught the network. `gate`: the simulated
pairs of the patients kept aside, on which the recipe quotes its numbers. WORK is that of the recipe.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from calibration.dataset import CalibrationSet
from calibration.sampling import make_set
from export.reference.ct_slices import SliceSet, prepare
from export.reference.denoiser_sets import Pair, added_noise_pairs, one_kernel_pairs

CALIBRATION: Final = "calibration"
GATE: Final = "gate"
CALIBRATED_ON: Final = 24
"""Slices, evenly spread over those that taught the network; each has a quarter of a million values."""


def taught_pairs(data: SliceSet) -> list[Pair]:
    """Simulated quarter-dose slices of the patients that taught the network."""
    others = replace(data, slices=tuple(replace(item, held_out=not item.held_out) for item in data.slices))
    pairs = added_noise_pairs(others)
    chosen = np.linspace(0, len(pairs) - 1, min(CALIBRATED_ON, len(pairs))).round().astype(int)
    return [pairs[index] for index in chosen]


def write_set(pairs: Sequence[Pair], out: Path, *, source: str) -> CalibrationSet:
    """The pairs as a set: each low-dose slice with its reference, in HU. `out` must be new."""
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder)
        rows = []
        for number, pair in enumerate(pairs):
            low, routine = f"{number:03d}_low.npy", f"{number:03d}_routine.npy"
            np.save(images / low, pair.low)
            np.save(images / routine, pair.routine)
            rows.append({"file": low, "group": pair.group, "source": source, "reference": routine})
        return make_set(images, rows, out)


def main() -> None:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    data = prepare(given.data, given.work)
    taught = write_set(taught_pairs(data), given.out / CALIBRATION, source="added noise")
    aside = write_set(
        [*added_noise_pairs(data), *one_kernel_pairs(data)],
        given.out / GATE,
        source="added noise, one kernel",
    )
    print(f"{len(taught.entries)} and {len(aside.entries)} slices in {given.out}")


if __name__ == "__main__":
    main()
