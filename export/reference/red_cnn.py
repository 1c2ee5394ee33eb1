# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Train RED-CNN's architecture on what our denoiser was trained on, to be compared with it.

`python -m export.reference.red_cnn --data DATA --work DIR --out DATA/denoisers/red_cnn.onnx --device cuda`

The same slices, noise, patches, phases, loss and averaging; only the network differs. A step of it is 130
times the arithmetic of ours: on a processor the minutes are over long before it has learned anything. Give
it a GPU, or days. `scanside bench run --only denoising` measures the file where it lies.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import torch
from torch import Tensor, nn
from torch.nn import functional

from export.reference.ct_slices import SliceSet, prepare
from export.reference.denoiser_training import PHASES, Phase, train_phase
from export.reference.low_dose import HU_MAX, HU_MIN
from export.reference.red_cnn_graph import (
    CHANNELS,
    KERNEL_PX,
    LAYERS,
    SHORTCUTS,
    SPAN_HU,
    sizes,
    write_red_cnn,
)


class RedCnn(nn.Module):
    """Ten layers at full resolution; see `red_cnn_graph`."""

    def __init__(self, channels: int = CHANNELS) -> None:
        super().__init__()
        pairs = list(sizes(channels).values())
        self.convs = nn.ModuleList(nn.Conv2d(*pair, KERNEL_PX) for pair in pairs[:LAYERS])
        self.deconvs = nn.ModuleList(nn.ConvTranspose2d(*pair, KERNEL_PX) for pair in pairs[LAYERS:])

    def forward(self, slice_hu: Tensor) -> Tensor:
        """Denoised slice in HU, [batch, 1, rows, columns]; at least 21 rows and columns."""
        kept = [(slice_hu.clamp(HU_MIN, HU_MAX) - HU_MIN) / SPAN_HU]
        for layer in self.convs:
            kept.append(functional.relu(layer(kept[-1])))
        here = kept[-1]
        for number, layer in enumerate(self.deconvs):
            here = layer(here)
            if number in SHORTCUTS:
                here = here + kept[SHORTCUTS[number]]
            here = functional.relu(here)
        return here * SPAN_HU + HU_MIN


def train_red_cnn(
    data: SliceSet,
    work: Path,
    out: Path,
    *,
    phases: tuple[Phase, ...] = PHASES,
    channels: int = CHANNELS,
    device: str = "cpu",
) -> None:
    """All phases, each from the averaged weights of the one before, then the graph into `out`."""

    def make() -> RedCnn:
        return RedCnn(channels)

    work.mkdir(parents=True, exist_ok=True)
    weights = work / "red_cnn_start.pt"
    torch.save(make().state_dict(), weights)
    for phase in phases:
        weights = train_phase(data, work, phase, start=weights, make=make, device=device)
    trained = torch.load(weights, weights_only=True, map_location="cpu")
    out.parent.mkdir(parents=True, exist_ok=True)
    write_red_cnn({name: value.contiguous().numpy() for name, value in trained.items()}, out)


def main() -> None:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=sum(phase.minutes for phase in PHASES))
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    share = given.minutes / sum(phase.minutes for phase in PHASES)
    phases = tuple(replace(phase, minutes=share * phase.minutes) for phase in PHASES)
    data = prepare(given.data, given.work)
    train_red_cnn(data, given.work / "red_cnn", given.out, phases=phases, device=given.device)


if __name__ == "__main__":
    main()
