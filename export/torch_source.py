# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""PyTorch networks: opened without a pickle, asked, and written as ONNX.

PyTorch is imported when it is needed: an export from ONNX does without.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray

from appliance.domain.card import ModelCard, TensorSpec
from appliance.errors import ConfigError, InputError
from export.archives import CONVERT_REMEDY, harmless_program, harmless_script
from export.card_shapes import with_card_shapes
from export.graphs import OPSET
from export.session import Tensors

EXAMPLE_BATCH: Final = 2
"""A batch of one would be taken for a constant by the exporter."""
EXAMPLE_SIZE_PX: Final = 64
"""Of dynamic rows and columns, while the graph is traced: a multiple of every network's stride here."""


def _torch() -> Any:
    if importlib.util.find_spec("torch") is None:
        raise ConfigError(
            "PyTorch is not installed, and this model needs it to be exported.",
            remedy="Install the workshop: pip install 'scanside[export]'.",
        )
    return importlib.import_module("torch")


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


def open_factory(factory: str, weights: Path | None) -> Any:
    """The module that `package.module:function` returns, with the weights from the safetensors file."""
    torch = _torch()
    if weights is None or weights.suffix.lower() != ".safetensors":
        given = "none" if weights is None else weights.name
        raise InputError(
            f"A factory needs its weights as .safetensors; given: {given}.", remedy=CONVERT_REMEDY
        )
    name, _, function = factory.partition(":")
    try:
        make = getattr(importlib.import_module(name), function)
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"{factory} cannot be imported: {error}.",
            remedy=f"Run the command where `python -c 'import {name}'` works (set PYTHONPATH).",
        ) from error
    network = make()
    if not isinstance(network, torch.nn.Module):
        raise InputError(
            f"{factory} returned a {type(network).__name__}, not a torch.nn.Module.",
            remedy="Give a function without arguments that returns the network.",
        )
    safetensors = importlib.import_module("safetensors")
    try:
        network.load_state_dict(importlib.import_module("safetensors.torch").load_file(weights))
    except (OSError, RuntimeError, safetensors.SafetensorError) as error:
        raise InputError(
            f"The weights {weights.name} do not fit {factory}: {error}.",
            remedy="Give the weights of this very network; names and shapes must be the same.",
        ) from error
    return network.eval()


def open_program(path: Path) -> Any:
    """A `torch.export` program whose archive was looked through first."""
    torch = _torch()
    looked_through = harmless_program(path, torch)
    try:
        with _quiet():
            return torch.export.load(looked_through)
    except (RuntimeError, OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path.name} is not a torch.export program of this PyTorch: {error}.", remedy=CONVERT_REMEDY
        ) from error


def open_script(path: Path) -> Any:
    """TorchScript whose archive was looked through first."""
    looked_through = harmless_script(path)
    try:
        with _quiet():
            return _torch().jit.load(looked_through, map_location="cpu").eval()
    except RuntimeError as error:
        raise InputError(
            f"{path.name} is not TorchScript of this PyTorch: {_first_line(error)}.", remedy=CONVERT_REMEDY
        ) from error


def answers(network: Any, card: ModelCard, inputs: Sequence[Tensors]) -> list[dict[str, NDArray[Any]]]:
    """What the network says to each of the inputs, under the card's names of its outputs."""
    torch = _torch()
    names = [spec.name for spec in card.outputs]
    found = []
    with torch.no_grad():
        for item in inputs:
            answer = network(*(torch.from_numpy(np.array(item[spec.name])) for spec in card.inputs))
            values = answer if isinstance(answer, tuple | list) else (answer,)
            found.append({name: value.numpy() for name, value in zip(names, values, strict=True)})
    return found


def module_to_onnx(network: Any, card: ModelCard) -> onnx.ModelProto:
    """A module through `torch.export` and the dynamo exporter. Raises InputError."""
    torch = _torch()
    examples, dynamic = _examples(torch, card)
    try:
        with _quiet():
            program = torch.export.export(network, examples, dynamic_shapes=dynamic)
    except (RuntimeError, ValueError, TypeError) as error:
        raise InputError(
            f"torch.export cannot follow the network: {_first_line(error)}.",
            remedy="Its inputs must have the shapes of the card; branches that depend on values must go.",
        ) from error
    return program_to_onnx(program, card)


def program_to_onnx(program: Any, card: ModelCard) -> onnx.ModelProto:
    """A program through the dynamo exporter, names as in the card. Raises InputError."""
    torch = _torch()
    try:
        with _quiet():
            made = torch.onnx.export(
                program,
                dynamo=True,
                opset_version=OPSET,
                external_data=False,
                verbose=False,
                input_names=[spec.name for spec in card.inputs],
                output_names=[spec.name for spec in card.outputs],
            )
    except (RuntimeError, ValueError, TypeError, torch.onnx.OnnxExporterError) as error:
        raise InputError(
            f"The network cannot be written as ONNX: {_first_line(error)}.",
            remedy="Replace the operator that is named by plain ones, or export to ONNX yourself.",
        ) from error
    return with_card_shapes(onnx.shape_inference.infer_shapes(made.model_proto), card)


def script_to_onnx(script: Any, card: ModelCard) -> onnx.ModelProto:
    """TorchScript goes through the older exporter: the new one cannot follow scripted code."""
    torch = _torch()
    examples, _ = _examples(torch, card)
    buffer = io.BytesIO()
    try:
        with _quiet():
            torch.onnx.export(
                script,
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
            f"The TorchScript cannot be written as ONNX: {_first_line(error)}.",
            remedy="Give the network as package.module:factory with --weights instead.",
        ) from error
    model = onnx.load_model_from_string(buffer.getvalue())
    return with_card_shapes(onnx.shape_inference.infer_shapes(model), card)


def _examples(torch: Any, card: ModelCard) -> tuple[tuple[Any, ...], tuple[dict[int, Any], ...]]:
    """Inputs of the card's shapes, and which of their axes are dynamic."""
    generator = torch.Generator().manual_seed(0)
    tensors, dynamic = [], []
    for spec in card.inputs:
        tensors.append(torch.rand(_example_shape(spec), generator=generator))
        dynamic.append(
            {
                index: torch.export.Dim.DYNAMIC
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


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
