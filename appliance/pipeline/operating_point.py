# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""An answer at the operating points of this site: decided anew, and saying so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from appliance.domain.finding import Decision, Finding, LocalThreshold, decide
from appliance.tasks.base import Answer


def at_local_thresholds(answer: Answer, moved: Mapping[tuple[str, str], LocalThreshold]) -> Answer:
    """The answer with the findings of `moved` decided at the site's operating point.

    The site may only move it upwards within the signed range, so nothing is flagged that the card would not
    flag. What is not flagged any more is not drawn any more either.
    """
    if not moved:
        return answer
    findings = tuple(_at(finding, moved) for finding in answer.findings)
    dropped = {finding.code.value for finding in findings if not finding.is_flagged}
    heatmaps = tuple(heat for heat in answer.heatmaps if heat.finding_code not in dropped)
    return replace(answer, findings=findings, heatmaps=heatmaps)


def _at(finding: Finding, moved: Mapping[tuple[str, str], LocalThreshold]) -> Finding:
    local = moved.get((finding.code.value, finding.code.scheme))
    if local is None:
        return finding
    decision = decide(finding.probability, sensitive=local.in_force, specific=finding.specific_threshold)
    return replace(
        finding,
        sensitive_threshold=local.in_force,
        decision=decision,
        local_threshold=local,
        marks=() if decision is Decision.ABSENT else finding.marks,
    )
