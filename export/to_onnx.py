# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""From what a training left behind to one ONNX file: weights inside, batch dynamic, one opset.

Taken: ONNX itself, a `torch.export` program (.pt2), TorchScript (.pt, .torchscript), and
`package.module:factory` with .safetensors weights. Never taken: pickles. Unpickling runs whatever the
file says, and a checkpoint from elsewhere is exactly the file that nobody has read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import onnx
from numpy.typing import NDArray
from onnx import version_converter

from appliance.domain.card import ModelCard
from appliance.errors import InputError
from export import torch_source
from export.archives import pickle_refused
from export.graphs import OLDEST_OPSET, OPSET, opset, read_graph
from export.session import Tensors

PICKLES: Final = frozenset({".pth", ".pkl", ".pickle", ".ckpt", ".bin", ".joblib", ".npy"})
TORCHSCRIPT: Final = frozenset({".pt", ".torchscript", ".ts"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the model comes from."""

    model: str
    """A path, or `package.module:factory` (a function without arguments that returns the module)."""
    weights: Path | None = None
    """Safetensors, for a factory only."""

    @property
    def is_factory(self) -> bool:
        """Whether `model` names a function and not a file."""
        return ":" in self.model and not Path(self.model).exists()


def to_onnx(source: Source, card: ModelCard) -> onnx.ModelProto:
    """The model as ONNX, with the inputs and outputs that the card names, shapes inferred.

    Raises InputError when the file is not what it should be, ConfigError when PyTorch is missing.
    """
    if source.is_factory:
        network = torch_source.open_factory(source.model, source.weights)
        return torch_source.module_to_onnx(network, card)
    path = Path(source.model)
    kind = path.suffix.lower()
    if source.weights is not None:
        raise InputError(
            f"{path.name} has its weights inside; --weights {source.weights.name} belongs to nothing.",
            remedy="Leave --weights out, or give `package.module:factory` as the model.",
        )
    if kind in PICKLES:
        raise pickle_refused(path.name)
    if kind == ".onnx":
        return _at_opset(read_graph(path))
    if kind == ".pt2":
        return torch_source.program_to_onnx(torch_source.open_program(path), card)
    if kind in TORCHSCRIPT:
        return torch_source.script_to_onnx(torch_source.open_script(path), card)
    raise InputError(
        f"{source.model!r} is not a model that can be exported.",
        remedy="Give a .onnx, .pt2 or TorchScript .pt file, or package.module:factory with --weights.",
    )


def network_answers(
    source: Source, card: ModelCard, inputs: Sequence[Tensors]
) -> list[dict[str, NDArray[Any]]] | None:
    """What the network itself says, in PyTorch; None for a source that is ONNX already."""
    if not source.is_factory and Path(source.model).suffix.lower() == ".onnx":
        return None
    if source.is_factory:
        network = torch_source.open_factory(source.model, source.weights)
    elif Path(source.model).suffix.lower() == ".pt2":
        network = torch_source.open_program(Path(source.model)).module()
    else:
        network = torch_source.open_script(Path(source.model))
    return torch_source.answers(network, card, inputs)


def _at_opset(model: onnx.ModelProto) -> onnx.ModelProto:
    version = opset(model)
    if version > OPSET:
        raise InputError(
            f"The model is written in opset {version}; {OPSET} is the newest that every engine reads.",
            remedy=f"Export it with opset_version={OPSET}.",
        )
    if version < OLDEST_OPSET:
        try:
            model = version_converter.convert_version(model, OLDEST_OPSET)
        except RuntimeError as error:
            raise InputError(
                f"The model is written in opset {version} and cannot be brought to {OLDEST_OPSET}: {error}.",
                remedy=f"Export it with opset_version={OPSET}.",
            ) from error
    return onnx.shape_inference.infer_shapes(model)
