# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Does the device, or an image, need somebody now? For a light across the room and for notices.

Judged from what anybody may read: the store, the heartbeats and the last proof. Never green without a proof,
and green says nothing of any patient.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.clock import NS_PER_S, Clock
from appliance.domain.finding import Decision, Finding, is_time_critical
from appliance.domain.job import JobState, Lane
from appliance.domain.quality import Verdict, worst
from appliance.monitor.away import AwayTimes
from appliance.monitor.fault import read_fault
from appliance.monitor.heartbeat import read_beat
from appliance.monitor.proof import read_proof
from appliance.outputs.stack_light import LightState
from appliance.settings_for_people import LightSettings
from appliance.store.board import Board, BoardEntry
from appliance.store.connection import Database
from appliance.store.decisions import Decisions
from appliance.store.opinions import Act, Opinions
from appliance.store.peers import Peers

LOOK_BACK: Final = 200
"""The newest exams that are looked at: what fits on the screen's list."""
SILENT_S: Final = 25.0
"""A busy process beats every second; the longest single step is given up after 20 s (ReadingSettings)."""
STARTING_S: Final = 120.0
"""So long may a worker be silent while it loads and proves its models."""
LOADING: Final = "loading"
"""How the worker's beat begins meanwhile."""
AWAY_S: Final = 600.0
"""A receiver that is away for less comes back by itself more often than not."""
S_PER_MIN: Final = 60.0
PROCESSES: Final = {
    "watcher": "No images are received",
    "worker": "AI OFF: no image is checked",
    "sender": "No results leave the device",
}
"""What it means that one of them is down."""
NOT_PROVED: Final = "The device has not proved itself yet."
"""As after every start: not green, and no news for anybody."""
UNSETTLED: Final = frozenset({JobState.QUEUED, JobState.LEASED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What is needed now."""

    state: LightState
    why: str
    """In words, without any patient."""
    urgent: frozenset[str]
    """Exams of which somebody must be told: acquisition ids."""
    calling: frozenset[str]
    """Those of them that nobody has acted on in any way."""
    trouble: str
    """What is wrong with the device itself, in words; empty when nothing is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Exams:
    """What the store says of images."""

    urgent: frozenset[str]
    calling: frozenset[str]
    undecided: tuple[tuple[int, str], ...]
    """When images that should be looked at came (monotonic), and in which boot."""
    failed: int
    in_work: int


class Needs:
    """Looks again and again; reads exams anew only when the store has changed."""

    def __init__(
        self,
        *,
        settings: LightSettings,
        peers: tuple[str, ...],
        run: Path,
        database: Database,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._peer_names = peers
        self._run = run
        self._database = database
        self._clock = clock
        self._away_times = AwayTimes(clock)
        self._mark: int | None = None
        self._exams = _Exams(urgent=frozenset(), calling=frozenset(), undecided=(), failed=0, in_work=0)

    def look(self) -> Need:
        """Now. Raises StoreError when the store cannot be read."""
        mark = self._database.change_mark()
        if mark != self._mark:
            self._exams, self._mark = self._read_exams(), mark
        exams = self._exams
        off, trouble = self._device_off(), self._device_trouble()
        waiting = self._undecided()
        if exams.urgent:
            state, why = LightState.RED, f"{len(exams.urgent)} urgent: somebody must be told"
        elif off:
            state, why = LightState.AI_OFF, off
        elif waiting or exams.failed or trouble:
            words = [f"{waiting} to be looked at" if waiting else "", trouble]
            words.append(f"{exams.failed} without an answer" if exams.failed else "")
            state, why = LightState.AMBER, ", ".join(word for word in words if word)
        elif exams.in_work:
            state, why = LightState.WORKING, f"{exams.in_work} in work"
        else:
            state, why = LightState.GREEN, "the device proved itself lately, nothing waits"
        return Need(
            state=state,
            why=why,
            urgent=exams.urgent,
            calling=exams.calling,
            trouble=trouble if off in ("", NOT_PROVED) else off,
        )

    def _device_off(self) -> str:
        """Why nobody should count on the device; empty when somebody may."""
        for process, meaning in PROCESSES.items():
            fault = read_fault(self._run, process)
            if fault is not None:
                return f"{meaning}: {fault.what}"
            beat = read_beat(self._run, process, self._clock)
            starting = beat is not None and beat.state.startswith(LOADING)
            if beat is None or beat.age_s > (STARTING_S if starting else SILENT_S):
                return f"{meaning}: it gives no sign of life."
        proof = read_proof(self._run, self._clock)
        if proof is None or proof.made_ns is None:
            return NOT_PROVED
        if not proof.passed:
            return "AI OFF: the device could not prove that its answers are right."
        if proof.age_s > proof.too_old_s:
            return "AI OFF: the device has not proved itself lately."
        return ""

    def _device_trouble(self) -> str:
        """What somebody should see to, though answers are right."""
        peers = Peers(self._database)
        away = [
            name
            for name in self._peer_names
            if self._away_times.away_s(name, peers.of(name).away_since_utc) > AWAY_S
        ]
        return f"No results reach {', '.join(away)}." if away else ""

    def _undecided(self) -> int:
        """Images that should be looked at and still may be: the patient is not long gone."""
        now_ns, boot_id = self._clock.monotonic_ns(), self._clock.boot_id()
        limit_ns = self._settings.amber_min * S_PER_MIN * NS_PER_S
        return sum(boot == boot_id and now_ns - at_ns < limit_ns for at_ns, boot in self._exams.undecided)

    def _read_exams(self) -> _Exams:
        entries = Board(self._database).entries(limit=LOOK_BACK)
        deeds = Opinions(self._database).deeds(entry.acquisition_id for entry in entries)
        acted = {(deed.acquisition_id, deed.act) for deed in deeds}
        flagged = {entry.acquisition_id for entry in entries if self._is_urgent(entry)}
        urgent = frozenset(exam for exam in flagged if (exam, Act.TOLD) not in acted)
        decisions = Decisions(self._database)
        return _Exams(
            urgent=urgent,
            calling=frozenset(exam for exam in urgent if (exam, Act.ESCALATED) not in acted),
            undecided=tuple(
                (entry.noticed_ns, entry.boot_id)
                for entry in entries
                if _should_be_looked_at(entry) and not _is_decided(entry, decisions)
            ),
            failed=sum(any(lane.state is JobState.FAILED for lane in entry.lanes) for entry in entries),
            in_work=sum(any(lane.state in UNSETTLED for lane in entry.lanes) for entry in entries),
        )

    def _is_urgent(self, entry: BoardEntry) -> bool:
        lane = entry.lane(Lane.TRIAGE)
        findings = lane.result.findings if lane is not None and lane.result is not None else ()
        return any(self._is_critical(finding) for finding in findings)

    def _is_critical(self, finding: Finding) -> bool:
        return finding.decision is Decision.PRESENT and (is_time_critical(finding) or self._settings.any_high)


def _should_be_looked_at(entry: BoardEntry) -> bool:
    lane = entry.lane(Lane.QUALITY)
    result = lane.result if lane is not None else None
    return result is not None and worst(result.quality) in (Verdict.REPEAT, Verdict.CHECK)


def _is_decided(entry: BoardEntry, decisions: Decisions) -> bool:
    decision = decisions.latest(entry.acquisition_id)
    return decision is not None and decision.version == entry.version
