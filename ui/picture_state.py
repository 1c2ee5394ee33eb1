# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is drawn on the picture: places of findings and of quality faults, and what they are called."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from appliance.domain.acquisition import Completeness, Kind
from appliance.domain.finding import Decision
from appliance.domain.job import JobState, Lane
from appliance.domain.quality import Mark, MarkShape, Verdict
from ui.advice_words import label_in_words, meaning_in_words
from ui.findings_state import shown_findings
from ui.language import noted, tr
from ui.patient_state import EdgeLetters, edge_letters
from ui.records import ExamRecord
from ui.reveal_state import Reveal

_SIDES: Final = {"R": noted("RIGHT side"), "L": noted("LEFT side"), "B": noted("BOTH sides")}


class MarkStyle(str, Enum):
    """How sure the thing is that is marked."""

    FINDING_HIGH = "finding_high"
    """Solid."""
    FINDING_MEDIUM = "finding_medium"
    """Dashed."""
    QUALITY_REPEAT = "quality_repeat"
    QUALITY_CHECK = "quality_check"
    ORIGINAL_KEPT = "original_kept"
    """Where the denoised copy is the original, drawn on the copy alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnMark:
    """One outline on the picture. Points are (row, column) in source pixels."""

    style: MarkStyle
    shape: MarkShape
    label: str
    points_px: tuple[tuple[float, float], ...]
    slice_index: int | None

    @property
    def is_ai(self) -> bool:
        """Hidden by the AI button; quality marks are measured, not inferred, and stay."""
        return self.style in {MarkStyle.FINDING_HIGH, MarkStyle.FINDING_MEDIUM}


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureState:
    """Everything the picture needs beside its pixels."""

    exam_id: str
    version: int
    folder: Path | None
    """Where `view.json` lies; None: no picture (yet)."""
    mark: int
    """Differs after the worker has added a heatmap or a denoised copy."""
    absent: str
    """What stands in the place of the picture while there is none."""
    side: str
    """The body side that the header names, for a picture whose edges it does not name; "" when unknown."""
    letters: EdgeLetters | None
    spacing_word: str
    """What a millimetre on the ruler means: "mm at detector", "mm on film", or "mm" in the patient."""
    marks: tuple[DrawnMark, ...]
    doubtful_slices: tuple[tuple[int, int, str], ...]
    """(first, last, label) of slice ranges that a check points at."""
    heatmap_codes: tuple[str, ...]
    is_volume: bool
    is_ct: bool
    """Values are in HU: the named windows apply."""


def picture_of(exam: ExamRecord, *, asked: Reveal = Reveal.AT_ONCE) -> PictureState:
    """What to draw for one acquisition, from the answers to its newest version.

    `asked`: what the person has to do before the AI's places are shown. A model whose card draws no location
    has none, whatever its result holds.
    """
    marks: list[DrawnMark] = []
    ranges: list[tuple[int, int, str]] = []
    quality = exam.result(Lane.QUALITY)
    for check in quality.quality if quality else ():
        if check.verdict in {Verdict.OK, Verdict.NOT_CHECKED}:
            continue
        style = MarkStyle.QUALITY_REPEAT if check.verdict is Verdict.REPEAT else MarkStyle.QUALITY_CHECK
        for mark in check.marks:
            if mark.shape is MarkShape.SLICES:
                ranges.extend((int(a), int(b), label_in_words(mark.label)) for a, b in mark.points_px)
            else:
                marks.append(_drawn(mark, style, label_in_words(mark.label)))
    codes: list[str] = []
    for finding in shown_findings(exam, asked):
        if finding.draws_location is False:
            continue
        solid = finding.decision is Decision.PRESENT
        style = MarkStyle.FINDING_HIGH if solid else MarkStyle.FINDING_MEDIUM
        marks.extend(
            _drawn(mark, style, tr("{finding}?", finding=meaning_in_words(finding.code)))
            for mark in finding.marks
        )
        codes.append(finding.code.value)
    denoised = exam.result(Lane.DENOISE)
    for file in denoised.derived if denoised else ():
        marks.extend(  # named once a slice: the places lie close together
            _drawn(mark, MarkStyle.ORIGINAL_KEPT, "" if number else label_in_words(mark.label))
            for number, mark in enumerate(file.marks)
        )
    header = exam.entry.first
    geometry = header.geometry
    return PictureState(
        exam_id=exam.entry.acquisition_id,
        version=exam.entry.version,
        folder=exam.view_folder,
        mark=exam.view_mark,
        absent=_absent(exam),
        side=tr(_SIDES.get(header.laterality or "", "")),
        letters=edge_letters(geometry),
        spacing_word=_spacing_word(geometry.pixel_spacing_source),
        marks=tuple(marks),
        doubtful_slices=tuple(ranges),
        heatmap_codes=tuple(codes),
        is_volume=exam.entry.kind is Kind.VOLUME,
        is_ct=header.modality == "CT",
    )


def _spacing_word(source: str | None) -> str:
    """The detector's and the film's own spacing are not the patient's: they lie behind the patient."""
    if source == "PixelSpacing":
        return tr("mm")
    return tr("mm on film") if source == "NominalScannedPixelSpacing" else tr("mm at detector")


def _absent(exam: ExamRecord) -> str:
    job = exam.entry.lane(Lane.QUALITY)
    if exam.entry.completeness is Completeness.RECEIVING:
        return tr("Still receiving images…")
    if job is not None and job.state in {JobState.QUEUED, JobState.LEASED}:
        return tr("The picture is being prepared…")
    return tr("No picture could be made. Judge the image on the scanner.")


def _drawn(mark: Mark, style: MarkStyle, label: str) -> DrawnMark:
    return DrawnMark(
        style=style,
        shape=mark.shape,
        label=label,
        points_px=mark.points_px,
        slice_index=mark.slice_index,
    )
