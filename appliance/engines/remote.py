# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A shared inference server as an engine: pixels go out, numbers come back, and nothing is taken on trust.

Before the first pixel leaves, the server has to show that it serves this very bundle: the hash of the
bundle's list is part of the model's name and stands in the model's configuration. What it answers is held
to the graph's own inputs and outputs, as any engine's answers are. A request holds the tensors and the
model's name: no header, no identifier, no file name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from appliance.engines.base import EngineDescription
from appliance.engines.checked import CheckedEngine
from appliance.engines.graph import Port, Signature, read_signature
from appliance.engines.kserve import Connection, InferenceServer, Publication, library, publication_of
from appliance.errors import EngineError

PUBLISH: Final = "Publish the bundle to the server's repository: `scanside models publish --to FOLDER`."


class RemoteEngine(CheckedEngine):
    """One model on one server, asked for one answer at a time."""

    def __init__(
        self, connection: Connection, publication: Publication, *, signature: Signature, max_batch: int | None
    ) -> None:
        super().__init__(
            signature=signature,
            description=EngineDescription(
                engine="remote",
                version=connection.server_words(),
                precision=signature.precision,
                device=connection.server.address,
            ),
        )
        self._connection = connection
        self._publication = publication
        self._max_batch = max_batch
        self._library = library()
        self._wanted = [self._library.InferRequestedOutput(port.name) for port in signature.outputs]

    def _run(self, inputs: dict[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        size = len(next(iter(inputs.values())))
        if self._max_batch is None or size <= self._max_batch:
            return self._answer(inputs)
        parts = [
            self._answer({name: value[start : start + self._max_batch] for name, value in inputs.items()})
            for start in range(0, size, self._max_batch)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _answer(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        asked = []
        for port in self.signature.inputs:
            value = inputs[port.name]
            tensor = self._library.InferInput(port.name, list(value.shape), _kserve_type(port))
            tensor.set_data_from_numpy(value)
            asked.append(tensor)
        result = self._connection.infer(
            self._publication.name, self._publication.version, asked, self._wanted
        )
        outputs = {}
        for port in self.signature.outputs:
            try:
                value = result.as_numpy(port.name)
            except (ValueError, TypeError, IndexError) as error:
                raise EngineError(
                    f"The inference server {self._connection.server.address} sent an output {port.name!r} "
                    f"whose bytes do not fit its shape: {error}.",
                    remedy="The answer is withheld. The next engine takes over.",
                ) from error
            if value is not None:
                outputs[port.name] = value
        return outputs

    def _release(self) -> None:
        self._connection.close()


def _kserve_type(port: Port) -> str:
    name = import_module("tritonclient.utils").np_to_triton_dtype(port.dtype)
    if name is None:
        raise EngineError(
            f"{port.words} has a type that the KServe v2 protocol does not know.",
            remedy="Serve this model on the device: leave remote out of worker.engines.",
        )
    return str(name)


def _check_model(connection: Connection, publication: Publication, signature: Signature) -> int | None:
    """The largest batch that the server takes (None: any), once everything it says of the model is right."""
    where = f"The inference server {connection.server.address}"
    name = publication.name
    if not connection.is_ready(name, publication.version):
        raise EngineError(f"{where} has no model {name} version {publication.version} ready.", remedy=PUBLISH)
    metadata = connection.metadata(name, publication.version)
    _check_ports(where, name, signature.inputs, metadata.inputs)
    _check_ports(where, name, signature.outputs, metadata.outputs)
    configuration = connection.configuration(name, publication.version)
    if configuration is None:
        if connection.server.require_sums:
            raise EngineError(
                f"{where} cannot say which bundle its model {name} is.",
                remedy="OpenVINO Model Server has no such call: if you trust what it serves, set "
                "remote.require_sums = false. The known answers are asked for in any case.",
            )
        return None
    for key, wanted in publication.parameters.items():
        said = configuration.parameters[key].string_value if key in configuration.parameters else None
        if said != wanted:
            raise EngineError(
                f"{where} serves another model under the name {name}: its {key} is {said!r}, not {wanted!r}.",
                remedy=PUBLISH,
            )
    return int(configuration.max_batch_size) or None


def _check_ports(where: str, name: str, ports: Iterable[Port], said: Iterable[Any]) -> None:
    wanted = {
        port.name: (_kserve_type(port), [size if isinstance(size, int) else -1 for size in port.shape])
        for port in ports
    }
    found = {tensor.name: (tensor.datatype, list(tensor.shape)) for tensor in said}
    if found != wanted:
        raise EngineError(
            f"{where} serves another model under the name {name}: it says {found}, not {wanted}.",
            remedy=PUBLISH,
        )


def version() -> str:
    """The installed client's version."""
    return installed_version("tritonclient")


def load(model: Path, *, threads: int, server: InferenceServer | None = None) -> RemoteEngine:
    """Connect, and make sure that the server serves the bundle that `model` is in.

    Raises EngineError when there is no server in the settings, it cannot be reached within its deadline, or
    it serves anything else. How many threads compute is the server's affair.
    """
    del threads
    if server is None:
        raise EngineError(
            "No inference server is named in the settings.",
            remedy="Set remote.address, or leave remote out of worker.engines.",
        )
    signature = read_signature(model)
    publication = publication_of(model)
    connection = Connection(server)
    try:
        max_batch = _check_model(connection, publication, signature)
        return RemoteEngine(connection, publication, signature=signature, max_batch=max_batch)
    except EngineError:
        connection.close()
        raise
