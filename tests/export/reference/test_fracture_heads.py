# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The fracture reader's heads: boxes on the grid, folds that stay apart, sums that are least squares."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from export.reference.films import Box
from export.reference.fracture_features import CELLS, CHANNELS, COARSE_CELLS, COPIES, FINE_CHANNELS, Maps
from export.reference.fracture_heads import (
    FILM_PENALTIES,
    PlaceSums,
    Scored,
    boxed_places,
    join,
    smoothed,
    solve_film,
    unseen,
)

BOX = Box(name="fracture", row=0.25, column=0.5, rows=0.25, columns=0.25)
FOLDS = 3


def few_maps(films: int, seed: int = 0) -> Maps:
    """Noise; one fine channel is lit inside the box of every odd film, and mirrored with the film."""
    random = np.random.default_rng(seed)
    fine = random.random((films, COPIES, FINE_CHANNELS, CELLS, CELLS), np.float32).astype(np.float16)
    coarse = random.random(
        (films, COPIES, CHANNELS - FINE_CHANNELS, COARSE_CELLS, COARSE_CELLS), np.float32
    ).astype(np.float16)
    inside, _ = boxed_places([BOX], (512, 512))
    fine[1::2, 0, 5] += 3 * inside.astype(np.float16)
    fine[1::2, 1, 5] += 3 * inside[:, ::-1].astype(np.float16)
    return Maps(fine=fine, coarse=coarse)


def test_a_box_lies_where_it_was_drawn_after_the_letterbox() -> None:
    inside, near = boxed_places([BOX], (512, 512))
    assert inside[6:12, 12:18].all()
    assert inside.sum() == 36
    assert near[5:13, 11:19].all()
    assert near.sum() == 64
    wide, _ = boxed_places([BOX], (256, 512))
    assert wide[9:12, 12:18].all()
    assert wide.sum() == 18


def test_a_box_smaller_than_a_place_still_has_one() -> None:
    tiny = Box(name="fracture", row=0.501, column=0.999, rows=0.002, columns=0.001)
    inside, _ = boxed_places([tiny], (512, 512))
    assert inside.sum() == 1
    assert inside[12, 23]


def test_nothing_lies_beyond_the_border() -> None:
    flat = smoothed(np.ones((2, CELLS, CELLS), np.float32))
    assert np.allclose(flat[:, 1:-1, 1:-1], 1.0)
    assert np.allclose(flat[:, 0, 0], 4 / 9)


def test_places_find_what_is_lit_in_films_that_they_have_not_seen() -> None:
    films = 9
    maps, truth, fold = few_maps(films), np.arange(films) % 2 == 1, np.arange(films) % FOLDS
    grids = [boxed_places([BOX] if one else [], (512, 512)) for one in truth]
    sums = PlaceSums(maps, grids, truth, fold, seed=1)
    head = sums.solve((1,), 0.3)
    inside, _ = boxed_places([BOX], (512, 512))
    for film in np.flatnonzero((fold == 1) & truth):
        heat = (maps.of(int(film), 0) @ head.weight + head.bias).reshape(CELLS, CELLS)
        assert heat[inside].mean() > heat[~inside].mean() + 0.1
        assert inside.ravel()[smoothed(heat.astype(np.float32)[None])[0].argmax()]


def test_a_fold_that_is_left_out_changes_nothing() -> None:
    films = 3
    maps, truth, fold = few_maps(films), np.arange(films) % 2 == 1, np.array([0, 1, 2])
    grids = [boxed_places([BOX] if one else [], (512, 512)) for one in truth]
    before = PlaceSums(maps, grids, truth, fold, seed=1)
    maps.fine[2:] *= np.float16(3.0)
    after = PlaceSums(maps, grids, truth, fold, seed=1)
    after.scale = before.scale
    assert not np.allclose(before.products[2], after.products[2])
    assert np.allclose(before.solve((2,), 0.3).weight, after.solve((2,), 0.3).weight)


def test_the_film_head_is_ridge_regression() -> None:
    random = np.random.default_rng(2)
    means = random.normal(size=(12, COPIES, 5)).astype(np.float32)
    truth = random.random(12) < 0.5
    (head,) = solve_film(means, truth, (7.0,))
    rows, wanted = means.reshape(-1, 5).astype(np.float64), np.repeat(truth, COPIES).astype(np.float64)
    deviation = rows.std(axis=0) + 1e-3
    scaled = (rows - rows.mean(axis=0)) / deviation
    direct = np.linalg.solve(scaled.T @ scaled + 7.0 * np.eye(5), scaled.T @ (wanted - wanted.mean()))
    assert np.allclose(head.weight, direct / deviation)


def scores_that_say_who_made_them(fold: np.ndarray) -> dict[tuple[tuple[int, ...], int], np.ndarray]:
    """The score of a head is the set of folds that it left out, as a number."""
    lefts = [(number,) for number in range(FOLDS)] + list(combinations(range(FOLDS), 2))
    return {(left, 0): np.full(len(fold), sum(2.0**number for number in left)) for left in lefts}


def test_no_number_that_joins_comes_from_a_head_that_saw_the_film() -> None:
    fold = np.array([0, 1, 2, 0, 1, 2])
    values = scores_that_say_who_made_them(fold)
    assert unseen(values, fold, outer=None)[0].tolist() == [1, 2, 4, 1, 2, 4]
    outer = unseen(values, fold, outer=1)[0]
    assert np.isnan(outer[[1, 4]]).all()
    assert outer[[0, 2, 3, 5]].tolist() == [3, 6, 3, 6]


def test_the_penalty_that_orders_the_films_is_chosen() -> None:
    random = np.random.default_rng(3)
    fold, truth = np.arange(60) % FOLDS, np.arange(60) % 2 == 1
    lefts = [(number,) for number in range(FOLDS)] + list(combinations(range(FOLDS), 2))
    good, bad = truth + 0.1 * random.normal(size=60), random.normal(size=60)
    heat = {(left, 0): np.zeros((60, CELLS, CELLS), np.float32) for left in lefts}
    hottest = {(left, index): (bad, good)[index] for left in lefts for index in range(2)}
    film = {(left, index): bad for left in lefts for index in range(len(FILM_PENALTIES))}
    joint = join(Scored(heat=heat, film=film, hottest=hottest), truth, fold, outer=0)
    assert joint.place_penalty == 1
    assert joint.of_hottest > 1.0
    logits = joint.logits(good, bad)
    assert (logits[truth] > 0).all()
    assert (logits[~truth] < 0).all()
