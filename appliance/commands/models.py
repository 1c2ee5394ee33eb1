# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside models`: which models this device has, and whether they are what they claim to be."""

from __future__ import annotations

import tempfile
from pathlib import Path

import typer

from appliance.commands.options import Config
from appliance.commands.publish import publish_models
from appliance.commands.say import AsJson, errors_in_words, say_json, table
from appliance.config import load_settings
from appliance.errors import ExitCode

models = typer.Typer(no_args_is_help=True, help="Model bundles: list them, verify them.")
models.command("publish")(publish_models)


@models.command("list")
def list_models(*, config: Config = None, as_json: AsJson = False) -> None:
    """Show each installed model: task, version, what it is for, how good it was measured to be."""
    from appliance.domain.record import to_plain  # noqa: PLC0415  (--help stays quick)
    from appliance.processes.models import open_registry  # noqa: PLC0415

    with errors_in_words(), tempfile.TemporaryDirectory() as scratch:
        rows: list[tuple[str, ...]] = []
        with open_registry(load_settings(config), Path(scratch)) as registry:
            for task in registry.tasks():
                card = registry.card(task)
                assert card is not None  # it is listed
                if as_json:
                    say_json(to_plain(card))
                    continue
                measured = "; ".join(
                    f"{metric.name} {metric.value:.3g} ({metric.dataset}, n={metric.n})"
                    for metric in card.metrics[:3]
                )
                rows.append((card.identity, card.summary, measured, card.provenance.restrictions or "none"))
        if not as_json:
            table("Models", ("model", "what it is", "measured", "restrictions"), rows)


@models.command("verify")
def verify_models(*, config: Config = None, as_json: AsJson = False) -> None:
    """Check the files of every bundle, then prove every model on every engine of the settings, here.

    A proof compiles the model in a process of its own and compares its answers to the golden data of the
    bundle. Exit code 1 when a bundle is refused, or a model can be served by no engine.
    """
    from appliance.processes.models import open_registry  # noqa: PLC0415  (--help stays quick)

    with errors_in_words(), tempfile.TemporaryDirectory() as scratch:
        rows: list[tuple[str, ...]] = []
        lines: list[dict[str, object]] = []
        with open_registry(load_settings(config), Path(scratch)) as registry:
            proofs = registry.verify_all()
            for problem in registry.problems:
                lines.append({"verdict": "REFUSED", "reason": problem.what, "remedy": problem.remedy})
                rows.append(("", "", "REFUSED", f"{problem.what} {problem.remedy}"))
        for proof in proofs:
            verdict = "OK" if proof.passed else "FAILED"
            lines.append(
                {"model": proof.model, "engine": proof.engine, "verdict": verdict, "reason": proof.reason}
            )
            rows.append((proof.model, proof.engine, verdict, proof.reason or ""))
        served = {proof.model for proof in proofs if proof.passed}
        faulty = bool(registry.problems) or any(proof.model not in served for proof in proofs)
        if as_json:
            for line in lines:
                say_json(line)
        else:
            table("Models", ("model", "engine", "verdict", "reason"), rows)
        raise typer.Exit(ExitCode.FOUND_FAULTS if faulty else ExitCode.OK)
