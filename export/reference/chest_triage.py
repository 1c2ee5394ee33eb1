# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Train, measure and pack `chest_triage`.

`python -m export.reference.chest_triage --data DATA --work DIR --out BUNDLE`

Adult frontal chest films of the NIH collection only. Which source a film came from tells normal from
abnormal almost perfectly, and over all sources the view (bed-side or standing) tells a good deal. Any
finding is therefore learned from what a published network says of films, not from the sources' labels;
probabilities are balanced inside each source and view; and the quoted numbers are from the one part that
has one source, (but for one patient) one film each, and a view that says nothing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from appliance.domain.card import Metric
from appliance.domain.finding import Code
from export.reference.bundle import as_gate, pack, synthetic_films
from export.reference.chest_card import card
from export.reference.films import (
    CLEAN_SOURCE,
    SIZE_PX,
    Film,
    fold_of_groups,
    letterbox,
    read_films,
    read_grey,
)
from export.reference.published import TARGETS, published_logits, with_expectations
from export.reference.regional import (
    CELLS,
    INNER_FOLDS,
    Features,
    Matrix,
    RegionalHead,
    choose_strength,
    extract,
    ridge,
    with_usual,
    write_graph,
)
from export.reference.squeezenet import LICENCE
from export.reference.statistics import auc_estimate
from export.reference.triage_evaluation import judge, pointing_game

FOLDS = 5
SEED = 20261122
DATASETS = ("BFY8", "FracAtlas", "NIH", "NIH-findings")
"""All radiographs: so the varied copy of a film depends on its place in the collection alone. Limbs are
extracted and then left out."""
ABNORMAL = Code(value="ABNORMAL", scheme="99SCANSIDE", meaning="Any labelled finding")
FINDINGS = {
    "Effusion": Code(value="60046008", scheme="SCT", meaning="Pleural effusion"),
    "Cardiomegaly": Code(value="8186001", scheme="SCT", meaning="Cardiomegaly"),
    "Emphysema": Code(value="87433001", scheme="SCT", meaning="Pulmonary emphysema"),
}
"""Findings with at least 30 films in the quoted part and an AUC there of at least 0.75. Pneumothorax and
mass stayed at 0.69, atelectasis, consolidation, fibrosis, infiltration, nodule, pleural thickening and
pneumonia below that; hernia (0.86) and oedema (0.76) have 16 and 10 films. Pneumonia of children has no
head: a 16 x 16 px thumbnail tells those films apart at 0.98, so no number would mean anything."""
EXPECTED_WEIGHT = 0.3
"""Of a film whose targets are only what its report lets expect, against one that the published network
read. Any finding is learned from the latter alone: the other sources hold hardly a normal film."""
USUAL_FILMS = 150
"""Training films whose mean heatmap is taken as usual."""
THUMBNAIL_PX = 16
NORMAL_AND_ABNORMAL = (CLEAN_SOURCE, "rsummers11/CADLab", "khoaguin/ai-for-medicine")
"""Sources that hold both classes without an exposure or patient order that tells them apart."""
QUOTED = "NIH ChestX-ray14, 451 adult films (450 patients) of one source, 5-fold patient-grouped"
POOLED = "NIH ChestX-ray14, all adult films that carry the label, mixed sources, 5-fold patient-grouped"
BOXED = "NIH ChestX-ray14 films with radiologists' boxes, unseen patients"
GOLDEN_FILMS = 4


def codes() -> list[Code]:
    """The labels in output order."""
    return [ABNORMAL, *FINDINGS.values()]


def truth_of(films: list[Film], code: Code) -> NDArray[np.int64]:
    """1 present, 0 absent, -1 not usable for this label."""
    if code == ABNORMAL:
        return np.array(
            [int(film.label == "abnormal") if film.source in NORMAL_AND_ABNORMAL else -1 for film in films]
        )
    (name,) = [name for name, item in FINDINGS.items() if item == code]
    return np.array([int(name in film.findings) for film in films])


def strata_of(films: list[Film]) -> list[str]:
    """Source and view: what must not tell the classes apart."""
    return [f"{film.source} {film.view}" for film in films]


def boxed(films: list[Film], name: str) -> list[int]:
    """Films with a radiologist's box of the finding; an empty name: any box."""
    return [index for index, film in enumerate(films) if any(name in ("", box.name) for box in film.boxes)]


def fit(
    features: Features, films: list[Film], published: Matrix, rows: NDArray[np.int64]
) -> tuple[RegionalHead, float]:
    """A head with `codes()` as labels, from these rows alone, and the penalty that they chose."""
    known = rows[np.isfinite(published[rows, 0])]
    inner = fold_of_groups([films[row].group for row in known], folds=INNER_FOLDS, seed=SEED)
    strength = choose_strength(features[known], published[known], inner)
    (of_any,) = ridge(features[known], published[known], np.ones(len(known)), (strength,))
    targets = with_expectations(published, films, rows)[rows]
    weight = np.where(np.isfinite(published[rows, 0]), 1.0, EXPECTED_WEIGHT)
    (of_findings,) = ridge(features[rows], targets, weight, (strength,))
    places = [TARGETS.index(name) for name in FINDINGS]
    head = RegionalHead(
        weight=np.concatenate([of_any.weight[:1], of_findings.weight[places]]),
        bias=np.concatenate([of_any.bias[:1], of_findings.bias[places]]),
    )
    return head, strength


def baselines(
    films: list[Film], fold: NDArray[np.int64], published: Matrix, quoted: NDArray[np.bool_]
) -> dict[str, object]:
    """What needs no model, and what the published network reaches, on the quoted part."""
    rows = np.flatnonzero(quoted)
    truth = truth_of(films, ABNORMAL)[rows] == 1
    groups = [films[row].group for row in rows]
    thumbnails = np.stack([letterbox(read_grey(films[row]), size_px=THUMBNAIL_PX).ravel() for row in rows])
    by_thumbnail = np.zeros(len(rows))
    for number in range(FOLDS):
        train, test = fold[rows] != number, fold[rows] == number
        model = LogisticRegression(max_iter=1000).fit(thumbnails[train], truth[train])
        by_thumbnail[test] = model.decision_function(thumbnails[test])
    bedside = np.array([float(films[row].view == "AP") for row in rows])
    known = np.isfinite(published[rows, 0])
    named = [group for group, keep in zip(groups, known, strict=True) if keep]
    return {
        "thumbnail of 16 x 16 px": as_gate(auc_estimate(by_thumbnail, truth, groups)),
        "bed-side or standing": as_gate(auc_estimate(bedside, truth, groups)),
        "published DenseNet-121": as_gate(auc_estimate(published[rows, 0][known], truth[known], named)),
    }


def main() -> None:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    radiographs = read_films(arguments.data, DATASETS)
    features, maps = extract(radiographs, arguments.data, arguments.work)
    chest = np.flatnonzero([film.dataset.startswith("NIH") for film in radiographs])
    films, features, maps = [radiographs[row] for row in chest], features[chest], maps[chest]
    published = published_logits(films, arguments.data)
    fold = fold_of_groups([film.group for film in films], folds=FOLDS, seed=SEED)
    strata = strata_of(films)
    quoted = np.array([film.source == CLEAN_SOURCE for film in films])
    random = np.random.default_rng(SEED)
    logits = np.zeros((len(films), len(codes())))
    heat = np.zeros((len(films), len(codes()), CELLS, CELLS), np.float32)
    strengths = []
    any_box = np.array(boxed(films, ""))
    for number in range(FOLDS):
        train, test = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        head, strength = fit(features, films, published, train)
        logits[test] = head.logits(features[test, 0])
        head = with_usual(head, maps[np.sort(random.choice(train, USUAL_FILMS, replace=False))])
        own = any_box[fold[any_box] == number]
        heat[own] = head.heat(maps[own])
        strengths.append(strength)
        print(f"fold {number}: penalty {strength:g}", flush=True)
    judged = []
    for channel, code in enumerate(codes()):
        truth = truth_of(films, code)
        judged.append(
            judge(
                code,
                films,
                logits[:, channel],
                truth,
                fold,
                strata=strata,
                quoted=quoted,
                quoted_name=QUOTED,
                pooled_name=POOLED,
            )
        )
        print(code.meaning, judged[-1].gate["auc"], judged[-1].gate["pooled"], flush=True)
    pointing: dict[str, object] = {}
    located: list[Metric] = []
    for channel, name in enumerate(["", *FINDINGS]):
        own = boxed(films, name)
        if not own:
            continue
        found = pointing_game(
            heat[own, channel],
            [tuple(box for box in films[row].boxes if name in ("", box.name)) for row in own],
            [(SIZE_PX, SIZE_PX)] * len(own),
            [films[row].group for row in own],
        )
        pointing[codes()[channel].meaning] = found.gate()
        located += found.metrics(codes()[channel].meaning, BOXED)
    head, strength = fit(features, films, published, np.arange(len(films)))
    head = with_usual(head, maps[np.sort(random.choice(len(films), USUAL_FILMS, replace=False))])
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_graph(arguments.data, arguments.out / "model.onnx", head, name="chest_triage")
    np.savez(arguments.work / "chest_out_of_fold.npz", logits=logits, fold=fold)
    licence = (arguments.data / LICENCE).read_text(encoding="utf-8")
    (arguments.out / "SQUEEZENET-LICENCE.txt").write_text(licence, encoding="utf-8")
    pack(
        arguments.out,
        card=card(judged, located),
        golden_inputs={"image": synthetic_films(SIZE_PX, count=GOLDEN_FILMS)},
        gate={
            "labels": {item.label.name: item.gate for item in judged},
            "baselines_for_any_finding": baselines(films, fold, published, quoted),
            "penalty_chosen_by_inner_folds": {"folds": strengths, "final": strength},
            "pointing_game": pointing,
        },
    )


if __name__ == "__main__":
    main()
