# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Which directions a body part is looked at from, and which names of a view mean the same direction."""

from __future__ import annotations

from typing import Final

VIEWS_OF_PART: Final = {
    "WRIST": ("PA", "LAT"),
    "HAND": ("PA", "OBL"),
    "FINGER": ("PA", "LAT"),
    "THUMB": ("AP", "LAT"),
    "FOREARM": ("AP", "LAT"),
    "ELBOW": ("AP", "LAT"),
    "HUMERUS": ("AP", "LAT"),
    "KNEE": ("AP", "LAT"),
    "LOWLEG": ("AP", "LAT"),
    "ANKLE": ("AP", "LAT"),
    "FOOT": ("AP", "OBL"),
}
"""Two projections for an injured limb: "one view is one view too few" (Chan, ABC of Emergency Radiology,
chapters by joint). By BodyPartExamined of PS3.16 annex L; other parts are not counted. Only for images
without an order: what was ordered comes first."""
_DIRECTIONS: Final = {
    "frontal": frozenset({"AP", "PA", "POSTERO-ANTERIOR", "ANTERO-POSTERIOR"}),
    "side": frozenset(
        {"LAT", "LL", "RL", "ML", "LM", "LATERAL", "LLD", "RLD", "LEFT LATERAL", "RIGHT LATERAL"}
    ),
    "slanted": frozenset({"OBL", "LLO", "RLO", "OBLIQUE", "RAO", "LAO", "RPO", "LPO", "LO", "MORTISE"}),
}
_SAME_PART: Final = (
    frozenset({"CHEST", "THORAX", "LUNG", "LUNGS"}),
    frozenset({"HAND", "FINGER", "FINGERS", "THUMB"}),
    frozenset({"FOOT", "TOE", "TOES", "CALCANEUS", "HEEL"}),
    frozenset({"LOWLEG", "LOWER LEG", "LEG", "TIBIA", "FIBULA", "TIBFIB", "TIB FIB"}),
    frozenset({"FOREARM", "ULNA", "RADIUS"}),
    frozenset({"HUMERUS", "UPARM", "UPPER ARM", "ARM"}),
    frozenset({"FEMUR", "THIGH"}),
    frozenset({"KNEE", "PATELLA"}),
    frozenset({"SHOULDER", "CLAVICLE", "SCAPULA", "AC JOINT", "ACJOINT"}),
    frozenset({"WRIST"}),
    frozenset({"ELBOW"}),
    frozenset({"ANKLE"}),
    frozenset({"HIP", "PELVIS"}),
    frozenset({"ABDOMEN"}),
    frozenset({"CSPINE", "C SPINE", "CERVICAL SPINE"}),
    frozenset({"TSPINE", "T SPINE", "THORACIC SPINE"}),
    frozenset({"LSPINE", "L SPINE", "LUMBAR SPINE", "LSSPINE", "LUMBOSACRAL SPINE"}),
    frozenset({"SKULL", "HEAD"}),
)
"""Names that consoles use for one another: a finger is often taken with the hand's programme. Which side of
these borders a picture lies on cannot be told from its header, so nobody is alarmed."""


def direction_of(view: str | None) -> str:
    """`frontal`, `side` or `slanted` for the names that mean one; any other name stands for itself."""
    word = (view or "").upper().strip()
    return next((name for name, words in _DIRECTIONS.items() if word in words), word)


def missing_views(expected: tuple[str, ...], have: tuple[str | None, ...]) -> tuple[str, ...]:
    """The expected views that none of those at hand looks like: two frontal views are one direction.

    A direction that is expected twice (two obliques) has to come twice.
    """
    left = [direction_of(view) for view in have]
    missing = []
    for view in expected:
        if direction_of(view) in left:
            if expected.count(view) > 1:
                left.remove(direction_of(view))
        else:
            missing.append(view)
    return tuple(missing)


def same_part(one: str | None, other: str | None) -> bool | None:
    """Whether two names of body parts mean the same region; None where one of them is not known here."""
    a, b = _region(one), _region(other)
    return None if a is None or b is None else a == b


def _region(part: str | None) -> int | None:
    named = " ".join((part or "").replace("_", " ").upper().split())
    return next((index for index, names in enumerate(_SAME_PART) if named in names), None)
