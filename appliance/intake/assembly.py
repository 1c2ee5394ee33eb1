# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Which instances make an acquisition, and when it is complete. Pure: no store, no clock, no files.

A radiograph, or a file with all its frames, is an acquisition as it comes. Slices are gathered by stack:
series, patient, acquisition number, size and orientation. A stack is RECEIVING until evidence settles it:

    as many images as the header announces, and no gap           -> COMPLETE, at once
    its association was released, and there is no gap            -> COMPLETE, at once
    its modality reported an end (MPPS), and what it names is here -> COMPLETE, at once
    nothing came for the quiet time, and there is a gap          -> INCOMPLETE, with where
                                     ... and it is even          -> QUIET: assumed, not known

A slice that comes later makes a new version, which is gathered and settled in the same way. Content that
contradicts itself is kept whole and says CONFLICT; whoever asks has made sure that two files of one
SOPInstanceUID do not say the same in different bytes. Whatever the order of arrival, the result is the same,
but for one thing: of two files with one SOPInstanceUID, the first to come lies in the stack.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Final

from appliance.domain.acquisition import (
    Acquisition,
    Completeness,
    Instance,
    Kind,
    SliceRef,
    Urgency,
)
from appliance.intake.stack import can_tell, find_gap, person_of, same_direction, spatial_order, stack_of

Siblings = tuple[Acquisition, ...]
"""Acquisitions that may concern each other: of one series, or holding one SOPInstanceUID."""

STACKED_MODALITIES: Final = frozenset({"CT", "MR", "PT"})
"""Their single-frame objects are slices of something; those of all others stand for themselves."""
SECONDARY_CAPTURE: Final = "1.2.840.10008.5.1.4.1.1.7"
"""Screen captures and dose tables in a CT series are no slices (also its multi-frame forms, .7.1 to .7.4)."""
URGENT_PRIORITIES: Final = frozenset({"STAT", "HIGH"})
"""RequestedProcedurePriority (PS3.3 C.4.11) that somebody waits for."""
FEWEST_OF_ASSOCIATION: Final = 2
"""The end of an association that carried one image says nothing: some senders open one for each. For what
comes late, after the stack had been settled, one is enough."""
LATE_QUIET_S: Final = 5.0
"""Quiet time after a late slice: short, because an answer that is no longer right is on the screen."""
FEWEST_ANNOUNCED: Final = 2
"""ImagesInAcquisition of 1 in a stack is a template value, not a count."""
MOST_COMPARED: Final = 4
"""Versions of one name that a new one is compared with. More than one is a conflict already, so this only
keeps a sender that never sends the same twice from holding up the others."""
CLASHES_IN_FULL: Final = 2
"""So many contradictions are told one by one; the others are counted."""
_AND: Final = "; "
_UID_TAIL: Final = 12
_ID_LENGTH: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An acquisition as it now stands, and whether its lanes are to be queued."""

    acquisition: Acquisition
    queue: bool


def stands_alone(instance: Instance) -> bool:
    """Whether this image is an acquisition by itself, rather than a slice of one."""
    assert instance.pixels is not None  # only images are assembled
    return (
        instance.pixels.number_of_frames > 1
        or instance.modality not in STACKED_MODALITIES
        or instance.sop_class_uid == SECONDARY_CAPTURE
    )


def urgency_of(instance: Instance, door: Urgency) -> Urgency:
    """How soon somebody needs it: what the door says, or STAT when the request says so."""
    return Urgency.STAT if instance.requested_priority in URGENT_PRIORITIES else door


def arrive(instance: Instance, *, urgency: Urgency, siblings: Siblings) -> tuple[Change, ...]:
    """An image has come. The first change is the acquisition it belongs to; others may have to say so too.

    `siblings`: every acquisition of its series, and every one that holds its SOPInstanceUID. Empty result:
    these very bytes are there already.
    """
    if any(held.sha256 == instance.sha256 for sibling in siblings for held in sibling.instances):
        return ()
    home = None if stands_alone(instance) else _home(instance, siblings)
    others = tuple(sibling for sibling in siblings if sibling is not home)
    if stands_alone(instance):
        change = Change(acquisition=_single(instance, urgency, others), queue=True)
    elif home is None:
        change = _gathered(_new_stack(instance, urgency), others)
    else:
        change = _joined(home, instance, urgency, others)
    told = tuple(
        Change(acquisition=_contradicted(other, (change.acquisition, *others)), queue=True)
        for other in others
        if other.completeness is not Completeness.RECEIVING
        and any(words not in other.evidence for words in _clashes_with(other, change.acquisition, instance))
    )
    return (change, *told)


def association_ended(acquisition: Acquisition, *, carried: int, siblings: Siblings) -> Change | None:
    """The association that brought images of this series was released. None: that settles nothing.

    `carried`: how many images of the series it brought, repeats included. An association that was aborted
    is no evidence: do not report it here.
    """
    fewest = FEWEST_OF_ASSOCIATION if acquisition.version == 1 else 1
    if acquisition.completeness is not Completeness.RECEIVING or carried < fewest:
        return None
    slices = _stack(acquisition)
    have, announced = _have(acquisition), _announced(acquisition)
    if not can_tell(acquisition.instances, slices) or find_gap(acquisition.instances, slices) is not None:
        return None
    if announced is not None and have < announced:
        return None
    words = f"{have} images without a gap when the sender released the association"
    settled = _settled(acquisition, siblings, Completeness.COMPLETE, words)
    return Change(acquisition=settled, queue=True)


def step_ended(acquisition: Acquisition, *, produced: frozenset[str], siblings: Siblings) -> Change | None:
    """The modality reported that it is done, and which images it made. None: some are not here yet.

    `produced`: SOPInstanceUIDs of the series, which may be spread over several stacks.
    """
    if acquisition.completeness is not Completeness.RECEIVING or produced - _held(acquisition, siblings):
        return None
    words = f"all {len(produced)} images of the series that the modality reported"
    settled = _settled(acquisition, siblings, Completeness.COMPLETE, words)
    return Change(acquisition=settled, queue=True)


def went_quiet(
    acquisition: Acquisition,
    *,
    quiet_s: float,
    siblings: Siblings,
    produced: frozenset[str] = frozenset(),
) -> Change | None:
    """Nothing came for `quiet_s`. None: it was settled before.

    `produced`: what the modality reported to have made of the series; empty where it reported nothing.
    """
    if acquisition.completeness is not Completeness.RECEIVING:
        return None
    have = _have(acquisition)
    words = f"{have} image{'s' if have > 1 else ''}, then nothing for {quiet_s:g} s"
    away = len(produced - _held(acquisition, siblings))
    if away:
        words = f"{away} of the {len(produced)} images of the series that the modality reported are missing"
    if_even = Completeness.INCOMPLETE if away else Completeness.QUIET
    return Change(acquisition=_settled(acquisition, siblings, if_even, words), queue=True)


def _held(acquisition: Acquisition, siblings: Siblings) -> frozenset[str]:
    """The images that are here, in this stack or beside it."""
    return frozenset(held.sop_instance_uid for one in (acquisition, *siblings) for held in one.instances)


def all_given(acquisition: Acquisition, *, siblings: Siblings) -> Acquisition:
    """Somebody named the files and says that these are all: settled by what they hold, without any wait."""
    if acquisition.completeness is not Completeness.RECEIVING:
        return acquisition
    words = f"{_have(acquisition)} images, all that were given"
    even = can_tell(acquisition.instances, _stack(acquisition))
    return _settled(acquisition, siblings, Completeness.COMPLETE if even else Completeness.QUIET, words)


def quiet_needed_s(acquisition: Acquisition, *, series_quiet_s: float) -> float:
    """How long nothing must have come before `went_quiet` may settle it."""
    return series_quiet_s if acquisition.version == 1 else min(LATE_QUIET_S, series_quiet_s)


def _single(instance: Instance, urgency: Urgency, others: Siblings) -> Acquisition:
    assert instance.pixels is not None  # only images are assembled
    frames = instance.pixels.number_of_frames
    acquisition = Acquisition(
        acquisition_id=_digest(
            instance.study_instance_uid,
            instance.series_instance_uid,
            instance.sop_instance_uid,
            instance.sha256,
        ),
        version=1,
        kind=Kind.VOLUME if frames > 1 else Kind.PROJECTION,
        completeness=Completeness.RECEIVING,
        evidence="",
        urgency=urgency,
        instances=(instance,),
        slices=(),
    )
    words = "a single image" if frames == 1 else f"one file with all its {frames} frames"
    return _settled(acquisition, others, Completeness.COMPLETE, words)


def _home(instance: Instance, siblings: Siblings) -> Acquisition | None:
    """The stack that this slice belongs to, among those that are there."""
    stack = stack_of(instance)
    for sibling in siblings:
        first = sibling.instances[0]
        if not stands_alone(first) and stack_of(first) == stack and same_direction(first, instance):
            return sibling
    return None


def _new_stack(instance: Instance, urgency: Urgency) -> Acquisition:
    axis = instance.geometry.image_orientation_patient
    direction = "" if axis is None else " ".join(f"{round(part, 2) + 0.0:.2f}" for part in axis)
    return Acquisition(
        acquisition_id=_digest(*(str(part) for part in stack_of(instance)), direction),
        version=1,
        kind=Kind.VOLUME,
        completeness=Completeness.RECEIVING,
        evidence="1 image so far",
        urgency=urgency,
        instances=(instance,),
        slices=(),
    )


def _joined(home: Acquisition, instance: Instance, urgency: Urgency, others: Siblings) -> Change:
    """The stack with one more file, which is a new version if it had been settled."""
    late = home.completeness is not Completeness.RECEIVING
    grown = replace(home, urgency=min(home.urgency, urgency), instances=(*home.instances, instance))
    if late and any(held.sop_instance_uid == instance.sop_instance_uid for held in home.instances):
        return Change(acquisition=_contradicted(grown, others), queue=True)  # no slice is new: do not wait
    return _gathered(
        replace(
            grown,
            version=home.version + 1 if late else home.version,
            completeness=Completeness.RECEIVING,
            evidence=f"{len(grown.instances)} images so far",
            slices=(),
        ),
        others,
    )


def _gathered(acquisition: Acquisition, others: Siblings) -> Change:
    """Settle it if as many are here as the header announces; else it goes on receiving."""
    counts = acquisition.instances[0].counts
    if counts.images_in_acquisition is None and counts.number_of_slices is None:
        return Change(acquisition=acquisition, queue=False)  # the usual case, and quick
    expected = _announced(acquisition)
    if expected is None or _have(acquisition) != expected:
        return Change(acquisition=acquisition, queue=False)
    if find_gap(acquisition.instances, _stack(acquisition)) is not None:
        return Change(acquisition=acquisition, queue=False)
    words = f"all {expected} images that the header announces"
    return Change(acquisition=_settled(acquisition, others, Completeness.COMPLETE, words), queue=True)


def _settled(acquisition: Acquisition, others: Siblings, if_even: Completeness, words: str) -> Acquisition:
    """The acquisition with the verdict that its content allows; `if_even` when nothing speaks against it."""
    slices = _stack(acquisition)
    completeness, evidence = if_even, words
    if not stands_alone(acquisition.instances[0]):
        gap = find_gap(acquisition.instances, slices)
        have, announced = _have(acquisition), _announced(acquisition)
        if gap is not None:
            completeness, evidence = Completeness.INCOMPLETE, gap.words
        elif announced is not None and have < announced:
            completeness = Completeness.INCOMPLETE
            evidence = f"{have} of the {announced} images that the header announces"
        elif announced == have:
            completeness, evidence = Completeness.COMPLETE, f"all {have} images that the header announces"
    clashes = _clashes(acquisition, others)
    if clashes:
        completeness, evidence = Completeness.CONFLICT, _evidence(clashes, evidence)
    return replace(acquisition, completeness=completeness, evidence=evidence, slices=slices)


def _contradicted(acquisition: Acquisition, others: Siblings) -> Acquisition:
    """A settled acquisition that turns out to contradict something: a new version that says so.

    Its slices stay: of two files with one SOPInstanceUID, the first lies in the stack.
    """
    return replace(
        acquisition,
        version=acquisition.version + 1,
        completeness=Completeness.CONFLICT,
        evidence=_evidence(_clashes(acquisition, others), acquisition.evidence.split(_AND)[-1]),
    )


def _evidence(clashes: tuple[str, ...], words: str) -> str:
    """The contradictions, the first few in full, and last what was said without them."""
    more = len(clashes) - CLASHES_IN_FULL
    return _AND.join((*clashes[:CLASHES_IN_FULL], *([f"and {more} more"] if more > 0 else []), words))


def _clashes(acquisition: Acquisition, others: Siblings) -> tuple[str, ...]:
    """What in or around the acquisition contradicts itself, in words; empty when nothing does."""
    strangers = any(_another_person(acquisition, other) for other in others)
    held: dict[str, str] = {}
    doubles: dict[str, None] = {}
    for instance in acquisition.instances:
        if held.setdefault(instance.sop_instance_uid, instance.sha256) != instance.sha256:
            doubles[_double_words(instance)] = None
    for other in others:
        for instance in other.instances:
            if held.get(instance.sop_instance_uid, instance.sha256) != instance.sha256:
                doubles[_double_words(instance)] = None
    return ((_PERSON_WORDS,) if strangers else ()) + tuple(doubles)


def _clashes_with(acquisition: Acquisition, newer: Acquisition, instance: Instance) -> tuple[str, ...]:
    """The same for one image that has just joined another acquisition."""
    person = (_PERSON_WORDS,) if _another_person(acquisition, newer) else ()
    double = any(held.sop_instance_uid == instance.sop_instance_uid for held in acquisition.instances)
    return (*person, _double_words(instance)) if double else person


_PERSON_WORDS: Final = "the series also holds images of another patient"


def _double_words(instance: Instance) -> str:
    return f"image ...{instance.sop_instance_uid[-_UID_TAIL:]} came with different contents"


def _another_person(one: Acquisition, other: Acquisition) -> bool:
    a, b = one.instances[0], other.instances[0]
    return a.series_instance_uid == b.series_instance_uid and person_of(a) != person_of(b)


def _stack(acquisition: Acquisition) -> tuple[SliceRef, ...]:
    """The slices in order; of several files with one SOPInstanceUID, the first that came."""
    members: dict[str, int] = {}
    for index, instance in enumerate(acquisition.instances):
        members.setdefault(instance.sop_instance_uid, index)
    return spatial_order(acquisition.instances, tuple(members.values()))


def _have(acquisition: Acquisition) -> int:
    return len({instance.sop_instance_uid for instance in acquisition.instances})


def _announced(acquisition: Acquisition) -> int | None:
    """How many images the headers say there are; None when they do not, do not agree, or announce fewer.

    ImagesInAcquisition x NumberOfTemporalPositions, else NumberOfSlices x NumberOfTimeSlices (PET).
    """
    announced: set[int | None] = set()
    for instance in acquisition.instances:
        counts = instance.counts
        if counts.images_in_acquisition:
            announced.add(counts.images_in_acquisition * (counts.number_of_temporal_positions or 1))
        elif counts.number_of_slices:
            announced.add(counts.number_of_slices * (counts.number_of_time_slices or 1))
        else:
            announced.add(None)
    if len(announced) != 1:
        return None
    count = announced.pop()
    if count is None or count < max(FEWEST_ANNOUNCED, _have(acquisition)):
        return None
    return count


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:_ID_LENGTH]
