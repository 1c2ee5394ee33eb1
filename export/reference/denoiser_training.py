# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Train the CT denoiser on simulated low dose.

The target is the routine-dose slice with its own noise, which is also in the input: the best answer
keeps that noise and takes away only what the lower dose added. That is on purpose. Noise-free targets
teach a smoothness that looks better in a table than to a radiologist.

The time is the schedule: the learning rate falls with the minutes used, so that a slow machine ends
with a finished, if shorter, training. A checkpoint is written every minute and resumed from.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from appliance.clock import NS_PER_S, SystemClock
from export.reference.ct_slices import SliceSet, prepare
from export.reference.denoiser import Denoiser
from export.reference.low_dose import HU_MIN, FloatArray, clamp

PATCH_PX = 128
BATCH = 16
SHARPENED_SHARE = 0.4
"""Patches that are sharpened first, as by a sharper kernel."""
WARM_UP_STEPS = 100
AVERAGE_DECAY = 0.998
"""The weights kept are a running average over about 500 steps."""
CHECKPOINT_EVERY_S = 60.0
BODY_HU = -500.0
"""A patch with fewer than one pixel in five above this is mostly air and drawn again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One stretch of training with its own mixture of noise and its own falling rate."""

    name: str
    minutes: float
    highest_rate: float
    low_dose_only: bool


PHASES = (
    Phase(name="wide", minutes=27.0, highest_rate=1.2e-3, low_dose_only=False),
    Phase(name="low_dose", minutes=9.0, highest_rate=5e-4, low_dose_only=True),
)
"""After the wide phase alone the residual was right in shape and too small by a factor of 1.7 on the
training patients at a quarter of the dose: having to leave alone much routine noise had taught it
timidity. The second phase is what the denoiser is for."""


def noise_scale_hu(own_noise_hu: float, random: np.random.Generator, *, low_dose_only: bool) -> float:
    """Standard deviation of the noise to add to a slice that has noise of its own.

    Low dose: mostly what a dose between 12 % and 60 % adds to this very slice. Wide: half of the time
    any level met in practice. Sometimes next to none: a clean slice must come back as it is.
    """
    kind = random.random()
    if kind < 0.05:
        return float(random.uniform(0.0, 3.0))
    if kind < (0.9 if low_dose_only else 0.5):
        dose = float(np.exp(random.uniform(np.log(0.12), np.log(0.6))))
        return float(random.uniform(0.9, 1.2) * own_noise_hu * np.sqrt(1.0 / dose - 1.0))
    lowest = own_noise_hu if low_dose_only else 6.0
    return float(np.exp(random.uniform(np.log(lowest), np.log(max(70.0, 2 * lowest)))))


def draw_patch(
    data: SliceSet, usable: list[int], random: np.random.Generator, *, low_dose_only: bool
) -> tuple[FloatArray, FloatArray, float]:
    """(low dose, routine dose, level of the added noise) of one random patch."""
    while True:
        which = usable[int(random.integers(len(usable)))]
        row, column = (int(random.integers(0, side - PATCH_PX + 1)) for side in data.hu.shape[1:])
        window = (slice(row, row + PATCH_PX), slice(column, column + PATCH_PX))
        target = data.hu[which][window].astype(np.float32)
        if (target > BODY_HU).mean() > 0.2:
            break
    own_noise_hu = data.slices[which].own_noise_hu
    if random.random() < SHARPENED_SHARE:
        sharper = float(random.uniform(0.0, 1.2))
        own_noise_hu *= 1.0 + 0.7 * sharper
        target = clamp(target + sharper * (target - cv2.GaussianBlur(target, (0, 0), 1.0)))
    level_hu = noise_scale_hu(own_noise_hu, random, low_dose_only=low_dose_only)
    noise = np.asarray(data.noise[which][int(random.integers(data.noise.shape[1]))][window], np.float32)
    low = np.maximum(target + level_hu * noise, HU_MIN).astype(np.float32)
    turns, flip = int(random.integers(4)), bool(random.integers(2))
    pair = [np.rot90(image[:, ::-1] if flip else image, turns) for image in (low, target)]
    return np.ascontiguousarray(pair[0]), np.ascontiguousarray(pair[1]), level_hu


def train(data: SliceSet, out: Path, *, phases: tuple[Phase, ...] = PHASES) -> Path:
    """All phases, each from the averaged weights of the one before; returns the file of the last."""
    weights: Path | None = None
    for phase in phases:
        weights = train_phase(data, out, phase, start=weights)
    if weights is None:
        message = "no phase to train"
        raise ValueError(message)
    return weights


def train_phase(data: SliceSet, out: Path, phase: Phase, *, start: Path | None, seed: int = 7) -> Path:
    """Train until the phase's minutes are used; returns the file of its averaged weights."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    out.mkdir(parents=True, exist_ok=True)
    checkpoint, weights = out / f"checkpoint_{phase.name}.pt", out / f"denoiser_{phase.name}.pt"
    network = Denoiser().to(memory_format=torch.channels_last)  # type: ignore[call-overload] # missing in the stub
    if start is not None:
        network.load_state_dict(torch.load(start, weights_only=True))
    average = {name: value.clone() for name, value in network.state_dict().items()}
    optimiser = torch.optim.AdamW(network.parameters(), lr=phase.highest_rate, weight_decay=1e-4)
    used_s, step = 0.0, 0
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(saved["network"])
        optimiser.load_state_dict(saved["optimiser"])
        average, used_s, step = saved["average"], saved["used_s"], saved["step"]
    random = np.random.default_rng(seed + step)
    usable = [index for index, item in enumerate(data.slices) if not item.held_out]
    clock, running = SystemClock(), 0.0
    before = clock.monotonic_ns() / NS_PER_S
    last_save = before
    while used_s < 60 * phase.minutes:
        share = used_s / (60 * phase.minutes)
        fall = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share))
        rate = phase.highest_rate * min(1.0, (step + 1) / WARM_UP_STEPS) * fall
        for group in optimiser.param_groups:
            group["lr"] = rate
        drawn = [draw_patch(data, usable, random, low_dose_only=phase.low_dose_only) for _ in range(BATCH)]
        low = torch.from_numpy(np.stack([item[0] for item in drawn])[:, None])
        target = torch.from_numpy(np.stack([item[1] for item in drawn])[:, None])
        weight = torch.tensor([1.0 / (item[2] + 5.0) for item in drawn]).view(-1, 1, 1, 1)
        loss = ((network(low) - target).square() * weight).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        step += 1
        decay = min(AVERAGE_DECAY, (1 + step) / (10 + step))
        for name, value in network.state_dict().items():
            average[name].lerp_(value, 1 - decay)
        running = 0.98 * running + 0.02 * float(loss.detach()) if step > 1 else float(loss.detach())
        now = clock.monotonic_ns() / NS_PER_S
        used_s, before = used_s + now - before, now
        if now - last_save > CHECKPOINT_EVERY_S or used_s >= 60 * phase.minutes:
            state = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "average": average}
            torch.save({**state, "used_s": used_s, "step": step}, checkpoint)
            torch.save(average, weights)
            print(f"step {step} minutes {used_s / 60:.1f} loss {running:.3f} rate {rate:.2e}", flush=True)
            last_save = now
    return weights


def main() -> None:
    """`python -m export.reference.denoiser_training --data DATA --work DIR`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    data = prepare(arguments.data, arguments.work)
    print(train(data, arguments.work))


if __name__ == "__main__":
    main()
