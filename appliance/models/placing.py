# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Which bundle has the place of a task: the one that was activated here, else the one of the folders.

A release that was activated and cannot serve has a way back: to the one before it, or to the folders'. It is
taken at once, said wherever the answer is said, and written down by the one process that may (the worker).
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.errors import ModelBundleError, StoreError
from appliance.models.bundle import Bundle
from appliance.models.folders import InFolders
from appliance.models.releases import DowngradeError, Releases
from appliance.models.slots import FileMark, SlotFolder, Slots


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """The bundle that answers for a task."""

    bundle: Bundle
    key: str | None
    """Its release folder; None: it comes from a folder of bundles."""
    stepped_back: str | None = None
    """Why this is not what was activated; None when it is."""


class Placing:
    """What the slots say, as it was at the last look."""

    def __init__(
        self,
        in_folders: InFolders,
        slots: SlotFolder | None,
        *,
        releases: Releases | None,
        mends: bool,
        problems: list[ModelBundleError],
    ) -> None:
        self._in_folders = in_folders
        self._slots = slots
        self._releases = releases
        self._mends = mends
        self._problems = problems
        self._marks: dict[str, FileMark | None] = slots.marks() if slots else {}
        self._placed = {task: self._place(task) for task in {*in_folders.found, *self._marks}}
        self._problems += [error for error in in_folders.downgrades if not self._has(error)]

    def _has(self, too_old: DowngradeError) -> bool:
        """Is that model there in a release that may serve? Then nobody misses an older one."""
        placed = self._placed.get(too_old.task)
        return placed is not None and placed.bundle.card.name == too_old.name

    def tasks(self) -> tuple[str, ...]:
        """Tasks for which there is a bundle."""
        return tuple(sorted(task for task, placed in self._placed.items() if placed is not None))

    def of(self, task: str) -> Placed | None:
        """What answers for the task."""
        return self._placed.get(task)

    def changed(self) -> dict[str, bool]:
        """Tasks for which somebody has chosen since the last look; True: another bundle has the place now."""
        if self._slots is None:
            return {}
        marks = self._slots.marks()
        touched = [task for task, mark in marks.items() if self._marks.get(task) != mark]
        self._marks = marks
        moved = {}
        for task in touched:
            before = self._placed.get(task)
            after = self._placed[task] = self._place(task)
            moved[task] = (before and before.bundle.sums_sha256) != (after and after.bundle.sums_sha256)
        return moved

    def step_back(self, task: str, reason: str) -> bool:
        """What has the place cannot serve. False: there is nothing behind it."""
        placed = self._placed.get(task)
        if placed is None or placed.key is None:
            return False
        self._placed[task] = self._behind(
            task,
            placed.key,
            f"{placed.bundle.card.identity} cannot serve: {reason}",
            placed.bundle.card.release,
        )
        return self._placed[task] is not None

    def shadow(self, task: str) -> tuple[str, Bundle] | None:
        """Key and bundle that run in the shadow of the task; None when none does, or it cannot be read."""
        key = self._slots_of(task).shadow
        if key is None:
            return None
        try:
            return key, self._release(task, key)
        except ModelBundleError as error:
            self.drop_shadow(task, error.what)
            return None

    def drop_shadow(self, task: str, reason: str) -> None:
        """What runs in the shadow has failed: it is taken out, and what answers is not touched."""
        self._problems.append(
            ModelBundleError(f"The shadow of {task} was taken out: {reason}", remedy=_CHOOSE)
        )
        if self._slots is not None and self._mends:
            try:
                self._slots.set_shadow(task, None, note=f"the shadow was taken out: {reason}")
            except StoreError as error:
                self._problems.append(ModelBundleError(error.what, remedy=error.remedy))

    def _place(self, task: str) -> Placed | None:
        slots = self._slots_of(task)
        folder = self._in_folders.found.get(task)
        if slots.active is None:
            return self._from_folder(task)
        try:
            bundle = self._release(task, slots.active)
            if self._releases is not None:
                self._releases.check(bundle.card)
        except ModelBundleError as error:
            return self._behind(task, slots.active, error.what, None)
        floor = max(bundle.card.release, slots.left_release or 0)
        if folder is not None and folder.card.name == bundle.card.name and folder.card.release > floor:
            self._problems.append(
                ModelBundleError(
                    f"Release {bundle.card.release} of {bundle.card.name} is active, and release "
                    f"{folder.card.release} lies in a folder of bundles. The newer one serves.",
                    remedy=f"Make it the choice: `scanside models activate {task}@shipped`.",
                )
            )
            return self._from_folder(task)
        return Placed(bundle=bundle, key=slots.active)

    def _behind(self, task: str, key: str, reason: str, release: int | None) -> Placed | None:
        """What stands behind a release that failed. The step is written down, if that is ours to do."""
        slots = self._slots_of(task)
        self._problems.append(ModelBundleError(reason, remedy=_CHOOSE))
        previous = slots.previous if slots.active == key and slots.may_roll_back else None
        if self._slots is not None and self._mends and slots.may_roll_back:
            try:
                self._slots.roll_back(task, left_release=release, note=reason, only_from=key)
            except (StoreError, ModelBundleError) as error:
                self._problems.append(ModelBundleError(error.what, remedy=error.remedy))
        if previous is not None:
            try:
                bundle = self._release(task, previous)
                self._allow(bundle)
                return Placed(bundle=bundle, key=previous, stepped_back=reason)
            except (StoreError, ModelBundleError) as error:
                self._problems.append(ModelBundleError(error.what, remedy=error.remedy))
        older = self._in_folders.too_old.get(task) or self._in_folders.found.get(task)
        if older is not None and slots.active == key and slots.may_roll_back:
            self._allow(older)
        return self._from_folder(task, stepped_back=reason)

    def _allow(self, bundle: Bundle) -> None:
        """Going back to it is not the downgrade that the record of releases is there to stop."""
        if self._releases is not None:
            self._releases.roll_back(bundle.card)

    def _from_folder(self, task: str, *, stepped_back: str | None = None) -> Placed | None:
        """What the folders hold; a lower release than has served here only after a step back to it."""
        bundle = self._in_folders.found.get(task)
        older = self._in_folders.too_old.get(task)
        if older is not None and self._releases is not None:
            try:
                self._releases.check(older.card)
                bundle = older
            except ModelBundleError:
                pass  # nobody went back to it
        return None if bundle is None else Placed(bundle=bundle, key=None, stepped_back=stepped_back)

    def _slots_of(self, task: str) -> Slots:
        if self._slots is None:
            return Slots()
        try:
            return self._slots.read(task)
        except ModelBundleError as error:
            self._problems.append(error)
            return Slots()

    def _release(self, task: str, key: str) -> Bundle:
        assert self._slots is not None  # a key comes from its file
        return self._slots.bundle(task, key)


_CHOOSE = "`scanside models list` shows what is installed; choose with `scanside models activate`."
