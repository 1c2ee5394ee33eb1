# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Labelled films beside the repository, for the calibration and the gate of 8-bit models.

`python -m export.reference.labelled_films --data DATA --task chest_triage --out FOLDER [--count N]`

Writes lossless 8-bit pictures, as the recipes read them, and `manifest.csv`: a line per film with its
hash, its patient or group, what is known of it, and a column `label:<name>` for each label of the card.
The final model of a recipe has seen all films: a set like this compares two precisions of it, and says
nothing about how good it is. That is in the bundle's gate.json, out of fold.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np

from export.reference import chest_triage, fracture_triage
from export.reference.films import CLEAN_SOURCE, Film, fold_of_groups, read_films, read_grey
from export.reference.radiograph_view import FOLDS, MEASURED_FOLD
from export.reference.view_network import PARTS, ROTATIONS

SEED = 20261122
TASKS = ("chest_triage", "fracture_triage", "radiograph_view")


def films_of(task: str, data: Path) -> list[Film]:
    """Films that carry the task's labels; for the view, those that its training left out."""
    if task == "chest_triage":
        return [film for film in read_films(data, ("NIH",)) if film.source == CLEAN_SOURCE]
    if task == "fracture_triage":
        return read_films(data, ("BFY8",))
    films = read_films(data, ("NIH", "NIH-findings", "BFY8"))
    fold = fold_of_groups([film.group for film in films], folds=FOLDS, seed=SEED)
    return [film for film, number in zip(films, fold, strict=True) if number == MEASURED_FOLD]


def labels_of(task: str, film: Film, turns: int) -> dict[str, str]:
    """Label name to "1", "0" or, where nobody knows, nothing."""
    if task == "chest_triage":
        return {
            code.meaning: str(max(int(chest_triage.truth_of([film], code)[0]), 0))
            for code in chest_triage.codes()
        }
    if task == "fracture_triage":
        return {fracture_triage.FRACTURE.meaning: str(int(film.label == "fracture"))}
    chest = film.dataset.startswith("NIH")
    parts = dict(zip(PARTS, (str(int(chest)), str(int(not chest))), strict=True))
    return parts | {name: str(int(turns == place)) if chest else "" for place, name in enumerate(ROTATIONS)}


def write_set(task: str, data: Path, out: Path, *, count: int | None) -> int:
    """The number of pictures written; `count` of them by chance, or all."""
    films = films_of(task, data)
    random = np.random.default_rng(SEED)
    if count is not None and count < len(films):
        films = [films[row] for row in np.sort(random.choice(len(films), count, replace=False))]
    (out / "images").mkdir(parents=True, exist_ok=True)
    rows = []
    for number, film in enumerate(films):
        turns = int(random.integers(4)) if task == "radiograph_view" else 0
        pixels = np.ascontiguousarray(np.rot90(read_grey(film), -turns))
        packed = cv2.imencode(".png", pixels)[1].tobytes()
        name = f"images/{number:04d}.png"
        (out / name).write_bytes(packed)
        boxes = [] if turns else [asdict(box) for box in film.boxes]
        rows.append(
            {
                "file": name,
                "sha256": hashlib.sha256(packed).hexdigest(),
                "group": film.group,
                "view": film.view,
                "age_years": "" if film.age_years is None else f"{film.age_years:g}",
                "sex": film.sex,
                "source": film.source,
                "boxes": json.dumps(boxes) if boxes else "",
                **{f"label:{label}": value for label, value in labels_of(task, film, turns).items()},
            }
        )
    with (out / "manifest.csv").open("w", newline="", encoding="utf-8") as table:
        writer = csv.DictWriter(table, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)


def main() -> None:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--task", choices=TASKS, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=None)
    arguments = parser.parse_args()
    written = write_set(arguments.task, arguments.data, arguments.out, count=arguments.count)
    print(f"{written} films in {arguments.out}")


if __name__ == "__main__":
    main()
