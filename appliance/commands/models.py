# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside models`: which models this device has, and whether they are what they claim to be."""

from __future__ import annotations

import tempfile
from pathlib import Path

import typer

from appliance.commands.model_keys import list_keys, revoke_key, trust_key
from appliance.commands.options import Config
from appliance.commands.say import AsJson, errors_in_words, say_json, table
from appliance.config import load_settings
from appliance.errors import ExitCode

models = typer.Typer(no_args_is_help=True, help="Model bundles: list them, verify them; whose are trusted.")
models.command("keys")(list_keys)
models.command("trust")(trust_key)
models.command("revoke")(revoke_key)


@models.command("list")
def list_models(*, config: Config = None, as_json: AsJson = False) -> None:
    """Show each installed model: task, version, what it is for, how good it was measured, who signed it."""
    from appliance.domain.record import to_plain  # noqa: PLC0415  (--help stays quick)
    from appliance.processes.models import open_registry  # noqa: PLC0415

    with errors_in_words(), tempfile.TemporaryDirectory() as scratch:
        rows: list[tuple[str, ...]] = []
        with open_registry(load_settings(config), Path(scratch)) as registry:
            for task in registry.tasks():
                card, signer = registry.card(task), registry.signer(task)
                assert card is not None  # it is listed
                assert signer is not None  # or it would have been refused
                if as_json:
                    say_json(to_plain(card) | {"signer": to_plain(signer)})
                    continue
                measured = "; ".join(
                    f"{metric.name} {metric.value:.3g} ({metric.dataset}, n={metric.n})"
                    for metric in card.metrics[:3]
                )
                restrictions = card.provenance.restrictions or "none"
                rows.append((card.identity, card.summary, measured, restrictions, signer.words))
        if not as_json:
            table("Models", ("model", "what it is", "measured", "restrictions", "signed by"), rows)


@models.command("verify")
def verify_models(*, config: Config = None, as_json: AsJson = False) -> None:
    """Check signature and files of every bundle, then prove every model on every engine of the settings.

    A proof compiles the model in a process of its own and compares its answers to the golden data of the
    bundle. Exit code 1 when a bundle is refused, or a model can be served by no engine.
    """
    from appliance.domain.record import to_plain  # noqa: PLC0415  (--help stays quick)
    from appliance.models.keys import grouped  # noqa: PLC0415
    from appliance.processes.models import open_registry  # noqa: PLC0415

    with errors_in_words(), tempfile.TemporaryDirectory() as scratch:
        rows: list[tuple[str, ...]] = []
        lines: list[dict[str, object]] = []
        with open_registry(load_settings(config), Path(scratch)) as registry:
            proofs = registry.verify_all()
            signers = {proof.task: registry.signer(proof.task) for proof in proofs}
            for problem in registry.problems:
                lines.append({"verdict": "REFUSED", "reason": problem.what, "remedy": problem.remedy})
                rows.append(("", "", "", "REFUSED", f"{problem.what} {problem.remedy}"))
        for proof in proofs:
            verdict, signer = "OK" if proof.passed else "FAILED", signers[proof.task]
            assert signer is not None  # or it would have been refused
            lines.append(
                {
                    "model": proof.model,
                    "signer": to_plain(signer),
                    "engine": proof.engine,
                    "verdict": verdict,
                    "reason": proof.reason,
                }
            )
            rows.append(
                (
                    proof.model,
                    f"{signer.name}\n{grouped(signer.fingerprint)}",
                    proof.engine,
                    verdict,
                    proof.reason or "",
                )
            )
        served = {proof.model for proof in proofs if proof.passed}
        faulty = bool(registry.problems) or any(proof.model not in served for proof in proofs)
        if as_json:
            for line in lines:
                say_json(line)
        else:
            table("Models", ("model", "signed by", "engine", "verdict", "reason"), rows)
        raise typer.Exit(ExitCode.FOUND_FAULTS if faulty else ExitCode.OK)
