# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The CT denoiser's network, as it is trained.

Plain 3x3 convolutions and ReLU on a half-size grid: the family that CPUs and GPUs run near their peak
and that survives 8-bit quantisation. No normalisation layers, because they would make the answer in one
place depend on metal in another. 6.8 GFLOP for 512 x 512.

What is predicted is the noise, bounded to `NOISE_LIMIT_HU`, and it is subtracted only where the input
is inside the range of CT numbers: padding and saturated metal come back bit for bit.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from export.reference.denoiser_graph import DEEP_LAYERS, NOISE_LIMIT_HU, SCALE_HU
from export.reference.low_dose import HU_MAX, HU_MIN

WIDTH = 32
DEEP_WIDTH = 48


class Denoiser(nn.Module):
    """Two scales, one skip connection, an additive residual."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(4, WIDTH, 3, padding=1)
        self.fine = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.down = nn.Conv2d(WIDTH, DEEP_WIDTH, 3, stride=2, padding=1)
        self.deep = nn.ModuleList(nn.Conv2d(DEEP_WIDTH, DEEP_WIDTH, 3, padding=1) for _ in range(DEEP_LAYERS))
        self.up = nn.Conv2d(DEEP_WIDTH, 4 * WIDTH, 1)
        self.merge = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.noise = nn.Conv2d(WIDTH, 4, 3, padding=1)
        nn.init.zeros_(self.noise.weight)
        assert self.noise.bias is not None
        nn.init.zeros_(self.noise.bias)

    def take_over(self, weights: dict[str, Tensor]) -> None:
        """Begin where an earlier network ended, which may have had fewer deep layers.

        A layer that it did not have begins as the identity: what comes out of a ReLU passes another one
        unchanged.
        """
        for name, layer in self.deep.named_children():
            if f"deep.{name}.weight" not in weights:
                assert isinstance(layer, nn.Conv2d)
                assert layer.bias is not None
                nn.init.dirac_(layer.weight)
                nn.init.zeros_(layer.bias)
        self.load_state_dict({**self.state_dict(), **weights})

    def forward(self, slice_hu: Tensor) -> Tensor:
        """Denoised slice in HU, [batch, 1, rows, columns]; rows and columns divisible by 4."""
        clamped = slice_hu.clamp(HU_MIN, HU_MAX)
        small = functional.pixel_unshuffle(clamped / SCALE_HU, 2)
        fine = functional.relu(self.fine(functional.relu(self.stem(small))))
        deep = functional.relu(self.down(fine))
        for layer in self.deep:
            deep = functional.relu(layer(deep))
        merged = functional.relu(self.merge(functional.pixel_shuffle(self.up(deep), 2) + fine))
        noise_hu = functional.pixel_shuffle(self.noise(merged), 2) * SCALE_HU
        return torch.where(
            clamped == slice_hu, slice_hu - noise_hu.clamp(-NOISE_LIMIT_HU, NOISE_LIMIT_HU), slice_hu
        )
