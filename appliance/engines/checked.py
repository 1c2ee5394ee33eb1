# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What every engine does the same way: check what goes in and what comes out, and end cleanly."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from appliance.engines.base import EngineDescription, Tensors
from appliance.engines.graph import Signature
from appliance.errors import EngineError


class CheckedEngine(ABC):
    """An `Engine` over one library: the library's part is `_run` and `_release`."""

    def __init__(self, *, signature: Signature, description: EngineDescription) -> None:
        self.signature = signature
        self._description = description
        self._open = True

    @abstractmethod
    def _run(self, inputs: dict[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """All outputs. Raises EngineError for whatever the library raises."""

    @abstractmethod
    def _release(self) -> None:
        """Give the library's memory and threads back."""

    def infer(self, inputs: Tensors) -> Tensors:
        """See `Engine.infer`."""
        if not self._open:
            raise EngineError(
                f"The engine {self._description.words} is closed.",
                remedy="This is a fault of the program: a closed engine must be loaded again.",
            )
        accepted = self.signature.accept(inputs)
        return self.signature.release(self._run(accepted), accepted)

    def describe(self) -> EngineDescription:
        """See `Engine.describe`."""
        return self._description

    def close(self) -> None:
        """See `Engine.close`. Closing twice does no harm."""
        if self._open:
            self._open = False
            self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def fit_output(outputs: Tensors, name: str, shape: tuple[int | None, ...]) -> NDArray[np.float32]:
    """The output `name`, as float32 numbers of that shape (None: any size).

    Raises EngineError when it is missing, has another shape or holds NaN or infinity: such an answer is
    withheld, whatever the rest of it says.
    """
    remedy = "The answer is withheld. The next engine is tried; if it fails too, a person has to look."
    if name not in outputs:
        raise EngineError(f"The engine gave no output {name!r}, only {sorted(outputs)}.", remedy=remedy)
    value = outputs[name]
    if len(value.shape) != len(shape) or any(
        want is not None and size != want for size, want in zip(value.shape, shape, strict=True)
    ):
        raise EngineError(
            f"The output {name!r} has the shape {list(value.shape)}, not {list(shape)}.", remedy=remedy
        )
    broken = int(value.size - np.count_nonzero(np.isfinite(value)))
    if broken:
        raise EngineError(
            f"{broken} of {value.size} values of the output {name!r} are not numbers.", remedy=remedy
        )
    return np.asarray(value, dtype=np.float32)
