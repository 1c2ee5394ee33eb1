# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Train, measure and pack `fracture_triage`.

`python -m export.reference.fracture_triage --data DATA --work DIR --out BUNDLE`

The only upper-limb set at hand is a re-upload whose pictures come from a research-only collection. The
bundle therefore is for evaluation: its card says so, and says that it is not part of a product.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from appliance.domain.card import (
    IntendedUse,
    Metric,
    ModelCard,
    Preprocessing,
    Provenance,
    TensorSpec,
)
from appliance.domain.finding import Code
from export.reference.bundle import pack, run_reference, synthetic_films
from export.reference.films import (
    HIGH_PERCENTILE,
    LOW_PERCENTILE,
    SIZE_PX,
    Film,
    fold_of_groups,
    letterbox,
    read_films,
    read_grey,
)
from export.reference.triage import (
    CELLS,
    Recipe,
    extract,
    fit_rows,
    heatmaps,
    out_of_fold,
    relative_to_usual,
    write_graph,
)
from export.reference.triage_evaluation import Judged, judge, pointing_game

FOLDS = 5
SEED = 20261122
FRACTURE = Code(value="125605004", scheme="SCT", meaning="Fracture of bone")
QUOTED = "BFY8 upper-limb films, 5-fold, groups of near-duplicates kept together"
RESTRICTIONS = (
    "Evaluation only; not to be redistributed as part of a product: the training images come from a"
    " restricted source (uploaded as CC BY 4.0, yet they look like a collection whose agreement allows"
    " research only)."
)
BODY_PARTS = (
    "HAND",
    "FINGER",
    "THUMB",
    "WRIST",
    "FOREARM",
    "ELBOW",
    "HUMERUS",
    "SHOULDER",
    "CLAVICLE",
    "UPPER LIMB",
    "ARM",
    "RADIUS",
    "ULNA",
    "SCAPHOID",
)
RECIPE = Recipe(regularisation=1e-3)
"""The same as for the chest; not tuned on these films."""


def card(judged: Judged, located: list[Metric]) -> ModelCard:
    """What the model is and what may be done with it."""
    return ModelCard(
        format=1,
        task="fracture_triage",
        name="Upper-limb fracture triage, reference model",
        version="1.0.0",
        release=1,
        summary=(
            "Flags upper-limb radiographs that may show a fracture. A small linear reader on a frozen"
            " general-purpose image backbone, for evaluation only."
        ),
        precision="float32 (weights of the backbone int8, dequantised)",
        inputs=(TensorSpec(name="image", shape=("batch", 1, SIZE_PX, SIZE_PX), dtype="float32"),),
        outputs=(
            TensorSpec(name="logits", shape=("batch", 1), dtype="float32"),
            TensorSpec(name="heatmap", shape=("batch", 1, CELLS, CELLS), dtype="float32"),
        ),
        preprocessing=Preprocessing(
            kind="letterbox", size_px=SIZE_PX, low_percentile=LOW_PERCENTILE, high_percentile=HIGH_PERCENTILE
        ),
        labels=(judged.label,),
        intended_use=IntendedUse(
            modalities=("CR", "DX"),
            body_parts=BODY_PARTS,
            view_positions=(),
            minimum_age_years=18.0,
            maximum_age_years=None,
            draws_location=False,
        ),
        provenance=Provenance(
            training_data=(
                "BFY8 (Roboflow 'bone fracture detection' v4), 877 upper-limb films, restricted upstream",
                "MobileNetV2 1.0 ImageNet, 8-bit, from google-coral/test_data (Apache-2.0)",
            ),
            licence="Apache-2.0 for the code; the weights: see restrictions",
            restrictions=RESTRICTIONS,
            known_biases=(
                (
                    "'No fracture' means that nobody drew a box, not that the film was read as normal; some"
                    " show plates, prostheses or casts."
                ),
                (
                    "Ages, sexes and scanners of the films are unknown; children were neither excluded nor"
                    " counted, the limit to adults is a precaution."
                ),
                "Films are dark 8-bit copies of 512 px, some turned or with added corners by the uploader.",
                "One collection: no other hospital's films were used to choose or to measure anything.",
                "Probabilities are calibrated where half of the films have a fracture.",
                (
                    "The heatmap points into a drawn box hardly more often than chance (gate.json): not a"
                    " location."
                ),
            ),
        ),
        metrics=(*judged.metrics, *located),
    )


def shape_of(film: Film) -> tuple[int, int]:
    """(rows, columns) of the film."""
    rows, columns = read_grey(film).shape
    return int(rows), int(columns)


def main() -> None:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    films = read_films(arguments.data, ("BFY8",))
    features = extract(films, arguments.data, arguments.work / "fracture.npy")
    groups = [film.group for film in films]
    fold = fold_of_groups(groups, folds=FOLDS, seed=SEED)
    strata = ["BFY8"] * len(films)
    truth = np.array([int(film.label == "fracture") for film in films])
    logits, heads = out_of_fold(features, truth, strata, fold, RECIPE)
    judged = judge(
        FRACTURE,
        films,
        logits,
        truth,
        fold,
        strata=strata,
        quoted=np.ones(len(films), bool),
        quoted_name=QUOTED,
        pooled_name=QUOTED,
    )
    print(judged.gate["auc"], judged.gate["operating_points"], flush=True)
    scratch = arguments.work / "fracture_usual.onnx"
    for number, head in enumerate(heads):
        others = [film for film, its in zip(films, fold, strict=True) if its != number]
        own = relative_to_usual(head, others, arguments.data, scratch)
        write_graph(
            arguments.data, arguments.work / f"fracture_fold{number}.onnx", own, name="fracture_triage"
        )
    boxed = [row for row in range(len(films)) if films[row].boxes]
    heat = heatmaps(
        [films[row] for row in boxed],
        fold[boxed],
        lambda number: Path(arguments.work / f"fracture_fold{number}.onnx"),
    )
    pointing = pointing_game(
        heat[:, 0],
        [films[row].boxes for row in boxed],
        [shape_of(films[row]) for row in boxed],
        [groups[row] for row in boxed],
    )
    arguments.out.mkdir(parents=True, exist_ok=True)
    model = arguments.out / "model.onnx"
    final = fit_rows(features, truth, strata, np.arange(len(films)), RECIPE)
    final = relative_to_usual(final, films, arguments.data, scratch)
    write_graph(arguments.data, model, final, name="fracture_triage")
    shown = []
    for film in read_films(arguments.data, ("FracAtlas",)):
        square = letterbox(read_grey(film), size_px=SIZE_PX)[None, None]
        logit = float(run_reference(model, {"image": square})["logits"][0, 0])
        shown.append({"label": film.label, "logit": round(logit, 3)})
    pack(
        arguments.out,
        card=card(judged, pointing.metrics(FRACTURE.meaning, QUOTED)),
        golden_inputs={"image": synthetic_films(SIZE_PX, seed=4)},
        gate={
            "labels": {FRACTURE.meaning: judged.gate},
            "pointing_game": {FRACTURE.meaning: pointing.gate()},
            "demonstration_only_8_films_of_another_hospital": shown,
        },
    )


if __name__ == "__main__":
    main()
