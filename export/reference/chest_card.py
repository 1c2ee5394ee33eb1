# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The card of `chest_triage`: what the model is, what it was made from and what to beware of."""

from __future__ import annotations

from appliance.domain.card import (
    IntendedUse,
    Metric,
    ModelCard,
    Preprocessing,
    Provenance,
    TensorSpec,
)
from export.reference.films import HIGH_PERCENTILE, LOW_PERCENTILE, SIZE_PX
from export.reference.regional import CELLS
from export.reference.triage_evaluation import Judged

SMALLEST_HALVED_PX = 1280
"""Passed `benchmarks.halved_frames`; 640 did not (benchmarks/results/halved/chest_triage.json)."""


def card(judged: list[Judged], pointing: list[Metric]) -> ModelCard:
    """What the model is and what may be done with it."""
    labels = len(judged)
    return ModelCard(
        format=1,
        task="chest_triage",
        name="Chest radiograph triage, reference model",
        version="2.0.0",
        release=3,
        summary=(
            "Flags adult frontal chest radiographs for earlier reading. A linear reader for each region on"
            " a frozen general-purpose image backbone, taught by a published, larger chest network: honest"
            " and modest. It misses disease and must not be used to call a film normal."
        ),
        precision="float32",
        inputs=(TensorSpec(name="image", shape=("batch", 1, SIZE_PX, SIZE_PX), dtype="float32"),),
        outputs=(
            TensorSpec(name="logits", shape=("batch", labels), dtype="float32"),
            TensorSpec(name="heatmap", shape=("batch", labels, CELLS, CELLS), dtype="float32"),
        ),
        preprocessing=Preprocessing(
            kind="letterbox",
            size_px=SIZE_PX,
            low_percentile=LOW_PERCENTILE,
            high_percentile=HIGH_PERCENTILE,
            smallest_halved_px=SMALLEST_HALVED_PX,
        ),
        labels=tuple(item.label for item in judged),
        intended_use=IntendedUse(
            modalities=("CR", "DX"),
            body_parts=("CHEST",),
            view_positions=("PA", "AP"),
            minimum_age_years=18.0,
            maximum_age_years=None,
            draws_location=False,
        ),
        provenance=Provenance(
            training_data=(
                (
                    "NIH ChestX-ray14 (Wang et al., CVPR 2017; the NIH Clinical Center is acknowledged;"
                    " https://nihcc.app.box.com/v/ChestXray-NIHCC), films of patients aged 18 and over"
                ),
                (
                    "Predictions of a DenseNet-121 for 593 of these films, none of which it was trained on"
                    " (jrzech/reproduce-chexnet, BSD-3-Clause)"
                ),
                (
                    "SqueezeNet 1.0, ImageNet, unchanged up to its last pooling, from"
                    " songhan/SqueezeNet-Deep-Compression (BSD-2-Clause)"
                ),
            ),
            licence="Apache-2.0 AND BSD-2-Clause",
            restrictions="",
            known_biases=(
                (
                    "Labels were mined from reports by a program (upstream estimate: nine in ten right), not"
                    " read from films; errors of a label are errors of these numbers too."
                ),
                (
                    "One hospital, 8-bit copies that were windowed before they were published; other makers'"
                    " processing was not tested."
                ),
                "It was not taught pneumothorax, masses, nodules, fractures, lines or tubes by name.",
                "Bed-side (AP) films are sicker and fewer; see gate.json for each view.",
                (
                    "Films without findings are few (61 in the quoted part), so specificity for any finding"
                    " is uncertain."
                ),
                (
                    "Probabilities are calibrated where half of the films have the finding: 0.5 means neutral"
                    " evidence, not a chance of one half in your department."
                ),
                (
                    "Its teacher's mistakes are its own: any finding is learned from the published"
                    " predictions alone, the named findings from them and from the reports."
                ),
                (
                    "The size of the regions and the choice of the named findings were made on the films"
                    " that are quoted; the strength of the penalty was not. The former moves an AUC by some"
                    " 0.01 to 0.04."
                ),
                (
                    "Each region has a function of its own: a film turned, or of which a large part is"
                    " missing, is read wrongly. The view model and quality control look for that."
                ),
                (
                    "The heatmap shows what the score was made of; how often it points into radiologists'"
                    " boxes, and how often the usual place does, is in gate.json. It is not a location."
                ),
            ),
        ),
        metrics=tuple(row for item in judged for row in item.metrics) + tuple(pointing),
    )
