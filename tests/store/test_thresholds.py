# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.domain.card import ModelCard
from appliance.errors import ConfigError
from appliance.store.connection import Database
from appliance.store.thresholds import Signatory, Thresholds

LEAD = Signatory(decided_by="A. Lead", role="lead", why="Nine false alarms a night.")


def test_a_moved_point_holds_for_its_label_only(database: Database, chest_card: ModelCard) -> None:
    known, (first, second) = Thresholds(database), chest_card.labels
    change = known.move(chest_card, first, 0.5, by=LEAD, record={"a": [1]})
    assert (change.old_threshold, change.new_threshold) == (0.3, 0.5)
    moved = known.in_force(chest_card)
    assert set(moved) == {(first.code.value, first.code.scheme)}
    local = moved[first.code.value, first.code.scheme]
    assert (local.in_force, local.signed, local.decided_at_utc) == (0.5, 0.3, change.decided_at_utc)
    assert known.newest(chest_card.task, second.code) is None
    assert known.every() == (change,)


@pytest.mark.parametrize("to", [0.299, 0.701, 0.0, 1.0, float("nan")])
def test_outside_the_signed_range_is_refused_in_words(
    to: float, database: Database, chest_card: ModelCard
) -> None:
    known = Thresholds(database)
    with pytest.raises(ConfigError, match=r"outside the signed range of Pleural effusion: 0\.3 to 0\.7"):
        known.move(chest_card, chest_card.labels[0], to, by=LEAD, record={})
    assert known.every() == ()


@pytest.mark.parametrize("to", [0.3, 0.7])
def test_both_ends_of_the_range_are_within_it(to: float, database: Database, chest_card: ModelCard) -> None:
    Thresholds(database).move(chest_card, chest_card.labels[0], to, by=LEAD, record={})


def test_back_at_the_signed_one_nothing_is_local(database: Database, chest_card: ModelCard) -> None:
    known = Thresholds(database)
    known.move(chest_card, chest_card.labels[0], 0.5, by=LEAD, record={})
    back = known.move(chest_card, chest_card.labels[0], 0.3, by=LEAD, record={})
    assert back.old_threshold == 0.5
    assert known.in_force(chest_card) == {}


def test_a_new_release_has_the_signed_threshold_and_the_ledger_says_why(
    database: Database, chest_card: ModelCard
) -> None:
    known, label = Thresholds(database), chest_card.labels[0]
    known.move(chest_card, label, 0.5, by=LEAD, record={})
    newer = replace(chest_card, version="2.0", release=2)
    assert known.in_force(newer) == {}
    (taken,) = known.give_back(newer)
    assert (taken.role, taken.old_threshold, taken.new_threshold) == ("appliance", 0.5, 0.3)
    assert "release 1; now chest 2.0, release 2, serves" in taken.why
    assert known.give_back(newer) == ()
    assert known.in_force(chest_card) == {}, "going back to the old release does not bring it back"


def test_other_thresholds_under_the_same_release_count_as_another_one(
    database: Database, chest_card: ModelCard
) -> None:
    known, label = Thresholds(database), chest_card.labels[0]
    known.move(chest_card, label, 0.5, by=LEAD, record={})
    other = replace(chest_card, labels=(replace(label, sensitive_threshold=0.45), *chest_card.labels[1:]))
    assert known.in_force(other) == {}
    assert known.give_back(other)[0].new_threshold == 0.45


def test_the_same_release_keeps_it(database: Database, chest_card: ModelCard) -> None:
    known = Thresholds(database)
    known.move(chest_card, chest_card.labels[0], 0.5, by=LEAD, record={})
    assert known.give_back(chest_card) == ()
    assert len(known.in_force(chest_card)) == 1
