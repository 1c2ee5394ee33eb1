# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Sign all shipped bundles with a key that exists only while this runs.

    python -m export.reference.sign

The public key goes into `appliance/models_shipped/keys/`; the private one is never written anywhere and
is gone when the process ends. So nobody, its makers included, can sign another bundle with it: whoever
changes a shipped bundle signs all of them anew, with a new key, and that shows in the repository.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.commands.say import errors_in_words
from appliance.durable import write_durably
from appliance.errors import ConfigError
from appliance.models.bundle import Bundle, read_bundle
from appliance.models.contents import CARD
from appliance.models.keys import grouped, read_trust
from appliance.models.registry import shipped_models
from export.keys import public_pem
from export.pack import seal, write_in_place

KEYS: Final = "keys"
KEY_FILE: Final = "scanside-reference.pem"


def sign_all(models: Path) -> tuple[Bundle, ...]:
    """Sign every bundle below `models` with one new key, and read all of them back.

    Raises ModelBundleError, with nothing changed, when a device would refuse one of them.
    """
    folders = sorted(card.parent for card in models.glob(f"*/{CARD}"))
    if not folders:
        raise ConfigError(f"There is no bundle below {models}.", remedy="Name the folder of the bundles.")
    key = Ed25519PrivateKey.generate()
    sealed = [(folder, seal(folder, key=key)) for folder in folders]
    (models / KEYS).mkdir(exist_ok=True)
    write_durably(models / KEYS / KEY_FILE, public_pem(key.public_key()))
    for folder, bundle in sealed:
        write_in_place(folder, bundle)
    trust = read_trust((models / KEYS,))
    return tuple(read_bundle(folder, trust=trust) for folder in folders)


def main(
    models: Annotated[
        Path | None, typer.Option(help="Folder of the bundles; default: the shipped ones.")
    ] = None,
) -> None:
    """Sign all shipped bundles with a new key, which nobody keeps."""
    with errors_in_words():
        bundles = sign_all(models or shipped_models())
        for bundle in bundles:
            typer.echo(f"{bundle.card.identity}, release {bundle.card.release}: signed")
        signer = bundles[0].signer
        assert signer is not None  # read_bundle has checked it
        typer.echo(f"Public key {KEY_FILE}: {grouped(signer.fingerprint)}")


if __name__ == "__main__":
    typer.run(main)
