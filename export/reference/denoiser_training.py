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
HIGHEST_RATE = 1.2e-3
WARM_UP_STEPS = 100
AVERAGE_DECAY = 0.998
"""The weights kept are a running average over about 500 steps."""
CHECKPOINT_EVERY_S = 60.0
BODY_HU = -500.0
"""A patch with fewer than one pixel in five above this is mostly air and drawn again."""


def noise_scale_hu(own_noise_hu: float, random: np.random.Generator) -> float:
    """Standard deviation of the noise to add.

    Half of the time what a dose between 12 % and 70 % adds to this very slice, half of the time any
    level met in practice, and sometimes next to none: a clean slice must come back as it is.
    """
    kind = random.random()
    if kind < 0.08:
        return float(random.uniform(0.0, 3.0))
    if kind < 0.5:
        dose = random.uniform(0.12, 0.7)
        return float(1.2 * own_noise_hu * np.sqrt(1.0 / dose - 1.0))
    return float(np.exp(random.uniform(np.log(6.0), np.log(70.0))))


def draw_patch(
    data: SliceSet, usable: list[int], random: np.random.Generator
) -> tuple[FloatArray, FloatArray, float]:
    """(low dose, routine dose, level of the added noise) of one random patch."""
    while True:
        which = usable[int(random.integers(len(usable)))]
        row, column = (int(random.integers(0, side - PATCH_PX + 1)) for side in data.hu.shape[1:])
        window = (slice(row, row + PATCH_PX), slice(column, column + PATCH_PX))
        target = data.hu[which][window].astype(np.float32)
        if (target > BODY_HU).mean() > 0.2:
            break
    if random.random() < 0.4:
        sharper = float(random.uniform(0.0, 1.2))
        target = clamp(target + sharper * (target - cv2.GaussianBlur(target, (0, 0), 1.0)))
    level_hu = noise_scale_hu(data.slices[which].own_noise_hu, random)
    noise = np.asarray(data.noise[which][int(random.integers(data.noise.shape[1]))][window], np.float32)
    low = np.maximum(target + level_hu * noise, HU_MIN).astype(np.float32)
    turns, flip = int(random.integers(4)), bool(random.integers(2))
    pair = [np.rot90(image[:, ::-1] if flip else image, turns) for image in (low, target)]
    return np.ascontiguousarray(pair[0]), np.ascontiguousarray(pair[1]), level_hu


def train(data: SliceSet, out: Path, *, minutes: float, seed: int = 7) -> Path:
    """Train until the minutes are used; returns the file of the averaged weights."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    out.mkdir(parents=True, exist_ok=True)
    checkpoint, weights = out / "checkpoint.pt", out / "denoiser.pt"
    network = Denoiser().to(memory_format=torch.channels_last)  # type: ignore[call-overload] # missing in the stub
    average = {name: value.clone() for name, value in network.state_dict().items()}
    optimiser = torch.optim.AdamW(network.parameters(), lr=HIGHEST_RATE, weight_decay=1e-4)
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
    while used_s < 60 * minutes:
        share = used_s / (60 * minutes)
        fall = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share))
        rate = HIGHEST_RATE * min(1.0, (step + 1) / WARM_UP_STEPS) * fall
        for group in optimiser.param_groups:
            group["lr"] = rate
        drawn = [draw_patch(data, usable, random) for _ in range(BATCH)]
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
        if now - last_save > CHECKPOINT_EVERY_S or used_s >= 60 * minutes:
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
    parser.add_argument("--minutes", type=float, default=34.0)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    data = prepare(arguments.data, arguments.work)
    print(train(data, arguments.work, minutes=arguments.minutes))


if __name__ == "__main__":
    main()
