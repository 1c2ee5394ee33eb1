# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The published effect, in shape: the mean falls, the one who was missed pays, and a ceiling mends it."""

from __future__ import annotations

import pytest

from appliance.simulation.comparison import BY_SCORE, FIRST_COME, MISSED, Comparison, compare, fair
from appliance.simulation.department import draw
from appliance.simulation.published import CEILING_MIN, CHEST_LIST, CRITICAL, PUBLISHED


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare(
        lambda random: draw(CHEST_LIST, 100_000, random),
        source=CHEST_LIST.name,
        readers=CHEST_LIST.readers,
        orders=(FIRST_COME, BY_SCORE, fair(CEILING_MIN)),
        runs=6,
        seed=7,
    )


def test_pneumothorax_waits_as_published_in_shape(comparison: Comparison) -> None:
    first_come, by_score, with_ceiling = (order.group(CRITICAL) for order in comparison.orders)
    published = PUBLISHED["first come"]
    assert first_come.mean_min.value == pytest.approx(published.mean_min, rel=0.15), "fitted"
    assert first_come.worst_min.value == pytest.approx(published.worst_min, rel=0.25), "fitted"
    gained = first_come.mean_min.value - by_score.mean_min.value
    assert 0.35 < by_score.mean_min.value / first_come.mean_min.value < 0.55, "by about half"
    assert by_score.worst_min.value > 1.3 * first_come.worst_min.value, "the worst rises"
    assert with_ceiling.worst_min.value < 1.3 * first_come.worst_min.value, "the ceiling brings it back"
    assert with_ceiling.worst_min.value < 0.75 * by_score.worst_min.value
    assert first_come.mean_min.value - with_ceiling.mean_min.value > 0.9 * gained, "the gain stays"


def test_whom_the_ai_missed_pays_for_the_score(comparison: Comparison) -> None:
    first_come, by_score, with_ceiling = (order.group(MISSED) for order in comparison.orders)
    assert by_score.mean_min.value > 1.5 * first_come.mean_min.value
    assert by_score.worst_min.value > 1.5 * first_come.worst_min.value
    assert with_ceiling.worst_min.value < by_score.worst_min.value * 0.75


def test_everybody_waits_alike_on_average(comparison: Comparison) -> None:
    """No order makes people read faster: who gains takes it from somebody."""
    means = [order.group("everybody").mean_min.value for order in comparison.orders]
    assert means == pytest.approx([means[0]] * 3, rel=0.03)
