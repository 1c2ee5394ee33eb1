# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long each stage of the last exams took, and whether it becomes slower. No Qt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Final

from appliance.clock import NS_PER_MS, NS_PER_S
from appliance.domain.acquisition import Kind
from ui.language import tr
from ui.records import ExamRecord

MOST_EXAMS: Final = 30
FEWEST_TO_COMPARE: Final = 6
"""Two halves of three: a median of fewer is one exam's mood."""
SLOWER: Final = 1.25
"""Ratio of the newer half's median to the older half's: less is within what a busy machine varies."""
_S_PER_MS: Final = NS_PER_MS / NS_PER_S
_STAGES: Final = ("landed", "decoded", "prepared", "inferred")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """One stage."""

    name: str
    seconds: tuple[float, ...]
    """Of the last exams, the oldest first."""
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendGroup:
    """One kind of exam: a series of slices takes far longer than one image."""

    title: str
    trends: tuple[Trend, ...]


def trend_groups(exams: Iterable[ExamRecord]) -> tuple[TrendGroup, ...]:
    """Trends of each kind of exam that has been answered. `exams`: the newest first."""
    known = tuple(exams)
    groups = []
    for kind, title in ((Kind.PROJECTION, tr("X-ray images")), (Kind.VOLUME, tr("CT and MR series"))):
        newest_first = [_seconds(exam) for exam in known if exam.entry.kind is kind]
        oldest_first = [stages for stages in newest_first if stages][:MOST_EXAMS][::-1]
        trends = tuple(
            _trend(name, seconds)
            for stage, name in _names().items()
            if (seconds := tuple(stages[stage] for stages in oldest_first if stage in stages))
        )
        if trends:
            groups.append(TrendGroup(title=title, trends=trends))
    return tuple(groups)


def _names() -> dict[str, str]:
    return {
        "landed": tr("Received"),
        "decoded": tr("Decoded"),
        "prepared": tr("Prepared"),
        "inferred": tr("AI computed"),
        "committed": tr("All answered"),
    }


def _seconds(exam: ExamRecord) -> dict[str, float]:
    """Stage to seconds: what all lanes spent on it together, and the time until the last answer."""
    spent: dict[str, float] = {}
    ended: list[float] = []
    for lane in exam.entry.lanes:
        if lane.result is None:
            continue
        if lane.landed_to_committed_ms is not None:
            ended.append(lane.landed_to_committed_ms * _S_PER_MS)
        for timing in lane.result.timings:
            if timing.stage == "landed":  # each lane tells the same landing
                spent["landed"] = max(spent.get("landed", 0.0), timing.duration_ms * _S_PER_MS)
            elif timing.stage in _STAGES:
                spent[timing.stage] = spent.get(timing.stage, 0.0) + timing.duration_ms * _S_PER_MS
    if ended:
        spent["committed"] = max(ended)
    return spent


def _trend(name: str, seconds: tuple[float, ...]) -> Trend:
    middle_s = median(seconds)
    middle = f"{middle_s:.1f} s" if middle_s >= 1 else f"{middle_s:.3f} s"
    words = tr(
        "{middle}, median of {count}: {change}", middle=middle, count=len(seconds), change=_change(seconds)
    )
    return Trend(name=name, seconds=seconds, words=words)


def _change(seconds: tuple[float, ...]) -> str:
    if len(seconds) < FEWEST_TO_COMPARE:
        return tr("too few to compare")
    half = len(seconds) // 2
    before, after = median(seconds[:half]), median(seconds[-half:])
    if after > before * SLOWER:
        return tr("slower now")
    return tr("faster now") if after * SLOWER < before else tr("steady")
