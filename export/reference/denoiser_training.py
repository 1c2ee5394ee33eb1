# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Train the CT denoiser on simulated low dose.

The target keeps the routine dose's noise, or the share of it that can be known: the best answer takes
away only what the lower dose added. That is on purpose. Noise-free targets teach a smoothness that looks
better in a table than to a radiologist.

The time is the schedule: the learning rate falls with the minutes used, so that a slow machine ends
with a finished, if shorter, training. A checkpoint is written every minute and resumed from.
Convolutions run in bfloat16, twice as fast where the processor has it; weights and losses stay float32.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from appliance.clock import NS_PER_S, SystemClock
from export.reference.ct_slices import SliceSet, prepare
from export.reference.denoiser import Denoiser
from export.reference.denoiser_graph import read_weights
from export.reference.denoiser_patches import ANY_DOSE, Mixture, draw_patch, loss_weight

BATCH = 8
WARM_UP_STEPS = 100
AVERAGE_DECAY = 0.999
"""The weights kept are a running average over about 1000 steps."""
CHECKPOINT_EVERY_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One stretch of training with its own mixture of noise and its own falling rate."""

    name: str
    minutes: float
    highest_rate: float
    mixture: Mixture


PHASES = (
    Phase(
        name="wide",
        minutes=27.0,
        highest_rate=1.2e-3,
        mixture=Mixture(doses=None, whole_noise_share=0.0),
    ),
    Phase(
        name="low",
        minutes=17.0,
        highest_rate=1e-3,
        mixture=Mixture(doses=ANY_DOSE, whole_noise_share=0.6),
    ),
    Phase(
        name="quarter",
        minutes=29.0,
        highest_rate=7e-4,
        mixture=Mixture(doses=(0.2, 0.32), whole_noise_share=0.6),
    ),
)
"""After the wide phase alone the residual was right in shape and too small by a factor of 1.7 on the
training patients at a quarter of the dose: having to leave alone much routine noise had taught it timidity.
After the second it was still too small by a factor of 1.2 on the simulated pairs. The last phase takes what a
quarter of the dose adds.

The shipped weights are older: their second phase had added noise alone, for nine minutes. What these phases
made of them in a twelfth of a core stands in DECISIONS.md, and why it is not shipped."""


def train(
    data: SliceSet, out: Path, *, start: Path | None = None, phases: tuple[Phase, ...] = PHASES
) -> Path:
    """All phases, each from the averaged weights of the one before; returns the file of the trained weights.

    These are the middle between the last phase and the one before (Izmailov et al., UAI 2018): the last takes
    more noise and more of faint contrast with it, the one before too little of both.
    `start`: the `model.onnx` of an earlier training, in place of the first phase.
    """
    if not phases:
        message = "no phase to train"
        raise ValueError(message)
    weights = out / "denoiser_start.pt"
    out.mkdir(parents=True, exist_ok=True)
    network = Denoiser()
    if start is not None:
        network.take_over({name: torch.from_numpy(value) for name, value in read_weights(start).items()})
        phases = phases[1:] or phases
    torch.save(network.state_dict(), weights)
    ends: list[Path] = []
    for phase in phases:
        weights = train_phase(data, out, phase, start=weights)
        ends.append(weights)
    first, *rest = (torch.load(path, weights_only=True) for path in ends[-2:])
    for last in rest:
        first = {name: torch.lerp(value, last[name], 0.5) for name, value in first.items()}
    torch.save(first, out / "denoiser.pt")
    return out / "denoiser.pt"


def train_phase(
    data: SliceSet,
    out: Path,
    phase: Phase,
    *,
    start: Path,
    seed: int = 7,
    make: Callable[[], nn.Module] = Denoiser,
    device: str = "cpu",
) -> Path:
    """Train until the phase's minutes are used; returns the file of its averaged weights.

    `make`: the network; `device`: where torch computes.
    """
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    checkpoint, weights = out / f"checkpoint_{phase.name}.pt", out / f"denoiser_{phase.name}.pt"
    network = make().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload] # missing in the stub
    network.load_state_dict(torch.load(start, weights_only=True, map_location=device))
    average = {name: value.clone() for name, value in network.state_dict().items()}
    optimiser = torch.optim.AdamW(network.parameters(), lr=phase.highest_rate, weight_decay=1e-4)
    used_s, step = 0.0, 0
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True, map_location=device)
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
        drawn = [draw_patch(data, usable, random, phase.mixture) for _ in range(BATCH)]
        low = torch.from_numpy(np.stack([item.low for item in drawn])[:, None]).to(device)
        target = torch.from_numpy(np.stack([item.target for item in drawn])[:, None]).to(device)
        weight = torch.tensor([loss_weight(item.level_hu) for item in drawn], device=device)
        with torch.autocast(device, torch.bfloat16):
            made = network(low)
        loss = ((made.float() - target).square() * weight.view(-1, 1, 1, 1)).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        step += 1
        decay = min(AVERAGE_DECAY, (1 + step) / (10 + step))
        for name, value in network.state_dict().items():
            average[name].lerp_(value, 1 - decay)
        running = 0.99 * running + 0.01 * float(loss.detach()) if step > 1 else float(loss.detach())
        now = clock.monotonic_ns() / NS_PER_S
        used_s, before = used_s + now - before, now
        if now - last_save > CHECKPOINT_EVERY_S or used_s >= 60 * phase.minutes:
            state = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "average": average}
            torch.save({**state, "used_s": used_s, "step": step}, checkpoint)
            torch.save(average, weights)
            line = {"phase": phase.name, "step": step, "minutes": used_s / 60, "loss": running, "rate": rate}
            with (out / "training.jsonl").open("a", encoding="utf-8") as log:
                log.write(json.dumps(line) + "\n")
            print(f"step {step} minutes {used_s / 60:.1f} loss {running:.3f} rate {rate:.2e}", flush=True)
            last_save = now
    return weights


def main() -> None:
    """`python -m export.reference.denoiser_training --data DATA --work DIR`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--start", type=Path, default=None)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    data = prepare(arguments.data, arguments.work)
    print(train(data, arguments.work, start=arguments.start))


if __name__ == "__main__":
    main()
