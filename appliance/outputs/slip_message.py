# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The answer of the triage lane on 58 mm of paper: words that a health worker can act on, and a signed code.

No diagnosis, no patient, and never "normal": what was not flagged is said with what that does not mean.
ESC/POS, encoded by python-escpos for any printer of that width.
"""

from __future__ import annotations

import textwrap
from typing import Any, Final

import segno
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image

from appliance.config import Settings
from appliance.device_key import device_key, link_of
from appliance.domain.acquisition import Acquisition
from appliance.domain.finding import Decision, Finding, Refusal
from appliance.domain.job import Lane
from appliance.domain.result import LaneResult
from appliance.layout import Layout
from appliance.outputs.base import Rendered
from appliance.outputs.extras import require_extra
from appliance.outputs.slip_payload import Slip, SlipFinding, signed, word
from appliance.outputs.told import models_of, told_refusals

PRINTER: Final = "POS-5890"
"""A profile of python-escpos: 58 mm, 384 dots in a line, 32 columns."""
COLUMNS: Final = 32
DOTS: Final = 384
QUIET_MODULES: Final = 4
"""White around a QR code (ISO/IEC 18004)."""
FEED_LINES: Final = 4
"""From the head to the edge where it is torn off."""
MOST_FINDINGS: Final = 3
"""What fits into a code that a cheap telephone reads from thermal paper."""
BANDS: Final = {Decision.PRESENT: "high", Decision.INDETERMINATE: "raised", Decision.ABSENT: "below"}
"""How a score stands to the thresholds."""
RANK: Final = list(BANDS)
TITLES: Final = {
    Decision.PRESENT: "HIGH SCORE",
    Decision.INDETERMINATE: "RAISED SCORE",
    Decision.ABSENT: "NOT FLAGGED",
}
NOT_ANALYSED: Final = "NOT ANALYSED"
WHAT_TO_DO: Final = {
    Decision.PRESENT: (
        "Have this image read by a clinician today. Follow your programme's rule for a high score."
    ),
    Decision.INDETERMINATE: (
        "Have this image read by a clinician. Follow your programme's rule for a raised score."
    ),
    Decision.ABSENT: (
        "This does not mean that nothing is there. A person who feels ill needs care, whatever "
        "this slip says."
    ),
}
READ_BY_A_PERSON: Final = "The software gives no answer about this image. Have it read by a person."


class SlipOutput:
    """An `Output`."""

    name = "slip"

    def __init__(self, ending: str, *, site_name: str, key: Ed25519PrivateKey) -> None:
        self._ending = ending
        self._site_name = site_name
        self._key = key

    def render(self, acquisition: Acquisition, result: LaneResult) -> tuple[Rendered, ...]:
        """One slip for an answer of the triage lane, or for a model's refusal to give one; else none."""
        refusals = told_refusals(result)
        if result.lane is not Lane.TRIAGE or not (result.findings or refusals):
            return ()
        findings = sorted(result.findings, key=lambda found: (RANK.index(found.decision), -found.probability))
        slip = self._slip(acquisition, result, findings, () if findings else refusals)
        content = self._printed(slip, findings, refusals)
        return (Rendered(file_name=f"slip-v{acquisition.version}{self._ending}", content=content),)

    def _slip(
        self,
        acquisition: Acquisition,
        result: LaneResult,
        findings: list[Finding],
        refusals: tuple[Refusal, ...],
    ) -> Slip:
        answered = {found.task for found in findings}
        shown = findings[:MOST_FINDINGS]
        return Slip(
            exam=exam_number(link_of(self._key, acquisition.acquisition_id)),
            date=_date(acquisition.first.acquired_at),
            models=tuple(model for task, model in sorted(models_of(result).items()) if task in answered),
            findings=tuple(
                SlipFinding(
                    code=f"{word(found.code.scheme)}:{word(found.code.value)}",
                    band=BANDS[found.decision],
                    score=found.probability,
                    raised_from=found.sensitive_threshold,
                    high_from=found.specific_threshold,
                )
                for found in shown
            ),
            not_analysed=tuple(refusal.task for refusal in refusals),
            more=len(findings) - len(shown),
        )

    def _printed(self, slip: Slip, findings: list[Finding], refusals: tuple[Refusal, ...]) -> bytes:
        from escpos.printer import Dummy  # noqa: PLC0415  (an extra)

        paper = Dummy(profile=PRINTER)
        paper.hw("INIT")
        paper.set(align="center", bold=True)
        _lines(paper, self._site_name or "Scanside")
        paper.set(align="center", bold=False)
        _lines(paper, "Image looked at by software. Not a diagnosis.")
        paper.set(align="left")
        _lines(
            paper, "", f"Exam {slip.exam}", f"Date {slip.date or 'unknown'}", "Name ____________________", ""
        )
        paper.set(align="center", bold=True, double_width=True, double_height=True)
        paper.textln(TITLES[findings[0].decision] if findings else NOT_ANALYSED)
        paper.set(align="left", bold=False, normal_textsize=True)
        if findings:
            _lines(paper, "Scores go from 0 to 100.", *_scores(findings[:MOST_FINDINGS]))
            if slip.more:
                _lines(paper, f"and {slip.more} more, not above these")
            _lines(paper, "", WHAT_TO_DO[findings[0].decision])
        else:
            _lines(paper, *(refusal.reason for refusal in refusals), "", READ_BY_A_PERSON)
        _lines(paper, "", *(f"Model {model}" for model in slip.models))
        paper.image(_code(signed(slip, self._key)), center=False)
        _lines(paper, "Check this slip without a network: scanside slip verify")
        paper.ln(FEED_LINES)
        return bytes(paper.output)


def exam_number(link: str) -> str:
    """The first eight digits of the exam's link, as a person reads them: 5D1F-0C2A."""
    digits = link.upper()
    return f"{digits[:4]}-{digits[4:8]}"


def _scores(findings: list[Finding]) -> list[str]:
    return [
        f"{found.code.meaning}: {BANDS[found.decision]}, score {found.probability * 100:.0f}. Raised from "
        f"{found.sensitive_threshold * 100:.0f}, high from {found.specific_threshold * 100:.0f}."
        for found in findings
    ]


def _lines(paper: Any, *paragraphs: str) -> None:
    for paragraph in paragraphs:
        for line in textwrap.wrap(paragraph, COLUMNS) or [""]:
            paper.textln("".join(c if c.isprintable() else " " for c in line))


def _code(text: str) -> Image.Image:
    """The QR code, as large as the paper allows, in the middle of it."""
    code = segno.make_qr(text, error="m", boost_error=False)
    matrix = [bytes(0 if module else 255 for module in row) for row in code.matrix_iter(border=QUIET_MODULES)]
    size = len(matrix)
    small = Image.frombytes("L", (size, size), b"".join(matrix))
    large = small.resize((size * (DOTS // size),) * 2, Image.Resampling.NEAREST)
    paper = Image.new("L", (DOTS, large.height), 255)
    paper.paste(large, ((DOTS - large.width) // 2, 0))
    return paper.convert("1")


def _date(acquired_at: str | None) -> str | None:
    """The day as YYYY-MM-DD; None where the header does not begin with one."""
    day = (acquired_at or "")[:8]
    return f"{day[:4]}-{day[4:6]}-{day[6:]}" if len(day) == 8 and day.isdecimal() else None


def message(ending: str, settings: Settings, layout: Layout) -> SlipOutput:
    """What renders files with this ending. Raises ConfigError (extra), StoreError (this device's key)."""
    require_extra("slip", "escpos")
    return SlipOutput(ending, site_name=settings.site_name, key=device_key(layout.keys))
