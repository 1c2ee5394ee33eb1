# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The doctor's look at the settings file: whole, of an older form, or replaced by the last good one."""

from __future__ import annotations

from pathlib import Path

from appliance.configuration.checking import check_settings
from appliance.configuration.last_good import day_of, kept_settings
from appliance.layout import Layout
from appliance.monitor.diagnosis import Diagnosis, Health


def settings_file(file: Path | None, layout: Layout) -> Diagnosis:
    """What the appliance would start with, and what to do about it."""
    if file is None:
        return _diagnosis(Health.OK, "no file was named: defaults and environment")
    checked = check_settings(file)
    kept = kept_settings(layout)
    if not checked.holds:
        faults = [fault for fault in checked.faults if not fault.only_here]
        serves = (
            f"the last good ones of {day_of(kept[0])} serve" if kept else "and no last good ones are kept"
        )
        return _diagnosis(
            Health.FAIL,
            f"faults in it: {len(faults)}; {serves}. {faults[0].where}: {faults[0].what}",
            f"`scanside config check {file}` names every fault; mend them, then start the appliance again.",
        )
    if checked.faults:
        first = checked.faults[0]
        return _diagnosis(Health.CHECK, f"{first.where}: {first.what}", first.remedy)
    if checked.changes:
        return _diagnosis(
            Health.CHECK,
            f"{file} is of an older form: {checked.changes[0].words}",
            f"`scanside config migrate {file}` writes it anew.",
        )
    good = f"; last good ones of {day_of(kept[0])}" if kept else ""
    return _diagnosis(Health.OK, f"{file}{good}")


def _diagnosis(health: Health, found: str, remedy: str = "") -> Diagnosis:
    return Diagnosis(subject="settings", health=health, found=found, remedy=remedy)
