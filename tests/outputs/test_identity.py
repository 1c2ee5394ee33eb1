# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""UIDs that follow from content."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from appliance.outputs.identity import IMPLEMENTATION_VERSION_NAME, uid_of


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\0")), min_size=1, max_size=4))
def test_a_uid_is_valid_and_the_same_for_the_same_parts(parts: list[str]) -> None:
    uid = uid_of(*parts)
    assert uid.is_valid
    assert len(uid) <= 64
    assert uid == uid_of(*parts)
    assert uid != uid_of(*parts, "")


def test_uids_are_ours_for_ever() -> None:
    """Changing how UIDs are made would send every object to the archives a second time."""
    assert uid_of("derived image", "a", "b") == "2.25.246307490563244107922349359258669283690"
    assert uid_of("ab", "c") != uid_of("a", "bc")
    assert len(IMPLEMENTATION_VERSION_NAME) <= 16
