# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""From what a training left behind to one ONNX file: weights inside, batch dynamic, one opset.

Taken: ONNX itself, a `torch.export` program (.pt2), TorchScript (.pt, .torchscript), and
`package.module:factory` with .safetensors weights. Never taken: pickles. Unpickling runs whatever the
file says, and a checkpoint from elsewhere is exactly the file that nobody has read.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import version_converter

from appliance.domain.card import ModelCard, TensorSpec
from appliance.errors import ConfigError, InputError
from export.archives import CONVERT_REMEDY, harmless_program, harmless_script, pickle_refused
from export.graphs import opset, read_graph
from export.session import Tensors

OPSET: Final = 20
"""What a PyTorch model is written in: the newest that TensorRT 10.3, the oldest supported, reads."""
OLDEST_OPSET: Final = 17
"""The oldest that is left as it is (LayerNormalization came with it); older files are converted up."""
PICKLES: Final = frozenset({".pth", ".pkl", ".pickle", ".ckpt", ".bin", ".joblib", ".npy"})
TORCHSCRIPT: Final = frozenset({".pt", ".torchscript", ".ts"})
EXAMPLE_BATCH: Final = 2
"""A batch of one would be taken for a constant by the exporter."""
EXAMPLE_SIZE_PX: Final = 64
"""Of dynamic rows and columns, while the graph is traced: a multiple of every network's stride here."""


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
        return _from_module(_made(source), card)
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
        return _from_program(path, card)
    if kind in TORCHSCRIPT:
        return _from_torchscript(path, card)
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
    torch = _torch()
    if source.is_factory:
        network = _made(source).eval()
    elif Path(source.model).suffix.lower() == ".pt2":
        with _quiet():
            network = torch.export.load(harmless_program(Path(source.model), torch)).module()
    else:
        with _quiet():
            network = torch.jit.load(harmless_script(Path(source.model)), map_location="cpu").eval()
    names = [spec.name for spec in card.outputs]
    found = []
    with torch.no_grad():
        for item in inputs:
            answer = network(*(torch.from_numpy(np.array(item[spec.name])) for spec in card.inputs))
            values = answer if isinstance(answer, tuple | list) else (answer,)
            found.append({name: value.numpy() for name, value in zip(names, values, strict=True)})
    return found


def _torch() -> Any:
    if importlib.util.find_spec("torch") is None:
        raise ConfigError(
            "PyTorch is not installed, and this model needs it to be exported.",
            remedy="Install the workshop: pip install 'scanside[export]'.",
        )
    return importlib.import_module("torch")


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


def _made(source: Source) -> Any:
    """The module that the factory returns, with the weights from the safetensors file."""
    torch = _torch()
    if source.weights is None or source.weights.suffix.lower() != ".safetensors":
        given = "none" if source.weights is None else source.weights.name
        raise InputError(
            f"A factory needs its weights as .safetensors; given: {given}.", remedy=CONVERT_REMEDY
        )
    name, _, factory = source.model.partition(":")
    try:
        make = getattr(importlib.import_module(name), factory)
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"{source.model} cannot be imported: {error}.",
            remedy="Run the command where `python -c 'import " + name + "'` works (set PYTHONPATH).",
        ) from error
    module = make()
    if not isinstance(module, torch.nn.Module):
        raise InputError(
            f"{source.model} returned a {type(module).__name__}, not a torch.nn.Module.",
            remedy="Give a function without arguments that returns the network.",
        )
    safetensors = importlib.import_module("safetensors")
    try:
        weights = importlib.import_module("safetensors.torch").load_file(source.weights)
        module.load_state_dict(weights)
    except (OSError, RuntimeError, safetensors.SafetensorError) as error:
        raise InputError(
            f"The weights {source.weights.name} do not fit {source.model}: {error}.",
            remedy="Give the weights of this very network; names and shapes must be the same.",
        ) from error
    return module


def _examples(torch: Any, card: ModelCard) -> tuple[tuple[Any, ...], tuple[dict[int, Any], ...]]:
    """Inputs of the card's shapes, and which of their axes are dynamic."""
    generator = torch.Generator().manual_seed(0)
    axes: dict[str, Any] = {}
    tensors, dynamic = [], []
    for spec in card.inputs:
        tensors.append(torch.rand(_example_shape(spec), generator=generator))
        dynamic.append(
            {
                index: axes.setdefault(size, torch.export.Dim.DYNAMIC)
                for index, size in enumerate(spec.shape)
                if isinstance(size, str)
            }
        )
    return tuple(tensors), tuple(dynamic)


def _example_shape(spec: TensorSpec) -> tuple[int, ...]:
    return tuple(
        size if isinstance(size, int) else (EXAMPLE_BATCH if index == 0 else EXAMPLE_SIZE_PX)
        for index, size in enumerate(spec.shape)
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter talks of libraries that a graph without them does not need."""
    talker = logging.getLogger("torch.onnx")
    level = talker.level
    talker.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        talker.setLevel(level)


def _from_module(module: Any, card: ModelCard) -> onnx.ModelProto:
    torch = _torch()
    module = module.eval()
    examples, dynamic = _examples(torch, card)
    try:
        with _quiet():
            program = torch.export.export(module, examples, dynamic_shapes=dynamic)
    except (RuntimeError, ValueError, TypeError) as error:
        raise InputError(
            f"torch.export cannot follow the network: {str(error).splitlines()[0]}.",
            remedy="Its inputs must have the shapes of the card; branches that depend on values must go.",
        ) from error
    return _written(program, card)


def _from_program(path: Path, card: ModelCard) -> onnx.ModelProto:
    torch = _torch()
    looked_through = harmless_program(path, torch)
    try:
        with _quiet():
            program = torch.export.load(looked_through)
    except (RuntimeError, OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path.name} is not a torch.export program of this PyTorch: {error}.", remedy=CONVERT_REMEDY
        ) from error
    return _written(program, card)


def _written(program: Any, card: ModelCard) -> onnx.ModelProto:
    """The exported program through the dynamo exporter, names as in the card."""
    torch = _torch()
    inputs = [spec.name for spec in card.inputs]
    outputs = [spec.name for spec in card.outputs]
    try:
        with _quiet():
            made = torch.onnx.export(
                program,
                dynamo=True,
                opset_version=OPSET,
                external_data=False,
                verbose=False,
                input_names=inputs,
                output_names=outputs,
            )
    except (RuntimeError, ValueError, TypeError, torch.onnx.OnnxExporterError) as error:
        raise InputError(
            f"The network cannot be written as ONNX: {str(error).splitlines()[0]}.",
            remedy="Replace the operator that is named by plain ones, or export to ONNX yourself.",
        ) from error
    return with_card_shapes(onnx.shape_inference.infer_shapes(made.model_proto), card)


def _from_torchscript(path: Path, card: ModelCard) -> onnx.ModelProto:
    """TorchScript goes through the older exporter: the new one cannot follow scripted code."""
    torch = _torch()
    looked_through = harmless_script(path)
    try:
        with _quiet():
            module = torch.jit.load(looked_through, map_location="cpu").eval()
            examples, _ = _examples(torch, card)
            buffer = io.BytesIO()
            torch.onnx.export(
                module,
                examples,
                buffer,
                dynamo=False,
                opset_version=OPSET,
                input_names=[spec.name for spec in card.inputs],
                output_names=[spec.name for spec in card.outputs],
                dynamic_axes={
                    spec.name: {axis: size for axis, size in enumerate(spec.shape) if isinstance(size, str)}
                    for spec in (*card.inputs, *card.outputs)
                },
            )
    except (RuntimeError, ValueError, TypeError, torch.onnx.OnnxExporterError) as error:
        raise InputError(
            f"{path.name} cannot be written as ONNX: {str(error).splitlines()[0]}.",
            remedy="Give the network as package.module:factory with --weights instead.",
        ) from error
    model = onnx.load_model_from_string(buffer.getvalue())
    return with_card_shapes(onnx.shape_inference.infer_shapes(model), card)


def with_card_shapes(model: onnx.ModelProto, card: ModelCard) -> onnx.ModelProto:
    """A copy whose dynamic axes bear the card's names.

    Raises InputError when the graph has other inputs or outputs, or another size where both are fixed.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for what, values, specs in (
        ("inputs", copy.graph.input, card.inputs),
        ("outputs", copy.graph.output, card.outputs),
    ):
        found = {value.name: value for value in values}
        if found.keys() != {spec.name for spec in specs}:
            raise InputError(
                f"The model's {what} are {sorted(found)}, the card's {sorted(spec.name for spec in specs)}.",
                remedy="Name them in the card as they are in the model, or the other way round.",
            )
        for spec in specs:
            _name_axes(found[spec.name], spec)
    return copy


def _name_axes(value: onnx.ValueInfoProto, spec: TensorSpec) -> None:
    axes = value.type.tensor_type.shape.dim
    if len(axes) != len(spec.shape):
        raise _other_shape(value, spec)
    for axis, size in zip(axes, spec.shape, strict=True):
        if isinstance(size, str):
            if axis.HasField("dim_value"):
                raise _other_shape(value, spec)
            axis.dim_param = size
        elif axis.HasField("dim_value") and axis.dim_value != size:
            raise _other_shape(value, spec)
        else:
            axis.dim_value = size


def _other_shape(value: onnx.ValueInfoProto, spec: TensorSpec) -> InputError:
    found = [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
    return InputError(
        f"{spec.name!r} has the shape {found} in the model and {list(spec.shape)} in the card.",
        remedy="Correct the card, or export the model with these shapes (a named axis is a dynamic one).",
    )
