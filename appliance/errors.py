# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Every error the appliance raises on purpose. The class says whose fault it is and what happens next.

ScansideError
 +-- ConfigError            the settings'      the process ends with exit code 78, nothing is guessed
 +-- InputError             the file's         quarantined with the reason on screen, never retried
 +-- EngineError            the engine's       back to the queue, the next engine in line takes over
 |    +-- ModelBundleError  the bundle's       refused before anything deserialises it
 |    +-- EnginePlanError   the built plan's   thrown away and built anew from the verified model, once
 |    +-- EngineMemoryError the device's       what can be spared is freed, one more try, then the next engine
 |    +-- EngineLostError   the device's       of no use to this process any more: it ends, exit code 69
 +-- StoreError             the store's        the process stops rather than acknowledge what it cannot keep
 +-- DeliveryError          the receiver's     kept and tried again, for ever, with backoff
 +-- WorklistError          the worklist's     the last good list is kept, and it is asked again
 +-- UpdateError            the update's       refused before anything is unpacked; what runs goes on
"""

from __future__ import annotations

from typing import Final


class ExitCode:
    """Exit codes of the `scanside` command; the numbers above 63 are those of BSD's sysexits.h."""

    OK: Final = 0
    FOUND_FAULTS: Final = 1
    """The command ran and its answer is "not all is well" (doctor, models verify)."""
    USAGE: Final = 2
    SOFTWARE: Final = 70
    ENGINE_LOST: Final = 69
    """A process whose GPU is of no use to it any more: it is started again with a fresh one."""
    STORE: Final = 74
    ALREADY_RUNNING: Final = 75
    CONFIG: Final = 78


class ScansideError(Exception):
    """What went wrong, in words for the person who reads it, and what to do about it.

    `what` names the thing, the value and the limit; `remedy` is one action.
    """

    def __init__(self, what: str, *, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}"


class ConfigError(ScansideError):
    """A setting is missing, unknown or out of range. Nothing starts until a person mends it."""


class InputError(ScansideError):
    """This file or series cannot be used as it is. It is kept, set apart and shown with the reason."""


class EngineError(ScansideError):
    """An inference engine failed. The work goes back to the queue and the next engine takes over."""


class ModelBundleError(EngineError):
    """A model bundle is not what its signed list says it is. It is refused unread."""


class EnginePlanError(EngineError):
    """A plan built for a device is damaged, or was built for another one. It is built anew, once."""


class EngineMemoryError(EngineError):
    """The device has no memory left. What can be spared is freed and it is tried once more."""


class EngineLostError(EngineError):
    """The device failed so that this process cannot use it any more; the next engine takes over.

    CUDA calls such an error sticky: every later call fails, too, until the process is started anew.
    """

    def __init__(self, what: str, *, remedy: str, engine: str | None = None) -> None:
        super().__init__(what, remedy=remedy)
        self.engine = engine
        """Name of the engine that met it, where that is known."""


class StoreError(ScansideError):
    """The store cannot keep a promise (full, read-only, damaged). Nothing is acknowledged from here on."""


class DeliveryError(ScansideError):
    """A receiver did not take a result. The result is kept and sent again later."""

    def __init__(self, what: str, *, remedy: str, permanent: bool, this_file_only: bool = False) -> None:
        super().__init__(what, remedy=remedy)
        self.permanent = permanent
        """True: waiting will not help, a person has to change something at one of the two ends."""
        self.this_file_only = this_file_only
        """True: the receiver may well take other files."""


class WorklistError(ScansideError):
    """The worklist server gave no whole answer. The last good list stays, with its age; it is asked again."""


class UpdateError(ScansideError):
    """An update of the software is not what was signed, or not for this device. What runs goes on running."""
