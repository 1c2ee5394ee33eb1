# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What the library says while it works: its errors become ours, and one of its warnings is an error, too."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from appliance.errors import EngineError

MOST_LINES: Final = 200
"""Lines that are kept; a build that fails says less than fifty (seen)."""
UINT8_IS_READ_AS_INT8: Final = "Defaulting to INT8"
"""Part of the warning at Q/DQ with an unsigned zero point. The build goes on, and every code above 127
would be computed as 127: silently another network."""

RAISED: Final = (RuntimeError, TypeError, ValueError)
"""What the bindings raise, where they do not answer False or None: pybind11's translations."""


@contextmanager
def errors_of(words: str, doing: str) -> Iterator[None]:
    """Whatever the library called `words` raises while it does that: EngineError."""
    try:
        yield
    except RAISED as error:
        raise EngineError(
            f"{words} failed to {doing}: {' '.join(str(error).split())}.",
            remedy="The next engine takes over; `scanside models verify` tries all of them.",
        ) from error


class Listener:
    """Collects what one library says. `logger` is the object that the library takes."""

    def __init__(self, module: Any) -> None:
        self._errors: deque[str] = deque(maxlen=MOST_LINES)
        self.warnings: deque[str] = deque(maxlen=MOST_LINES)
        self.logger = _logger(module, self)

    def hear(self, message: str, *, is_error: bool) -> None:
        """Called by the library, from any of its threads."""
        (self._errors if is_error else self.warnings).append(message.strip())

    def complaint(self) -> str:
        """The errors since the last question, as one line; empty when there were none."""
        said = "; ".join(self._errors)
        self._errors.clear()
        return said

    def warned_of(self, words: str) -> str | None:
        """The first warning that holds these words, or None."""
        return next((warning for warning in self.warnings if words in warning), None)


def _logger(module: Any, listener: Listener) -> Any:
    errors = (module.ILogger.ERROR, module.ILogger.INTERNAL_ERROR)
    listened_to = (*errors, module.ILogger.WARNING)

    class Logger(module.ILogger):  # type: ignore[misc]  # the base class is the installed library's
        def __init__(self) -> None:
            module.ILogger.__init__(self)  # pybind11 demands the base by name

        def log(self, severity: Any, message: str) -> None:
            if severity in listened_to:
                listener.hear(message, is_error=severity in errors)

    return Logger()
