# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside models passport`: every engine with every model on this device, tested and told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from pydantic import ValidationError

from appliance.commands.options import DEFAULT_DATA, Config, Data
from appliance.commands.say import AsJson, errors_in_words, say_json, table
from appliance.config import Settings, load_settings
from appliance.errors import ConfigError, ExitCode
from appliance.layout import Layout

if TYPE_CHECKING:
    from appliance.models.bundle import Bundle
    from appliance.models.candidate import Candidate
    from appliance.models.registry import Registry

COLUMNS: Final = (
    "model",
    "engine",
    "device",
    "verdict",
    "worst / allowed",
    "flips",
    "p50 / p95 / p99 ms",
    "joules",
    "reason",
)
PASSED: Final = "PASSED"
FAILED: Final = "FAILED"
NOT_HERE: Final = "NOT HERE"
"""The engine's library, driver or device is absent: nothing was tested."""


def passport(
    *,
    task: Annotated[str | None, typer.Option("--task", help="Only this task's model.")] = None,
    engine: Annotated[
        str | None, typer.Option("--engine", help="Only this engine, whether the settings name it or not.")
    ] = None,
    precision: Annotated[
        str | None, typer.Option("--precision", help="Only this precision: fp32, fp16 or int8.")
    ] = None,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Test every model on every engine and precision that this device can run, and show what came out.

    Numbers and decisions against the model's own golden data, and the time of one image. What passes is kept
    in the data folder, and the appliance serves only from what has passed. Nothing else should run meanwhile.
    Exit code 1 when a test fails, or a model can be served by nothing. docs/passport.md tells how to read it.
    """
    from appliance.domain.record import to_plain  # noqa: PLC0415  (--help stays quick)
    from appliance.processes.models import kept_passports, open_registry  # noqa: PLC0415

    with errors_in_words():
        settings = _settings_for(load_settings(config), engine, precision)
        layout = Layout(data=data.resolve())
        rows: list[tuple[str, ...]] = []
        failed = False
        served: dict[str, bool] = {}
        with open_registry(settings, kept_passports(layout), layout=layout) as registry:
            for problem in registry.problems:
                failed = True
                _say({"verdict": "REFUSED", "reason": problem.what}, rows, as_json=as_json)
            for name, reason in registry.selection.plan.skipped.items():
                _say({"engine": name, "verdict": NOT_HERE, "reason": reason}, rows, as_json=as_json)
            for bundle, candidate in _wanted(registry, task=task, precision=precision):
                made = registry.selection.passport(bundle, candidate, anew=True)
                failed |= not made.passed
                served[made.model] = served.get(made.model, False) or made.passed
                line = to_plain(made) | {"verdict": PASSED if made.passed else FAILED}
                _say(line, rows, as_json=as_json)
        if not as_json:
            table("Passports", COLUMNS, rows)
        if not served:
            raise ConfigError(
                "There is nothing to test: no installed model fits.",
                remedy="`scanside models list` names the tasks; each model's card names its precisions.",
            )
        raise typer.Exit(ExitCode.FOUND_FAULTS if failed or not all(served.values()) else ExitCode.OK)


def _settings_for(settings: Settings, engine: str | None, precision: str | None) -> Settings:
    """With only what was asked for."""
    worker: dict[str, Any] = settings.worker.model_dump()
    if engine is not None:
        worker["engines"] = (engine,)
    if precision is not None:
        worker["precisions"] = (precision,)
    try:
        asked = type(settings.worker).model_validate(worker)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(
            f"{first.get('input')!r} is not allowed: {first['msg']}.",
            remedy="docs/passport.md names engines and precisions; leave the option out to test all.",
        ) from error
    return settings.model_copy(update={"worker": asked})


def _wanted(
    registry: Registry, *, task: str | None, precision: str | None
) -> Iterator[tuple[Bundle, Candidate]]:
    for bundle, candidate in registry.every_candidate():
        if task in (None, bundle.card.task) and precision in (None, candidate.precision):
            yield bundle, candidate


def _say(line: dict[str, Any], rows: list[tuple[str, ...]], *, as_json: bool) -> None:
    """At once for programs; in one table at the end for people."""
    if as_json:
        say_json(line)
    else:
        rows.append(_row(line))


def _row(line: dict[str, Any]) -> tuple[str, ...]:
    """One line, in COLUMNS. What is not known is said not to be."""
    tested = "passed" in line
    joules = line.get("joules")
    not_told = "not told by this device" if line.get("runs") else ""
    return (
        line.get("model", ""),
        " ".join(filter(None, (line.get("engine"), line.get("precision")))),
        line.get("device", ""),
        line["verdict"],
        _numbers((line["worst_difference"], line["tolerance"])) if tested else "",
        _flips(line) if tested else "",
        _numbers((line["p50_ms"], line["p95_ms"], line["p99_ms"])) if tested else "",
        not_told if joules is None else f"{joules:.3g}",
        line["reason"] or "",
    )


def _numbers(values: Iterable[float | None]) -> str:
    return " / ".join("?" if value is None else f"{value:.3g}" for value in values)


def _flips(line: dict[str, Any]) -> str:
    if line["decisions"] is None:
        return "decides nothing" if line["runs"] else "?"
    left_open = f", {line['open_decisions']} open" if line["open_decisions"] else ""
    return f"{line['flipped']} of {line['decisions']}{left_open}"
