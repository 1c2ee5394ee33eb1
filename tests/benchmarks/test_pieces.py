# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The comparisons on small pictures: both sides do the same, and what is divided by what is right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset

from appliance.clock import SystemClock
from appliance.tasks.letterbox import letterbox
from benchmarks.engine_matrix.spent import Spent
from benchmarks.pieces.contrast import measure_contrast
from benchmarks.pieces.decoding import measure_decoding
from benchmarks.pieces.preprocessing import image_of, in_float64
from benchmarks.pieces.series_reading import measure_series_reading
from benchmarks.pieces.turns import by_turns, piece_of
from benchmarks.pieces.watching import measure_watching
from benchmarks.plan import QUICK, Workshop

SMALL = replace(QUICK, rows=300, columns=250, slices=4, piece_rounds=2, watched_folders=30, watched_files=40)


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(plan=SMALL, folder=tmp_path, kept=tmp_path, clock=SystemClock(), say=lambda _: None)


def spent(*wall_s: float) -> list[Spent]:
    return [Spent(wall_s=value, cpu_s=value / 2) for value in wall_s]


def test_a_ratio_is_taken_round_by_round_and_judged() -> None:
    ours, theirs = spent(1.0, 2.0, 10.0), spent(2.0, 4.0, 20.0)
    piece = piece_of("a", "", ours, theirs, goal=0.6)
    assert (piece.ratio, piece.kept) == (0.5, True)
    piece = piece_of("a", "", ours, theirs, goal=2.5, at_least=True)
    assert (piece.ratio, piece.kept) == (2.0, False)
    assert piece.ours_ms.p50 == 2000


def test_sides_take_turns() -> None:
    order: list[str] = []
    by_turns({name: lambda name=name: order.append(name) for name in "ab"}, rounds=2, clock=SystemClock())
    turns = [name for number, name in enumerate(order) if number == 0 or order[number - 1] != name]
    assert turns == ["a", "b"] * 3, "one trial, then two rounds"


@pytest.mark.parametrize("rows", [300, 307])
def test_the_float64_reference_is_what_letterboxing_is_held_to(rows: int) -> None:
    stored = np.random.default_rng(1).integers(0, 4096, (rows, 250)).astype(np.uint16)
    dataset = FileDataset("", {}, file_meta=FileMetaDataset())
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    dataset.Rows, dataset.Columns = stored.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.PixelRepresentation = 16, 12, 0
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME1"
    dataset.PixelData = stored.tobytes()
    image = image_of(dataset)
    square = letterbox(image, size_px=64, low_percentile=1.0, high_percentile=99.0)
    assert np.abs(square.tensor[0, 0] - in_float64(image, 64)).max() < 1e-4


def test_every_syntax_has_a_decoder_to_be_compared_with(workshop: Workshop) -> None:
    found = {piece.name: piece for piece in measure_decoding(workshop)}
    assert found.keys() == {
        f"decode_dx_{name}" for name in ("raw", "jpeg_lossless", "jpeg_ls", "htj2k", "j2k")
    }
    assert "gdcm" in found["decode_dx_jpeg_ls"].note
    assert "not the same bits" in found["decode_dx_j2k"].note, "one that does not know the syntax is left out"


def test_a_series_is_read_by_all_sides(workshop: Workshop) -> None:
    plain, jailed = measure_series_reading(workshop)
    assert plain.ours_ms.n == SMALL.piece_rounds
    assert jailed.by_clock
    assert not plain.by_clock


def test_contrast_is_compared_with_a_copy_alone_and_beside_a_network(workshop: Workshop) -> None:
    pytest.importorskip("PyQt6")
    alone, busy = measure_contrast(workshop)
    assert alone.ours_ms.n == alone.against_ms.n == 150
    assert alone.ratio > 0
    assert busy.by_clock


def test_a_small_tree_is_watched(workshop: Workshop) -> None:
    report = measure_watching(workshop)
    assert report.files == 40
    assert report.missed == 0
    assert report.events_missed == 0 or not report.by_events
    assert (report.isolated_ms is not None) is report.by_events
