# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What belongs beside the open picture: other views of its study, and the earlier image. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.domain.acquisition import Kind
from appliance.domain.views import VIEWS_OF_PART, direction_of, missing_views
from ui.findings_state import findings_of
from ui.language import tr
from ui.patient_state import exam_name
from ui.picture_state import PictureState, picture_of
from ui.records import BoardRecord, ExamRecord

_MONTHS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class SideView:
    """A second picture."""

    exam_id: str
    caption: str
    """Burnt into the picture: what it is, and "PRIOR" with its date where it is not the current one."""
    questions: str
    is_flagged: bool
    picture: PictureState
    is_prior: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyState:
    """What can stand beside the open exam."""

    exam_id: str
    caption: str
    """What the open picture is: "Wrist right LAT"."""
    views: str
    """"2 of 2 views.", "1 of 2 views. LAT is missing."; "" where nobody knows how many belong to it."""
    views_missing: bool
    others: tuple[SideView, ...]
    """The other views of the study, the same body part first."""
    prior: SideView | None


def study_state(board: BoardRecord, exam_id: str, *, now_ns: int) -> StudyState | None:
    """The surroundings of one exam; None when it is not on the board."""
    exam = next((each for each in board.exams if each.entry.acquisition_id == exam_id), None)
    if exam is None:
        return None
    same_study = [each for each in board.exams if each is not exam and _is_same_study(each, exam)]
    part = exam.entry.first.body_part
    others = sorted(same_study, key=lambda each: (each.entry.first.body_part != part, each.entry.sequence))
    words, missing = _views([exam, *same_study], part, late_view_s=board.late_view_s, now_ns=now_ns)
    earlier = [each for each in board.exams if _is_prior(each, exam)]
    newest = max(earlier, key=lambda each: (_taken(each), each.entry.sequence), default=None)
    return StudyState(
        exam_id=exam_id,
        caption=exam_name(exam.entry),
        views=words,
        views_missing=missing,
        others=tuple(_side_view(each, is_prior=False) for each in others),
        prior=_side_view(newest, is_prior=True) if newest is not None else None,
    )


def _side_view(exam: ExamRecord, *, is_prior: bool) -> SideView:
    name = exam_name(exam.entry)
    findings = findings_of(exam, ai_down=None)
    questions = " · ".join(f"{line.question} {line.band.value}" for line in findings.lines)
    caption = name
    if is_prior:
        caption = tr("PRIOR {date} · {exam}", date=date_words(exam.entry.first.acquired_at), exam=name)
    return SideView(
        exam_id=exam.entry.acquisition_id,
        caption=caption,
        questions=questions or findings.headline,
        is_flagged=bool(questions),
        picture=picture_of(exam),
        is_prior=is_prior,
    )


def date_words(acquired_at: str | None) -> str:
    """The day of a DICOM date and time in words: "5 January 2026"."""
    day = (acquired_at or "")[:8]
    if len(day) != 8 or not day.isdigit() or not 1 <= int(day[4:6]) <= _MONTHS:
        return tr("date not given")
    names = (
        tr("January"),
        tr("February"),
        tr("March"),
        tr("April"),
        tr("May"),
        tr("June"),
        tr("July"),
        tr("August"),
        tr("September"),
        tr("October"),
        tr("November"),
        tr("December"),
    )
    return tr("{day} {month} {year}", day=int(day[6:]), month=names[int(day[4:6]) - 1], year=day[:4])


def _is_same_person(one: ExamRecord, other: ExamRecord) -> bool:
    a, b = one.entry.first.patient, other.entry.first.patient
    return (a.patient_id, a.patient_name, a.patient_birth_date) == (
        b.patient_id,
        b.patient_name,
        b.patient_birth_date,
    )


def _is_same_study(one: ExamRecord, other: ExamRecord) -> bool:
    """The UID says so, and the patient is the same: a console that re-uses a UID mixes nobody up."""
    uids = {each.entry.first.study_instance_uid for each in (one, other)}
    kinds = {each.entry.kind for each in (one, other)}
    return len(uids) == 1 and kinds == {Kind.PROJECTION} and _is_same_person(one, other)


def _is_prior(one: ExamRecord, current: ExamRecord) -> bool:
    """The same patient, body part and kind of image, from an earlier study."""
    a, b = one.entry.first, current.entry.first
    if not a.patient.patient_id or a.patient.patient_id != b.patient.patient_id or not a.body_part:
        return False
    if a.patient.patient_birth_date != b.patient.patient_birth_date:
        return False  # an ID that two people share is no proof
    same_kind = (a.body_part, a.modality, one.entry.kind) == (b.body_part, b.modality, current.entry.kind)
    same_side = a.laterality == b.laterality
    return (
        same_kind
        and same_side
        and a.study_instance_uid != b.study_instance_uid
        and bool(_taken(one))
        and _taken(one)[:8] < _taken(current)[:8]  # a repeat of the same day is no earlier image
    )


def _taken(exam: ExamRecord) -> str:
    """Year to second, digits only, so that texts compare as times; "" when the header does not say."""
    digits = "".join(character for character in exam.entry.first.acquired_at or "" if character.isdigit())
    return digits[:14]


def _views(exams: list[ExamRecord], part: str | None, *, late_view_s: float, now_ns: int) -> tuple[str, bool]:
    """How many of the expected views are here, and whether one is late.

    As the order says; without one, by the body part. The study is held open until they are here, the
    modality reports that it has ended, or the time is over: then it is shown with what there is.
    """
    order = exams[0].order
    mine = [exam for exam in exams if exam.entry.first.body_part == part]
    if mine[0].entry.kind is not Kind.PROJECTION:
        return "", False
    views: tuple[str, ...] = VIEWS_OF_PART.get((part or "").upper(), ())
    count = None
    if order is not None and order.view_count is not None:
        views, count = order.views, order.view_count
    expected = len(views) or count or 0
    if expected <= 1:
        return "", False  # one picture of one needs no counting
    have = tuple(exam.entry.first.view_position for exam in mine)
    missing = missing_views(views, have)
    here = expected - len(missing) if views else min(expected, len({direction_of(view) for view in have}))
    if here == expected:
        return tr("{count} of {expected} views.", count=here, expected=expected), False
    waits_s = [exam.waiting_s(now_ns) for exam in mine]
    newest_s = min((wait_s for wait_s in waits_s if wait_s is not None), default=late_view_s)
    is_late = newest_s >= late_view_s or any(exam.nothing_more_comes for exam in mine)
    if not is_late:
        words = tr("Waiting for the {view} view.", view=missing[0]) if missing else ""
        return words or tr("Waiting for the next view."), False
    words = tr("{count} of {expected} views.", count=here, expected=expected)
    if missing:
        words = tr(
            "{count} of {expected} views. {view} is missing.",
            count=here,
            expected=expected,
            view=", ".join(missing),
        )
    return words, True
