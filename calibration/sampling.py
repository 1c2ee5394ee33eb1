# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Make a set: a stratified sample of a folder of images, copied, hashed and listed.

    python -m calibration.sampling IMAGES TABLE.csv OUT --count 300 --seed 1

TABLE.csv has the columns of a manifest (calibration/dataset.py) but for the hashes; its files are inside
IMAGES. Every kind of image (scanner, view, kVp band) gets its turn until the count is reached, so a rare
scanner is there too; within a kind chance decides, by the seed.
"""

from __future__ import annotations

import csv
import hashlib
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final

import numpy as np
import typer

from appliance.errors import InputError, ScansideError
from calibration.coverage import KVP_BANDS, UNKNOWN, band_words
from calibration.dataset import COLUMNS, LABEL, MANIFEST, CalibrationSet

BY: Final = ("scanner", "view", "kvp")
"""What a calibration set is stratified by unless another wish is given."""


def sample(
    rows: Sequence[Mapping[str, str]], *, count: int, seed: int, by: Sequence[str] = BY
) -> list[Mapping[str, str]]:
    """`count` rows (or all), by turns from every kind of image, in the order of the table."""
    random = np.random.default_rng(seed)
    waiting: dict[tuple[str, ...], list[int]] = {}
    for index in random.permutation(len(rows)):
        waiting.setdefault(tuple(_kind(rows[index], name) for name in by), []).append(int(index))
    chosen: list[int] = []
    while waiting and len(chosen) < count:
        for kind in sorted(waiting):
            chosen.append(waiting[kind].pop())
            if not waiting[kind]:
                del waiting[kind]
            if len(chosen) == count:
                break
    return [rows[index] for index in sorted(chosen)]


def _kind(row: Mapping[str, str], name: str) -> str:
    value = (row.get(name) or "").strip()
    if name != "kvp" or not value:
        return value or UNKNOWN
    try:
        return band_words(float(value), KVP_BANDS, "kV")
    except ValueError as error:
        raise InputError(
            f"The kvp of {row.get('file')} is {value!r}.", remedy="Give a number of kV, or nothing."
        ) from error


def make_set(
    images: Path,
    rows: Iterable[Mapping[str, str]],
    out: Path,
) -> CalibrationSet:
    """Copy the images of `rows` into `out`, hash them, write the manifest and read the set back.

    Raises InputError when `out` holds something already or a file does not belong into a set; then nothing
    is left behind.
    """
    if out.exists() and any(out.iterdir()):
        raise InputError(f"{out.name} is not empty.", remedy="Give a new folder for the set.")
    try:
        lines = [_copied(images, row, out) for row in rows]
        labels = sorted({column for line in lines for column in line if column.startswith(LABEL)})
        used = [column for column in COLUMNS if any(column in line for line in lines)]
        with (out / MANIFEST).open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, [*used, *labels], restval="", lineterminator="\n")
            table.writeheader()
            table.writerows(lines)
        return CalibrationSet.read(out)
    except (OSError, ScansideError) as error:
        shutil.rmtree(out, ignore_errors=True)
        if isinstance(error, OSError):
            raise InputError(
                f"The set cannot be made: {error}.",
                remedy="Check the table's file names and the disk's space.",
            ) from error
        raise


def _copied(images: Path, row: Mapping[str, str], out: Path) -> dict[str, str]:
    line = {key: (value or "").strip() for key, value in row.items()}
    for name, hashed in (("file", "sha256"), ("reference", "reference_sha256")):
        if not line.get(name):
            line.pop(name, None)
            continue
        source = images / line[name]
        if not source.resolve().is_relative_to(images.resolve()):
            raise InputError(
                f"{line[name]!r} leaves the folder of images.", remedy="Name files inside that folder."
            )
        content = source.read_bytes()
        target = out / PurePosixPath(line[name])
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        line[hashed] = hashlib.sha256(content).hexdigest()
    return line


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a table of images. Raises InputError when it is none."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows: list[dict[Any, Any]] = list(csv.DictReader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{path.name} is no table that can be read: {error}.",
            remedy=f"Give a CSV file: file, group, any of {', '.join(COLUMNS[3:])}, {LABEL}NAME.",
        ) from error
    if not rows or any(None in row or None in row.values() for row in rows):
        raise InputError(f"{path.name} has no rows, or rows of different lengths.", remedy="Mend the table.")
    return rows


def main(
    images: Annotated[Path, typer.Argument(help="Folder of de-identified images.")],
    table: Annotated[Path, typer.Argument(help="CSV: file, group, and what is known about each image.")],
    out: Annotated[Path, typer.Argument(help="New folder for the set.")],
    *,
    count: Annotated[int, typer.Option(min=1, help="Images to take.")] = 300,
    seed: Annotated[int, typer.Option(help="Which ones, where chance decides.")] = 1,
    by: Annotated[str, typer.Option(help="Columns to stratify by, with commas.")] = ",".join(BY),
) -> None:
    """Make a calibration set: a stratified, hashed sample of a folder of de-identified images."""
    names = tuple(name.strip() for name in by.split(",") if name.strip())
    try:
        made = make_set(images, sample(read_table(table), count=count, seed=seed, by=names), out)
    except InputError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    coverage = made.coverage()
    typer.echo(f"{coverage.images} images of {coverage.groups} groups, manifest {made.manifest_sha256}")
    for name, counts in coverage.counts.items():
        typer.echo(f"  {name}: " + ", ".join(f"{value} {number}" for value, number in counts.items()))
    for kind in coverage.empty:
        typer.echo(f"  none: {kind}")


if __name__ == "__main__":
    typer.run(main)
