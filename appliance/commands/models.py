# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside models`: which models this device has, and whether they are what they claim to be."""

from __future__ import annotations

import tempfile
from pathlib import Path

import typer

from appliance.commands.agreement import say_agreement
from appliance.commands.model_keys import list_keys, revoke_key, trust_key
from appliance.commands.model_passport import passport
from appliance.commands.model_slots import activate, install, rollback, shadow, slot_words
from appliance.commands.options import DEFAULT_DATA, Config, Data
from appliance.commands.publish import publish_models
from appliance.commands.say import AsJson, errors_in_words, say_json, table
from appliance.config import load_settings
from appliance.errors import ExitCode
from appliance.layout import Layout

models = typer.Typer(
    no_args_is_help=True,
    help="Model bundles: list and verify them, test them here, choose what serves; whose are trusted.",
)
models.command("keys")(list_keys)
models.command("trust")(trust_key)
models.command("revoke")(revoke_key)
models.command("passport")(passport)
models.command("install")(install)
models.command("activate")(activate)
models.command("rollback")(rollback)
models.command("shadow")(shadow)
models.command("publish")(publish_models)
models.command("agreement")(say_agreement)


@models.command("list")
def list_models(*, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = False) -> None:
    """Show each installed model: task, version, what it is for, how good it was measured, who signed it.

    And its place: what serves, what is installed beside it, what it would go back to, what is its shadow.
    """
    from appliance.domain.record import to_plain  # noqa: PLC0415  (--help stays quick)
    from appliance.models.slots import key_of  # noqa: PLC0415
    from appliance.processes.models import open_registry, slot_folder  # noqa: PLC0415

    with errors_in_words(), tempfile.TemporaryDirectory() as scratch:
        rows: list[tuple[str, ...]] = []
        settings, layout = load_settings(config), Layout(data=data.resolve())
        slots = slot_folder(settings, layout)
        with open_registry(settings, Path(scratch), layout=layout) as registry:
            for task in registry.tasks():
                serving = registry.bundle(task)
                assert serving is not None  # it is listed
                chosen = slots.read(task)
                waiting = [(key, bundle) for key, bundle in slots.installed(task) if key != key_of(serving)]
                entries = [
                    ("serves", serving),
                    *((slot_words(chosen, key), bundle) for key, bundle in waiting),
                ]
                for place, bundle in entries:
                    card, signer = bundle.card, bundle.signer
                    assert signer is not None  # or it would have been refused
                    if as_json:
                        say_json(to_plain(card) | {"place": place, "signer": to_plain(signer)})
                        continue
                    measured = "; ".join(
                        f"{metric.name} {metric.value:.3g} ({metric.dataset}, n={metric.n})"
                        for metric in card.metrics[:3]
                    )
                    limits = card.provenance.restrictions or "none"
                    rows.append((card.identity, place, card.summary, measured, limits, signer.words))
                if chosen.note:
                    rows.append((task, "note", chosen.note, "", "", ""))
        if not as_json:
            table("Models", ("model", "place", "what it is", "measured", "restrictions", "signed by"), rows)


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
            passports = registry.verify_all()
            bundles = {made.task: registry.bundle(made.task) for made in passports}
            for problem in registry.problems:
                lines.append({"verdict": "REFUSED", "reason": problem.what, "remedy": problem.remedy})
                rows.append(("", "", "", "REFUSED", f"{problem.what} {problem.remedy}"))
            served = dict.fromkeys(
                (card.identity for task in registry.tasks() if (card := registry.card(task))), False
            )
        for made in passports:
            verdict, bundle = "OK" if made.passed else "FAILED", bundles[made.task]
            signer = None if bundle is None else bundle.signer
            assert signer is not None  # or it would have been refused
            served[made.model] |= made.passed
            lines.append(
                {
                    "model": made.model,
                    "signer": to_plain(signer),
                    "engine": made.engine,
                    "precision": made.precision,
                    "verdict": verdict,
                    "reason": made.reason,
                }
            )
            who = f"{signer.name}\n{grouped(signer.fingerprint)}"
            rows.append((made.model, who, made.candidate.words, verdict, made.reason or ""))
        faulty = not all(served.values()) or any(line["verdict"] == "REFUSED" for line in lines)
        if as_json:
            for line in lines:
                say_json(line)
        else:
            table("Models", ("model", "signed by", "engine", "verdict", "reason"), rows)
        raise typer.Exit(ExitCode.FOUND_FAULTS if faulty else ExitCode.OK)
