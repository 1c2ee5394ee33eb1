# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Train, measure and pack `radiograph_view`: does the picture agree with its tags?

`python -m export.reference.radiograph_view --data DATA --work DIR --out BUNDLE`

Every label has its own sigmoid, so a picture may be neither chest nor upper limb: then both are low and
quality control says nothing. A limb has no usual way up; the rotation is taught and measured on chests
only, and its answer means nothing where the part is not a chest.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from appliance.clock import NS_PER_S, SystemClock
from appliance.domain.card import (
    IntendedUse,
    Label,
    Metric,
    ModelCard,
    Preprocessing,
    Provenance,
    TensorSpec,
)
from appliance.domain.finding import Code
from export.reference.bundle import as_gate, metric, pack, synthetic_films
from export.reference.films import (
    HIGH_PERCENTILE,
    LOW_PERCENTILE,
    Film,
    fold_of_groups,
    letterbox,
    read_films,
    read_grey,
)
from export.reference.fracture_triage import RESTRICTIONS
from export.reference.statistics import Estimate, share_estimate
from export.reference.view_network import (
    PARTS,
    ROTATIONS,
    SIZE_PX,
    ViewNetwork,
    load,
    write_view_graph,
)
from export.reference.view_pictures import Square, varied

SEED = 20261122
FOLDS = 5
MEASURED_FOLD = 0
"""One group in five is never trained on and measures the model."""
THRESHOLD = 0.9
"""Below this probability an answer is not used: quality control should be silent rather than wrong."""
STORED_PX = 160
BATCH = 64
HIGHEST_RATE = 2e-3
QUOTED = "unseen patients and groups: NIH adult chests and BFY8 upper limbs, each turned four ways"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the network says of some pictures."""

    part: NDArray[np.float64]
    rotation: NDArray[np.float64]


def train(
    squares: NDArray[np.float16],
    parts: NDArray[np.int64],
    out: Path,
    *,
    minutes: float,
    start: Path | None = None,
    seed: int = SEED,
) -> Path:
    """Train until the minutes are used; both parts equally often, every rotation equally often.

    `start`: weights of an earlier, too short training, continued at half the rate.
    """
    if out.exists():
        return out
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    clock = SystemClock()
    network = ViewNetwork().to(memory_format=torch.channels_last)  # type: ignore[call-overload] # missing in the stub
    highest_rate = HIGHEST_RATE
    if start is not None:
        network.load_state_dict(torch.load(start, weights_only=True))
        highest_rate, seed = HIGHEST_RATE / 2, seed + 1
    optimiser = torch.optim.AdamW(network.parameters(), lr=highest_rate, weight_decay=1e-3)
    random = np.random.default_rng(seed)
    of_part = [np.flatnonzero(parts == part) for part in range(len(PARTS))]
    began, step, share = clock.monotonic_ns(), 0, 0.0
    while share < 1.0:
        share = (clock.monotonic_ns() - began) / (NS_PER_S * 60 * minutes)
        for group in optimiser.param_groups:
            group["lr"] = highest_rate * float(0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * min(share, 1.0))))
        part = random.integers(len(PARTS), size=BATCH)
        turns = random.integers(4, size=BATCH)
        rows = [int(random.choice(of_part[one])) for one in part]
        images = [
            varied(squares[row].astype(np.float32), int(turn), random)
            for row, turn in zip(rows, turns, strict=True)
        ]
        says_part, says_rotation = network(torch.from_numpy(np.stack(images)[:, None]))
        wanted_part = functional.one_hot(torch.from_numpy(part), len(PARTS)).float() * 0.98 + 0.01
        wanted_rotation = functional.one_hot(torch.from_numpy(turns), 4).float() * 0.98 + 0.01
        is_chest = torch.from_numpy(part == 0).float()[:, None]
        loss_part = functional.binary_cross_entropy_with_logits(says_part, wanted_part)
        each = functional.binary_cross_entropy_with_logits(says_rotation, wanted_rotation, reduction="none")
        loss = loss_part + (each * is_chest).sum() / (is_chest.sum() * 4)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call] # torch does not type it
        optimiser.step()
        step += 1
        if step % 100 == 0:
            print(f"step {step} share {share:.2f} loss {float(loss.detach()):.4f}", flush=True)
    torch.save(network.state_dict(), out)
    return out


def answers(network: ViewNetwork, squares: Square) -> Answers:
    """Probabilities of pictures that are already of the network's size."""
    with torch.no_grad():
        part, rotation = network(torch.from_numpy(np.ascontiguousarray(squares[:, None])))
    return Answers(
        part=torch.sigmoid(part).double().numpy(), rotation=torch.sigmoid(rotation).double().numpy()
    )


def used_and_right(
    probability: NDArray[np.float64], truth: NDArray[np.int64], groups: list[str]
) -> dict[str, Estimate]:
    """Accuracy of all answers, share of answers that are used, accuracy of those."""
    right = probability.argmax(axis=1) == truth
    used = probability.max(axis=1) >= THRESHOLD
    kept = [group for group, keep in zip(groups, used, strict=True) if keep]
    return {
        "accuracy": share_estimate(right, groups),
        "share of answers used": share_estimate(used, groups),
        "accuracy of used answers": share_estimate(right[used], kept),
    }


def evaluate(
    network: ViewNetwork, films: list[Film], parts: NDArray[np.int64]
) -> dict[str, dict[str, Estimate]]:
    """Each unseen film at the network's own preprocessing, turned four ways."""
    squares = np.stack([letterbox(read_grey(film), size_px=SIZE_PX) for film in films])
    turned = np.concatenate([np.rot90(squares, -turns, axes=(1, 2)) for turns in range(4)])
    groups = [film.group for film in films] * 4
    says = answers(network, turned)
    truth_part, truth_rotation = np.tile(parts, 4), np.repeat(np.arange(4), len(films))
    chest = truth_part == 0
    return {
        "part": used_and_right(says.part, truth_part, groups),
        "rotation of chests": used_and_right(
            says.rotation[chest],
            truth_rotation[chest],
            [group for group, keep in zip(groups, chest, strict=True) if keep],
        ),
    }


def label(name: str) -> Label:
    """A label whose probability is the plain sigmoid of its logit."""
    return Label(
        name=name,
        code=Code(value=name, scheme="99SCANSIDE", meaning=name.replace("_", " ").capitalize()),
        scale=1.0,
        shift=0.0,
        sensitive_threshold=THRESHOLD,
        specific_threshold=THRESHOLD,
    )


def card(metrics: list[Metric]) -> ModelCard:
    """What the model is and what may be done with it."""
    return ModelCard(
        format=1,
        task="radiograph_view",
        name="Part and rotation of a radiograph, reference model",
        version="1.0.0",
        release=1,
        summary=(
            "Says whether a radiograph looks like a chest or an upper limb, and by how many quarters a"
            " chest was turned clockwise, so that quality control can compare it with the tags. Labels are"
            " in output order: logits_part first, then logits_rotation. Answers below the threshold are not"
            " used."
        ),
        precision="float32",
        inputs=(TensorSpec(name="image", shape=("batch", 1, SIZE_PX, SIZE_PX), dtype="float32"),),
        outputs=(
            TensorSpec(name="logits_part", shape=("batch", len(PARTS)), dtype="float32"),
            TensorSpec(name="logits_rotation", shape=("batch", len(ROTATIONS)), dtype="float32"),
        ),
        preprocessing=Preprocessing(
            kind="letterbox", size_px=SIZE_PX, low_percentile=LOW_PERCENTILE, high_percentile=HIGH_PERCENTILE
        ),
        labels=tuple(label(name) for name in (*PARTS, *ROTATIONS)),
        intended_use=IntendedUse(
            modalities=("CR", "DX"),
            body_parts=(),
            view_positions=(),
            minimum_age_years=None,
            maximum_age_years=None,
            draws_location=False,
        ),
        provenance=Provenance(
            training_data=(
                (
                    "NIH ChestX-ray14 (Wang et al., CVPR 2017; the NIH Clinical Center is acknowledged),"
                    " adult frontal chests"
                ),
                "BFY8 (Roboflow 'bone fracture detection' v4), upper limbs, restricted upstream",
            ),
            licence="Apache-2.0 for the code; the weights: see restrictions",
            restrictions=RESTRICTIONS,
            known_biases=(
                (
                    "Two parts from two sources: source and part cannot be told apart in the numbers, which"
                    " therefore are optimistic."
                ),
                (
                    "Other parts (hips, skulls, breasts, lateral chests) were never seen; it may call them a"
                    " chest or an upper limb with confidence."
                ),
                "The rotation means nothing for limbs.",
                "A mirrored chest cannot be noticed: mirrored copies were used in training.",
            ),
        ),
        metrics=tuple(metrics),
    )


def main() -> None:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--start", type=Path, default=None)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    films = read_films(arguments.data, ("NIH", "NIH-findings", "BFY8"))
    parts = np.array([0 if film.dataset.startswith("NIH") else 1 for film in films])
    fold = fold_of_groups([film.group for film in films], folds=FOLDS, seed=SEED)
    train_rows, test_rows = np.flatnonzero(fold != MEASURED_FOLD), np.flatnonzero(fold == MEASURED_FOLD)
    weights = arguments.work / "view.pt"
    squares = np.empty((0, STORED_PX, STORED_PX), np.float16)
    if not weights.exists():
        squares = np.stack(
            [letterbox(read_grey(films[row]), size_px=STORED_PX).astype(np.float16) for row in train_rows]
        )
    network = load(
        train(squares, parts[train_rows], weights, minutes=arguments.minutes, start=arguments.start)
    )
    found = evaluate(network, [films[row] for row in test_rows], parts[test_rows])
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_view_graph(network, arguments.out / "model.onnx")
    rows = [
        metric(f"{of}: {name}", QUOTED, value)
        for of, values in found.items()
        for name, value in values.items()
    ]
    gate: dict[str, object] = {
        "quoted_on": QUOTED,
        "threshold": THRESHOLD,
        **{of: {name: as_gate(value) for name, value in values.items()} for of, values in found.items()},
    }
    pack(arguments.out, card=card(rows), golden_inputs={"image": synthetic_films(SIZE_PX, seed=5)}, gate=gate)


if __name__ == "__main__":
    main()
