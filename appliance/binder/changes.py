# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Every change of a period in the three parts of a predetermined change control plan.

FDA's guidance on such plans (final, 2024): a description of the modification, the protocol by which it is
made, and the assessment of its impact. Changes come from the audit trail and the ledger of operating points;
the impact is what this device kept: passports, and its own tests in the day after.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from appliance.domain.audit import AuditKind, AuditRow
from appliance.models.passport import Passport
from appliance.monitor.proof_log import LoggedProof
from appliance.monitor.reports.exams import Period
from appliance.monitor.reports.page import Column, Part, Table
from appliance.store.thresholds import ThresholdChange

AFTERWARDS: Final = timedelta(hours=24)
NOT_KEPT: Final = "not kept on this device"
_PROTOCOLS: Final = {
    AuditKind.MODEL: (
        "The bundle's signature is checked against the keys that are trusted here, and its release against"
        " those that have served; it answers only with a passport made on this device (parity with the"
        " float32 reference, flipped decisions, latency); it is replaced between two images and can be rolled"
        " back."
    ),
    AuditKind.SOFTWARE: (
        "The release was tested as its trace says (part Trace); after the start the device tests itself with"
        " a planted fault and each model's known question before answers are shown."
    ),
    AuditKind.SETTINGS: (
        "Settings are checked as a whole at the start; a file with a fault does not come into force."
        " Thresholds are not among them."
    ),
    AuditKind.STORE_REBUILT: "The damaged store is kept aside; results are made anew from the originals.",
    AuditKind.STORE_RESTORED: (
        "Every file's hash, the store and its audit trail are checked before anything is put back."
    ),
}
"""Kinds of rows that are changes of the device, and how each of them is made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change."""

    at_utc: str
    kind: str
    by: str
    description: str
    protocol: str
    impact: str


def changes_of(
    period: Period,
    *,
    trail: Iterable[AuditRow],
    thresholds: Iterable[ThresholdChange],
    proofs: tuple[LoggedProof, ...],
    passports: Mapping[str, Passport],
) -> tuple[Change, ...]:
    """All of the period, oldest first. `passports`: of the models that serve now, by `task@version`."""
    found = []
    before: dict[AuditKind, str] = {}
    for row in trail:
        kind = row.event.kind
        if kind not in _PROTOCOLS:
            continue
        facts = dict(row.event.about)
        old, before[kind] = before.get(kind), next(iter(facts.values()), "")
        at = datetime.fromisoformat(row.at_utc)
        if period.since <= at < period.until:
            found.append(
                Change(
                    at_utc=row.at_utc,
                    kind=kind.value,
                    by=row.event.who,
                    description=_described(kind, facts, old),
                    protocol=_PROTOCOLS[kind],
                    impact="; ".join((*_passport_words(facts, passports), _tests_after(at, proofs))),
                )
            )
    for moved in thresholds:
        at = datetime.fromisoformat(moved.decided_at_utc)
        if period.since <= at < period.until:
            found.append(
                Change(
                    at_utc=moved.decided_at_utc,
                    kind="threshold",
                    by=f"{moved.decided_by} ({moved.role})",
                    description=_threshold_words(moved),
                    protocol=_plain(moved.record.get("protocol")),
                    impact=f"{_plain(moved.record.get('impact'))}; {_tests_after(at, proofs)}",
                )
            )
    return tuple(sorted(found, key=lambda change: datetime.fromisoformat(change.at_utc)))


def changes_part(changes: tuple[Change, ...]) -> Part:
    """The table."""
    columns = (
        Column(name="at_utc", title="When (UTC)"),
        Column(name="kind", title="What"),
        Column(name="by", title="By"),
        Column(name="description", title="Description"),
        Column(name="protocol", title="Protocol"),
        Column(name="impact", title="Impact"),
    )
    rows = tuple(
        (one.at_utc[:19].replace("T", " "), one.kind, one.by, one.description, one.protocol, one.impact)
        for one in changes
    )
    return Part(
        title="Changes of models, operating points, software and settings",
        words=(
            (
                "From the audit trail and the ledger of operating points. A device whose store was lost and"
                " made anew knows only what could still be read."
            ),
        ),
        tables=(Table(name="changes", title="Oldest first", columns=columns, rows=rows),),
    )


def _described(kind: AuditKind, facts: Mapping[str, str], old: str | None) -> str:
    if kind in (AuditKind.SOFTWARE, AuditKind.SETTINGS):
        new = next(iter(facts.values()), "")
        short = 16 if kind is AuditKind.SETTINGS else None
        known = "not known" if old is None else old[:short]
        hashes = " (hashes of all settings)" if short else ""
        return f"{kind.value} from {known} to {new[:short]}{hashes}"
    return ", ".join(f"{name} {value}" for name, value in facts.items())


def _passport_words(facts: Mapping[str, str], passports: Mapping[str, Passport]) -> tuple[str, ...]:
    model = facts.get("activated") or facts.get("rolled back to")
    if model is None:
        return ()
    passport = passports.get(model)
    if passport is None:
        return (f"passport of {model}: {NOT_KEPT}, as another model serves",)
    flips = (
        "no decisions"
        if passport.decisions is None
        else f"{passport.flipped} of {passport.decisions} flipped"
    )
    time = "time not known" if passport.p50_ms is None else f"median {passport.p50_ms:.0f} ms"
    return (f"passport of {model} on {passport.words}: {flips}, {time}",)


def _tests_after(at: datetime, proofs: tuple[LoggedProof, ...]) -> str:
    after = [proof for proof in proofs if at <= proof.at_utc < at + AFTERWARDS]
    if not after:
        return f"self-tests in the 24 hours after: {NOT_KEPT}"
    return f"self-tests in the 24 hours after: {sum(one.passed for one in after)} of {len(after)} passed"


def _threshold_words(moved: ThresholdChange) -> str:
    name = moved.record.get("description", {}).get("what") or f"Operating point of {moved.code_value}"
    return (
        f"{name}: {moved.old_threshold:g} to {moved.new_threshold:g}, signed range"
        f" {moved.sensitive_threshold:g} to {moved.specific_threshold:g}, {moved.task}@{moved.version}"
        f" release {moved.release}. Why: {moved.why}"
    )


def _plain(value: Any) -> str:
    """A part of the record as words."""
    if isinstance(value, dict):
        return "; ".join(f"{name.replace('_', ' ')}: {_plain(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(_plain(one) for one in value)
    return NOT_KEPT if value is None else str(value)
