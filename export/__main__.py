# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m export`: from a trained network to a model bundle, all at once or step by step."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from appliance.clock import SystemClock
from appliance.commands.say import errors_in_words, table
from appliance.errors import ConfigError, InputError
from appliance.models.keys import fingerprint_of, grouped
from export.card_file import read_card
from export.in_graph import Normalisation
from export.keys import PassphraseFile, open_key, read_passphrase
from export.pack import pack
from export.pipeline import export_bundle
from export.recipe import AUTO, RANGE_CHOICES, Recipe
from export.steps import STEPS, KeepFloat, Rows
from export.summary import Exported
from export.to_onnx import Source
from export.work import WorkFolder

WHOLE: Final = "run"
PERCENT: Final = 100.0

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="From a trained network to a gated model bundle: `run` does everything, the others one step each.",
)
for _step in STEPS:
    app.command()(_step)


@app.command(WHOLE)
def run(  # noqa: PLR0913 - every option of an export
    model: Annotated[str, typer.Argument(help=".onnx, .pt2, TorchScript .pt, or package.module:factory.")],
    *,
    card: Annotated[Path, typer.Option(help="The model card (card.toml).")],
    calibration: Annotated[Path, typer.Option(help="Folder of images to take int8 ranges from.")],
    out: Annotated[Path, typer.Option(help="The bundle: a folder that does not exist yet, or NAME.zip.")],
    labelled: Annotated[
        Path | None,
        typer.Option(help="Folder of images with known truth for the gate. Without it: float32 only."),
    ] = None,
    fit_labels: Annotated[
        Path | None,
        typer.Option(help="Folder of images with known truth: calibrate the labels, choose the points."),
    ] = None,
    key: Annotated[Path | None, typer.Option(help="Private key to sign with (PEM).")] = None,
    passphrase_file: PassphraseFile = None,
    weights: Annotated[Path | None, typer.Option(help="Safetensors, for a factory.")] = None,
    mean: Annotated[str, typer.Option(help="Normalisation inside the graph: one number per channel.")] = "",
    std: Annotated[str, typer.Option(help="With --mean: one number per channel.")] = "",
    window: Annotated[str, typer.Option(help="LOW,HIGH: limits inside the graph, mapped to 0..1.")] = "",
    heatmap_of: Annotated[
        str | None, typer.Option(help="Add the output `heatmap`: the class activation map of these logits.")
    ] = None,
    ranges: Annotated[str, typer.Option(help=f"One of {', '.join(RANGE_CHOICES)}.")] = AUTO,
    keep_float: KeepFloat = None,
    int8: Annotated[bool, typer.Option(help="Make the int8 variant.")] = True,
    fp16: Annotated[bool, typer.Option(help="Make the float16 variant.")] = True,
    threads: Annotated[int, typer.Option(min=1, help="Processor threads for the gate.")] = 2,
    work: Annotated[Path | None, typer.Option(help="Work folder; a stopped run goes on there.")] = None,
) -> None:
    """Everything: export, ranges, int8 and float16 through their gate, parity, report, bundle, signature."""
    with errors_in_words():
        if out.exists():
            raise ConfigError(f"{out} exists already.", remedy="Name a folder or a .zip that does not.")
        if ranges not in RANGE_CHOICES:
            raise ConfigError(f"There is no {ranges!r}.", remedy=f"Choose from {', '.join(RANGE_CHOICES)}.")
        recipe = Recipe(
            source=Source(model=model, weights=weights),
            card=read_card(card),
            calibration=calibration,
            labelled=labelled,
            fit_labels=fit_labels,
            normalisation=_normalisation(mean, std, window),
            heatmap_of=heatmap_of,
            range_method=ranges,
            keep_float=tuple(keep_float or ()),
            int8=int8,
            fp16=fp16,
            threads=threads,
        )
        passphrase = None if key is None else read_passphrase(passphrase_file)
        signer = None if key is None else _signer(key, passphrase)
        clock = SystemClock()
        place = work or out.with_name(f"{out.name}.work")
        with _bars() as bars:
            shown: dict[str, TaskID] = {}

            def progress(step: str, done: int, count: int) -> None:
                if step not in shown:
                    shown[step] = bars.add_task(step, total=count)
                bars.update(shown[step], completed=done, total=count)

            folder = WorkFolder(place, clock=clock, progress=progress)
            found = export_bundle(recipe, folder, clock=clock, signed_by=signer)
        _tell(found)
        _hand_over(found, out, key, passphrase)


def _bars() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))


def _numbers(text: str, option: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise InputError(
            f"{option} {text!r} is no list of numbers.", remedy="Write it as 0.5,0.5,0.5."
        ) from error


def _normalisation(mean: str, std: str, window: str) -> Normalisation | None:
    if not (mean or std or window):
        return None
    limits = _numbers(window, "--window")
    if window and len(limits) != 2:
        raise InputError(f"--window {window!r} is not LOW,HIGH.", remedy="Give two numbers.")
    return Normalisation(
        mean=_numbers(mean, "--mean") or (0.0,),
        std=_numbers(std, "--std") or (1.0,),
        window=(limits[0], limits[1]) if limits else None,
    )


def _tell(found: Exported) -> None:
    """The run in three tables."""
    if "ranges" in found.steps:
        step = found.steps["ranges"]
        rows: Rows = [
            (
                f"{name}{' (taken)' if name == step['chosen'] else ''}",
                f"{PERCENT * max(row['relative_error'].values()):.3g} %",
                f"{PERCENT * row['clipped']:.3g} %",
            )
            for name, row in step["methods"].items()
        ]
        table("Ranges", ("method", "largest output error", "values clipped"), rows)
    times: Rows = [
        (row.engine, row.precision, str(row.threads), f"{row.p50_ms:.2f}", f"{row.p95_ms:.2f}")
        for row in found.latency or ()
    ]
    table("Time for one image", ("engine", "graph", "threads", "p50 ms", "p95 ms"), times)
    for precision, gate in found.gates.items():
        measured: Rows = [
            (item.name, f"{item.value:.4g}", f"{item.ci_low} to {item.ci_high}") for item in gate.metrics
        ]
        table(f"Gate: {precision}, {gate.images} images", ("what", "value", "95 % interval"), measured)
    if "int8" in found.steps and found.steps["int8"]["left_in_float"]:
        typer.echo(f"Left in float: {', '.join(found.steps['int8']['left_in_float'])}")
    if not found.gates:
        typer.echo("No variant was judged (--labelled): the bundle holds the float32 model only.")


def _signer(key: Path, passphrase: str | None) -> str:
    """Who will sign, for the report; a key that does not open is said before the work and not after it."""
    fingerprint = fingerprint_of(open_key(key, passphrase=passphrase).public_key())
    return f"the key {key.stem}, fingerprint {grouped(fingerprint)}"


def _hand_over(found: Exported, out: Path, key: Path | None, passphrase: str | None) -> None:
    """List, sign and pack; a device takes only what is signed."""
    assert found.bundle is not None
    pack(found.bundle, key=key, out=out, passphrase=passphrase)
    signed = "signed" if key is not None else "NOT signed: no device takes it until somebody has signed it"
    typer.echo(f"{out}: {signed}")


def main(arguments: Sequence[str]) -> None:
    """A first word that is no step is the model of a whole run."""
    names = {WHOLE, *(step.__name__ for step in STEPS)}
    given = list(arguments)
    if given and given[0] not in names and given[0] not in {"--help", "--version"}:
        given.insert(0, WHOLE)
    app(given, prog_name="scanside export")


if __name__ == "__main__":
    main(sys.argv[1:])
