# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A set of de-identified images to calibrate or to judge a model with: a folder with a manifest.

`manifest.csv` has one line per image. Columns `file` (path inside the folder), `sha256` and `group` (the
patient, or whatever must not be on both sides of a split) have to be there; any of these may be:

    scanner view kvp age_years sex source    what the image is; empty: unknown
    reference reference_sha256               a denoiser's image of the same slice at full dose
    label:<name of a label of the card>      1, 0, or empty: unknown
    boxes                                    JSON: name, row, column, rows, columns of each, fractions 0..1

Every byte is compared with its hash before anything reads it, and again whenever it is read; the hash of
the manifest itself therefore names the whole set.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from appliance.domain.card import ModelCard
from appliance.domain.image import PixelImage
from appliance.errors import InputError, ModelBundleError
from appliance.tasks.letterbox import letterbox
from appliance.tasks.slice_tensor import slice_tensor
from calibration.coverage import Coverage, coverage_of
from calibration.entry import Box, Entry
from calibration.image_file import KINDS, read_image

MANIFEST: Final = "manifest.csv"
LABEL: Final = "label:"
REQUIRED: Final = ("file", "sha256", "group")
DESCRIBING: Final = ("scanner", "view", "kvp", "age_years", "sex", "source")
PAIRING: Final = ("reference", "reference_sha256")
BOXES: Final = "boxes"
COLUMNS: Final = (*REQUIRED, *DESCRIBING, *PAIRING, BOXES)
"""Every column but those of labels, in the order in which a manifest is written."""
OLDEST_YEARS: Final = 130.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationSet:
    """Images whose every byte is the one that the manifest lists."""

    folder: Path
    entries: tuple[Entry, ...]
    labels: tuple[str, ...]
    """Names of the label columns."""
    manifest_sha256: str

    @classmethod
    def read(cls, folder: Path) -> CalibrationSet:
        """The set in `folder`. Raises InputError naming the line for whatever is missing, changed or odd."""
        try:
            content = (folder / MANIFEST).read_bytes()
        except OSError as error:
            raise InputError(
                f"{folder.name} has no {MANIFEST} that can be read ({error.strerror}).",
                remedy="Make the set with `python -m calibration.sampling`, or write its manifest by hand.",
            ) from error
        try:
            table = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""), strict=True)
            labels = _label_names(table.fieldnames or ())
            entries = tuple(_entry(row, table.line_num) for row in table)
        except (UnicodeDecodeError, csv.Error) as error:
            raise _wrong(f"it is not a table: {error}") from error
        if not entries:
            raise _wrong("it lists no image")
        found = cls(
            folder=folder,
            entries=entries,
            labels=labels,
            manifest_sha256=hashlib.sha256(content).hexdigest(),
        )
        _refuse_doubles(entries)
        for entry in entries:
            found.image(entry)
            if entry.reference is not None:
                found.reference_image(entry)
        return found

    def image(self, entry: Entry) -> PixelImage:
        """One image. Raises InputError when it is not the file that was listed."""
        return self._read(entry.file, entry.sha256)

    def reference_image(self, entry: Entry) -> PixelImage:
        """What a denoiser's image should look like. Raises InputError where none is listed."""
        if entry.reference is None or entry.reference_sha256 is None:
            raise InputError(
                f"{entry.file} has no reference in {MANIFEST}.",
                remedy="Add the columns reference and reference_sha256: the same slice at full dose.",
            )
        image = self._read(entry.reference, entry.reference_sha256)
        if image.shape != self.image(entry).shape:
            raise InputError(
                f"{entry.file} and its reference {entry.reference} have different sizes.",
                remedy="Pair images of the same slice, reconstructed alike.",
            )
        return image

    def _read(self, name: str, sha256: str) -> PixelImage:
        path = self.folder / name
        try:
            if not path.resolve().is_relative_to(self.folder.resolve()):
                raise _wrong(f"{name} is a link that leaves the set")
            content = path.read_bytes()
        except OSError as error:
            raise InputError(
                f"{name} of {MANIFEST} cannot be read ({error.strerror}).",
                remedy="Put the file back, or take its line out of the manifest.",
            ) from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise InputError(
                f"{name} is not the file that {MANIFEST} lists: its SHA-256 differs.",
                remedy="Get the set again; a changed image would silently change what is measured.",
            )
        return read_image(name, content)

    def tensors(self, card: ModelCard) -> Iterator[dict[str, NDArray[Any]]]:
        """The model's input for each image in turn, prepared by the appliance's own code.

        One float32 array [1, 1, rows, columns] under the name of the card's only input. Raises
        ModelBundleError for a card whose preparation the appliance does not know.
        """
        for entry in self.entries:
            yield prepared(self.image(entry), card)

    def truth(self, label: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """(positive, known) for each image: unknown labels are False in both. Unknown column: none known."""
        values = [entry.labels.get(label) for entry in self.entries]
        return np.array([value is True for value in values]), np.array(
            [value is not None for value in values]
        )

    @property
    def groups(self) -> tuple[str, ...]:
        """The group of each image."""
        return tuple(entry.group for entry in self.entries)

    def coverage(self, card: ModelCard | None = None) -> Coverage:
        """How many images of each kind there are, and which kinds of the card's intended use have none."""
        return coverage_of(self.entries, card)


def prepared(image: PixelImage, card: ModelCard) -> dict[str, NDArray[Any]]:
    """The model's input for one image. Raises ModelBundleError when the card asks for what is unknown."""
    how = card.preprocessing
    if len(card.inputs) != 1:
        raise ModelBundleError(
            f"The model of {card.identity} has {len(card.inputs)} inputs; an image fills one.",
            remedy="Export the model with one image input.",
        )
    name = card.inputs[0].name
    if how.kind == "slice":
        return {name: slice_tensor(image.grey(), multiple_of_px=how.multiple_of_px)}
    if (
        how.kind != "letterbox"
        or how.size_px is None
        or how.low_percentile is None
        or how.high_percentile is None
    ):
        raise ModelBundleError(
            f"The card of {card.identity} does not say how an image is prepared ({how.kind}).",
            remedy="Give its preprocessing the kind slice, or letterbox with size_px and both percentiles.",
        )
    boxed = letterbox(
        image, size_px=how.size_px, low_percentile=how.low_percentile, high_percentile=how.high_percentile
    )
    return {name: boxed.tensor}


def _wrong(why: str) -> InputError:
    return InputError(
        f"{MANIFEST} cannot be used: {why}.", remedy="Mend the manifest; see docs/model-sets.md."
    )


def _label_names(columns: Any) -> tuple[str, ...]:
    names = [str(column) for column in columns]
    missing = [column for column in REQUIRED if column not in names]
    unknown = [column for column in names if column not in COLUMNS and not column.startswith(LABEL)]
    if missing or unknown or len(set(names)) != len(names):
        raise _wrong(f"columns missing: {missing}, unknown: {unknown}, or one comes twice")
    return tuple(column.removeprefix(LABEL) for column in names if column.startswith(LABEL))


def _entry(row: Mapping[Any, Any], line: int) -> Entry:
    if None in row or None in row.values():
        raise _wrong(f"line {line} has more or fewer values than there are columns")
    text = {str(key): str(value).strip() for key, value in row.items()}
    reference = text.get("reference") or None
    reference_sha256 = text.get("reference_sha256") or None
    if not text["group"]:
        raise _wrong(f"line {line} has no group: the patient, or another word that keeps images together")
    if (reference is None) != (reference_sha256 is None):
        raise _wrong(f"line {line} has a reference without its hash, or a hash without a reference")
    return Entry(
        file=_inside(text["file"], line),
        sha256=_hash(text["sha256"], line),
        group=text["group"],
        scanner=text.get("scanner") or None,
        view=text.get("view") or None,
        kvp=_number(text.get("kvp"), "kvp", line, highest=1000.0),
        age_years=_number(text.get("age_years"), "age_years", line, highest=OLDEST_YEARS),
        sex=text.get("sex") or None,
        source=text.get("source") or None,
        reference=None if reference is None else _inside(reference, line),
        reference_sha256=None if reference_sha256 is None else _hash(reference_sha256, line),
        labels=MappingProxyType(
            {
                key.removeprefix(LABEL): _label(value, key, line)
                for key, value in text.items()
                if key.startswith(LABEL)
            }
        ),
        boxes=_boxes(text.get(BOXES, ""), line),
    )


def _inside(name: str, line: int) -> str:
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name:
        raise _wrong(f"line {line}: {name!r} is not a path inside the set")
    if path.suffix.lower() not in KINDS:
        raise _wrong(f"line {line}: {name!r} is not one of {', '.join(sorted(KINDS))}")
    return path.as_posix()


def _hash(value: str, line: int) -> str:
    if len(value) != 64 or set(value) - set("0123456789abcdef"):  # a SHA-256 as sha256sum writes it
        raise _wrong(f"line {line} has no SHA-256 in small hexadecimal digits")
    return value


def _number(value: str | None, what: str, line: int, *, highest: float) -> float | None:
    if not value:
        return None
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number <= highest:  # false for NaN too
        raise _wrong(f"line {line}: {what} is {value!r}, not a number of 0 to {highest:g}")
    return number


def _label(value: str, column: str, line: int) -> bool | None:
    if value not in ("", "0", "1"):
        raise _wrong(f"line {line}: {column} is {value!r}; it is 1, 0 or empty (unknown)")
    return None if value == "" else value == "1"


def _boxes(value: str, line: int) -> tuple[Box, ...]:
    try:
        boxes = tuple(Box(**box) for box in json.loads(value or "[]"))
    except (ValueError, TypeError) as error:
        raise _wrong(
            f"line {line}: boxes are not a JSON list of name, row, column, rows, columns ({error})"
        ) from error
    return boxes


def _refuse_doubles(entries: tuple[Entry, ...]) -> None:
    files: dict[str, str] = {}
    contents: dict[str, str] = {}
    for entry in entries:
        if entry.file in files:
            raise _wrong(f"{entry.file} comes twice")
        if entry.sha256 in contents:
            raise _wrong(f"{entry.file} and {contents[entry.sha256]} are the same image")
        files[entry.file] = contents[entry.sha256] = entry.file
