# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The drift job: exams into the store as numbers, and every so many exams a scanner against its baseline."""

from __future__ import annotations

from appliance.clock import Clock
from appliance.domain.drift import DriftReport, DriftState
from appliance.layout import Layout
from appliance.monitor.drift import compare
from appliance.monitor.drift_advice import advise
from appliance.monitor.drift_features import drift_exam
from appliance.store.drift import DriftStore
from appliance.watching import DriftSettings


def take_exams(store: DriftStore, layout: Layout, *, at_once: int) -> int:
    """Exams that were answered since the last time. Returns how many. Raises StoreError."""
    answered = store.answered_after(store.position(), limit=at_once)
    if answered:
        exams = tuple((one.acquisition_id, drift_exam(one, layout)) for one in answered)
        store.keep(exams, last_rowid=answered[-1].rowid)
    return len(answered)


def scanner_due(store: DriftStore, settings: DriftSettings) -> str | None:
    """The next scanner of which enough exams have come since it was compared; None: none is due."""
    for scanner in store.scanners():
        newest = store.newest_exams(scanner, after=store.reported_up_to(scanner), limit=settings.every_exams)
        if len(newest) >= settings.every_exams:
            return scanner
    return None


def report_on(store: DriftStore, scanner: str, settings: DriftSettings, clock: Clock) -> DriftReport:
    """Compare it now, and keep what comes out. Raises StoreError."""
    baseline = store.baseline(scanner)
    if baseline is None:
        first = store.first_exams(scanner, limit=settings.baseline_exams)
        if len(first) >= settings.baseline_exams:
            store.fix_baseline(scanner, first, by_person=False)
            baseline = store.baseline(scanner)
    if baseline is None:
        return _keep(store, _gathering(scanner, 0, settings.baseline_exams - len(first), clock))
    usual = store.baseline_exams(scanner, baseline)
    recent = store.newest_exams(scanner, after=baseline.last_exam_id, limit=settings.recent_exams)
    if len(recent) < settings.recent_exams:
        needed = settings.recent_exams - len(recent)
        return _keep(store, _gathering(scanner, len(usual), needed, clock))
    features = compare(usual, recent)
    found = any(one.is_beyond for one in features)
    report = DriftReport(
        scanner=scanner,
        state=DriftState.DRIFT if found else DriftState.NONE_SEEN,
        baseline_exams=len(usual),
        recent_exams=len(recent),
        needed_exams=0,
        features=features,
        advice=advise(features, usual, recent),
        made_at_utc=clock.now_utc().isoformat(timespec="seconds"),
    )
    store.forget_between(scanner, baseline, keep=max(settings.recent_exams, settings.baseline_exams))
    return _keep(store, report)


def fix_baseline(store: DriftStore, scanner: str, settings: DriftSettings) -> int:
    """A person says that the newest exams are what is to be compared with. Returns how many they are."""
    newest = store.newest_exams(scanner, after=0, limit=settings.baseline_exams)
    if newest:
        store.fix_baseline(scanner, newest, by_person=True)
    return len(newest)


def _gathering(scanner: str, baseline_exams: int, needed: int, clock: Clock) -> DriftReport:
    return DriftReport(
        scanner=scanner,
        state=DriftState.GATHERING,
        baseline_exams=baseline_exams,
        recent_exams=0,
        needed_exams=needed,
        features=(),
        advice=(),
        made_at_utc=clock.now_utc().isoformat(timespec="seconds"),
    )


def _keep(store: DriftStore, report: DriftReport) -> DriftReport:
    newest = store.newest_exams(report.scanner, after=0, limit=1)
    store.keep_report(report, last_exam_id=newest[-1].exam_id if newest else 0)
    return report
