# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""One frame: what the tasks of a lane say about a radiograph."""

from __future__ import annotations

from dataclasses import replace

from appliance.domain.finding import Finding
from appliance.domain.image import PixelImage
from appliance.domain.job import Lane
from appliance.domain.quality import QualityCheck
from appliance.domain.result import LaneResult
from appliance.pipeline.bench import Answering, Work
from appliance.pipeline.operating_point import at_local_thresholds
from appliance.pipeline.views import add_heatmap, write_view
from appliance.tasks.base import Answer, Heatmap
from appliance.tasks.catalogue import as_image


def look_at_image(work: Work) -> LaneResult:
    """Ask every task of the lane; in the quality lane, also lay the picture out for the screen."""
    result = work.empty_result()
    if not work.answering and work.lane is not Lane.QUALITY:
        return result
    with work.spans.stage("decoded"):
        image = work.frames.frame(0)
    quality: list[QualityCheck] = []
    findings: list[Finding] = []
    heatmaps: list[Heatmap] = []
    for answering in work.answering:
        answer = _ask(work, answering, image)
        quality += answer.quality
        findings += answer.findings
        heatmaps += answer.heatmaps
    with work.spans.stage("written"):
        if work.lane is Lane.QUALITY:
            write_view(work.view, image)
        drawn = {heat.finding_code: work.relative(add_heatmap(work.view, heat)) for heat in heatmaps}
    return replace(
        result,
        halvings=image.halvings,
        quality=tuple(quality),
        findings=tuple(replace(found, heatmap_path=drawn.get(found.code.value)) for found in findings),
    )


def _ask(work: Work, answering: Answering, image: PixelImage) -> Answer:
    task, served = as_image(answering.task), answering.served
    card = served.card if served else None
    with work.spans.stage("prepared"):
        inputs = task.prepare(work.acquisition, image, card)
    with work.spans.stage("inferred"):
        outputs = work.infer(answering, inputs)
    with work.spans.stage("interpreted"), work.trusting(answering):
        answer = task.interpret(work.acquisition, image, outputs, card)
    return answer if card is None else at_local_thresholds(answer, work.bench.thresholds(card))
