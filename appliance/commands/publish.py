# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside models publish`: the models of this device as the repository of a shared inference server."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from appliance.commands.options import Config
from appliance.commands.say import AsJson, errors_in_words, say_json, table
from appliance.config import load_settings
from appliance.errors import ConfigError

MAX_INSTANCES: Final = 64
MAX_BATCH: Final = 64
MAX_QUEUE: Final = 10_000


def publish_models(  # noqa: PLR0913  (an argument for each option)
    *,
    to: Annotated[Path, typer.Option("--to", help="Folder of the server's model repository.")],
    task: Annotated[
        list[str] | None, typer.Option("--task", help="Only this task; give it again for more.")
    ] = None,
    backend: Annotated[
        Literal["onnxruntime", "tensorrt", "openvino", "python"],
        typer.Option("--backend", help="What the server computes with."),
    ] = "onnxruntime",
    precision: Annotated[
        list[str] | None,
        typer.Option(
            "--precision", help="fp32, fp16 or int8; give it again for more. Default: all there are."
        ),
    ] = None,
    instances: Annotated[
        int, typer.Option(min=1, max=MAX_INSTANCES, help="Copies of each model that work side by side.")
    ] = 1,
    max_batch: Annotated[
        int, typer.Option(min=1, max=MAX_BATCH, help="Images that are computed together at most.")
    ] = 8,
    queue: Annotated[
        int, typer.Option(min=1, max=MAX_QUEUE, help="Requests that may wait; the next one is refused.")
    ] = 32,
    threads: Annotated[
        int, typer.Option(min=1, max=MAX_INSTANCES, help="CPU threads of one copy, where the CPU computes.")
    ] = 2,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Write the verified models as a repository that NVIDIA Triton loads as it is.

    Each model's name and configuration hold the hash of its bundle: an appliance accepts the server's answers
    only for the bundle that it has itself.
    """
    from appliance.models.publish import Serving, publish  # noqa: PLC0415  (--help stays quick)
    from appliance.processes.models import open_registry  # noqa: PLC0415

    with errors_in_words(), tempfile.TemporaryDirectory() as scratch:
        serving = Serving(
            backend=backend, instances=instances, max_batch=max_batch, queue=queue, threads=threads
        )
        rows: list[tuple[str, ...]] = []
        with open_registry(load_settings(config), Path(scratch)) as registry:
            unknown = sorted(set(task or ()) - set(registry.tasks()))
            if unknown:
                raise ConfigError(
                    f"No model for {', '.join(unknown)} is installed.",
                    remedy=f"Choose from {', '.join(registry.tasks()) or 'none: install a bundle first'}.",
                )
            for name in task or registry.tasks():
                bundle = registry.bundle(name)
                assert bundle is not None  # it is listed
                there = tuple(bundle.model_sha256)
                for wanted in precision or there:
                    if wanted not in there:
                        raise ConfigError(
                            f"{bundle.card.identity} has no {wanted} graph.",
                            remedy=f"Choose from {', '.join(there)}.",
                        )
                    place = publish(bundle, wanted, serving, into=to)
                    rows.append((bundle.card.identity, wanted, backend, str(place)))
        if as_json:
            for model, of_precision, _, folder in rows:
                say_json({"model": model, "precision": of_precision, "backend": backend, "folder": folder})
        else:
            table("Published", ("model", "precision", "backend", "folder"), rows)
