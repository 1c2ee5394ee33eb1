# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change of contrast beside a copy of the frame: what painting costs at the least. No Qt."""

from __future__ import annotations

import resource
from typing import Final

import numpy as np

from appliance.clock import NS_PER_MS, Clock
from ui.frame_renderer import FrameRenderer
from ui.viewport import fit

FRAME_PX: Final = (3000, 2500)
"""Rows and columns of a radiograph."""
FRAMES: Final = 150


def frame_numbers(panel_px: tuple[int, int], clock: Clock) -> dict[str, list[float]]:
    """A new contrast of a whole 7.5 megapixel frame on a panel, and a copy of its memory, by turns, ms."""
    stored = np.random.default_rng(2).integers(0, 4096, FRAME_PX).astype(np.uint16)
    copy = np.empty_like(stored)
    table = np.clip(np.arange(1 << 16) // 16, 0, 255).astype(np.uint8)
    tables = [table, table[::-1].copy()]
    renderer, viewport = FrameRenderer(stored, 0), fit(FRAME_PX, panel_px)

    def change_contrast() -> None:
        tables.reverse()
        renderer.paint(viewport, tables[0])

    found: dict[str, list[float]] = {}
    for _ in range(FRAMES):
        for name, action in (("frame", change_contrast), ("copy", lambda: np.copyto(copy, stored))):
            start_ns, start_s = clock.monotonic_ns(), _processor_s()
            action()
            found.setdefault(f"{name}_ms", []).append((clock.monotonic_ns() - start_ns) / NS_PER_MS)
            found.setdefault(f"{name}_cpu_ms", []).append((_processor_s() - start_s) * 1000)
    return found


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
