# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What the frozen backbone makes of each film and of its mirror image, computed once and kept on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from export.reference.efficientnet_lite import COARSE_CHANNELS, Features, add_backbone, read_weights
from export.reference.films import Film, letterbox, read_grey
from export.reference.onnx_graph import BATCH, Graph
from export.reference.reference_engine import session

VARIANT: Final = 0
SIZE_PX: Final = 384
"""Sides of the square that the network sees; the films have at most 512 px."""
FINE_CHANNELS: Final = 672
CHANNELS: Final = FINE_CHANNELS + COARSE_CHANNELS
CELLS: Final = SIZE_PX // 16
COARSE_CELLS: Final = SIZE_PX // 32
COPIES: Final = 2
"""The film and its mirror image: a left hand is a right hand."""
SAVED_EVERY: Final = 50
"""Films between two notes of how far the extraction is."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Maps:
    """Both maps of all films, on disk."""

    fine: NDArray[np.float16]
    """[films, copies, 672, cells, cells]."""
    coarse: NDArray[np.float16]
    """[films, copies, 1280, cells / 2, cells / 2]."""

    def of(self, film: int, copy: int) -> NDArray[np.float32]:
        """[places, channels]: every place of the finer map with what the coarser one has there."""
        fine = self.fine[film, copy].astype(np.float32)
        coarse = self.coarse[film, copy].astype(np.float32).repeat(2, axis=1).repeat(2, axis=2)
        return np.concatenate([fine, coarse]).reshape(CHANNELS, -1).T

    def means(self) -> NDArray[np.float32]:
        """[films, copies, channels]."""
        of_both = [
            np.stack([film.astype(np.float32).mean(axis=(2, 3)) for film in part])
            for part in (self.fine, self.coarse)
        ]
        return np.concatenate(of_both, axis=2)


def add_trunk(graph: Graph, data: Path) -> Features:
    """The input and the backbone."""
    image = graph.input("image", [BATCH, 1, SIZE_PX, SIZE_PX])
    return add_backbone(graph, image, read_weights(data, VARIANT), VARIANT)


def trunk_graph(data: Path, path: Path) -> Path:
    """The backbone alone, with its two maps as outputs."""
    graph = Graph("trunk")
    features = add_trunk(graph, data)
    graph.output(features.fine, "fine", [BATCH, FINE_CHANNELS, CELLS, CELLS])
    graph.output(features.coarse, "coarse", [BATCH, COARSE_CHANNELS, COARSE_CELLS, COARSE_CELLS])
    graph.save(path, description="EfficientNet-Lite0 to its two last widened maps, grey 0..1 in")
    return path


def extract(films: list[Film], data: Path, work: Path) -> Maps:
    """The maps of all films; resumes where it was stopped."""
    work.mkdir(parents=True, exist_ok=True)
    counter = work / "extracted.txt"
    done = int(counter.read_text()) if counter.exists() else 0
    mode = "r+" if done else "w+"

    def stored(name: str, channels: int, cells: int) -> NDArray[np.float16]:
        shape = (len(films), COPIES, channels, cells, cells)
        found: NDArray[np.float16] = open_memmap(work / name, mode=mode, dtype=np.float16, shape=shape)
        if found.shape != shape:
            message = f"{work} holds {found.shape[0]} films, not {len(films)}: delete it to compute it anew"
            raise ValueError(message)
        return found

    maps = Maps(
        fine=stored("fine.npy", FINE_CHANNELS, CELLS),
        coarse=stored("coarse.npy", COARSE_CHANNELS, COARSE_CELLS),
    )
    run = session(trunk_graph(data, work / "trunk.onnx"))
    for row in range(done, len(films)):
        plain = letterbox(read_grey(films[row]), size_px=SIZE_PX)
        copies = np.stack([plain, plain[:, ::-1]])[:, None]
        maps.fine[row], maps.coarse[row] = run.run(["fine", "coarse"], {"image": copies})
        if (row + 1) % SAVED_EVERY == 0:
            counter.write_text(str(row + 1))
            print(f"{row + 1} of {len(films)} films", flush=True)
    counter.write_text(str(len(films)))
    return maps
