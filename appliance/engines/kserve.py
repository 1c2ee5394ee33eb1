# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A connection to a shared inference server in the KServe v2 protocol (NVIDIA Triton, OpenVINO Model Server).

It is opened only to the address of the settings, past no proxy and without asking anybody else the way.
Every call has a deadline, and whatever goes wrong becomes an EngineError in words.
"""

from __future__ import annotations

import hashlib
import importlib
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

from appliance.errors import EngineError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

T = TypeVar("T")

SUMS_PARAMETER: Final = "scanside_sums_sha256"
MODEL_PARAMETER: Final = "scanside_model_sha256"
RELEASE_PARAMETER: Final = "scanside_release"
PRECISION_PARAMETER: Final = "scanside_precision"
GRAPH_FILE: Final = re.compile(r"model(?:\.([a-z0-9]+))?\.onnx")
"""A graph in a bundle; the float32 one has no precision in its name."""
NAME_HASH_DIGITS: Final = 16
"""Of the bundle's hash in the model's name: 64 bits tell the releases of a site apart."""
CHANNEL: Final = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.enable_http_proxy", 0),  # pixels go to the address of the settings and nowhere else
    ("grpc.service_config_disable_resolution", 1),
    ("grpc.use_local_subchannel_pool", 1),  # a new connection does not wait out the pauses of an old one
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
)
"""How gRPC is set up; the rest is as it comes."""
MAX_REASON: Final = 300
"""Characters of a server's message that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceServer:
    """Where the server is, and how it is spoken to."""

    address: str
    """host:port"""
    tls: bool
    ca_file: str | None
    """The authority (PEM) that has signed the server's certificate; None: those that gRPC brings."""
    certificate_file: str | None
    key_file: str | None
    """Who we are (PEM), for a server that asks."""
    deadline_ms: float
    """For one answer."""
    connect_deadline_ms: float
    """For each question about the server and its models, connecting included."""
    require_sums: bool
    """Refuse a server that cannot say which bundle it serves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What a graph of a bundle is called on a server, and what the server has to say about it."""

    name: str
    version: str
    precision: str
    parameters: Mapping[str, str]


def publication_of(model: Path) -> Publication:
    """The publication of `model`, a graph in the folder of a verified bundle. Raises EngineError.

    The name holds the hash of the bundle's list, so a server can serve two releases while a fleet changes
    over, and an appliance cannot meet another model under the name that it asks for.
    """
    try:
        card = tomllib.loads((model.parent / "card.toml").read_text(encoding="utf-8"))
        sums = hashlib.sha256((model.parent / "SHA256SUMS").read_bytes()).hexdigest()
        graph = hashlib.sha256(model.read_bytes()).hexdigest()
        task, release = str(card["task"]), int(card["release"])
    except (OSError, ValueError, KeyError) as error:
        raise EngineError(
            f"{model} is not in a model bundle: {error}.",
            remedy="A server answers only for whole bundles; see `scanside models publish`.",
        ) from error
    match = GRAPH_FILE.fullmatch(model.name)
    precision = (match and match[1]) or "fp32"
    return Publication(
        name=f"{task}-{precision}-{sums[:NAME_HASH_DIGITS]}",
        version=str(release),
        precision=precision,
        parameters=MappingProxyType(
            {
                SUMS_PARAMETER: sums,
                MODEL_PARAMETER: graph,
                RELEASE_PARAMETER: str(release),
                PRECISION_PARAMETER: precision,
            }
        ),
    )


def library() -> Any:
    """The client library. Raises ImportError where it is not installed."""
    return importlib.import_module("tritonclient.grpc")


class Connection:
    """One channel to one server, opened at the first call, kept, and opened again after a break."""

    def __init__(self, server: InferenceServer) -> None:
        """Nothing is sent yet. Raises EngineError when a certificate cannot be read."""
        self.server = server
        self._library = library()
        self._client = self._library.InferenceServerClient(
            server.address, creds=_credentials(server) if server.tls else None, channel_args=list(CHANNEL)
        )

    def ask(self, question: Callable[..., T], *arguments: Any, **options: Any) -> T:
        """One call about the server or a model. Raises EngineError."""
        return self._call(self.server.connect_deadline_ms, question, *arguments, **options)

    def server_words(self) -> str:
        """The server's name and version."""
        metadata = self.ask(self._client.get_server_metadata)
        return f"{metadata.name} {metadata.version}".strip()

    def is_ready(self, name: str, version: str) -> bool:
        """Whether the server can answer for this model now."""
        return bool(self.ask(self._client.is_model_ready, name, version))

    def metadata(self, name: str, version: str) -> Any:
        """The model's inputs and outputs (KServe ModelMetadataResponse)."""
        return self.ask(self._client.get_model_metadata, name, version)

    def configuration(self, name: str, version: str) -> Any | None:
        """The model's configuration (Triton ModelConfig); None from a server that has no such call."""
        try:
            return self.ask(self._client.get_model_config, name, version).config
        except _NoSuchCallError:
            return None

    def infer(self, name: str, version: str, inputs: list[Any], outputs: list[Any]) -> Any:
        """One answer. Raises EngineError, within the deadline in any case."""
        return self._call(
            self.server.deadline_ms, self._client.infer, name, inputs, model_version=version, outputs=outputs
        )

    def _call(self, deadline_ms: float, question: Callable[..., T], *arguments: Any, **options: Any) -> T:
        try:
            return question(*arguments, client_timeout=deadline_ms / 1000, **options)
        except self._library.InferenceServerException as error:
            raise _in_words(self.server, error, deadline_ms) from error

    def close(self) -> None:
        """Hang up."""
        self._client.close()


class _NoSuchCallError(EngineError):
    """The server does not know this call of the protocol."""


def _credentials(server: InferenceServer) -> Any:
    try:
        ca, key, certificate = (
            Path(file).read_bytes() if file else None
            for file in (server.ca_file, server.key_file, server.certificate_file)
        )
    except OSError as error:
        raise EngineError(
            f"The certificate file {error.filename} cannot be read: {error.strerror}.",
            remedy="Mend remote.ca_file, remote.certificate_file or remote.key_file in the settings.",
        ) from error
    return importlib.import_module("grpc").ssl_channel_credentials(ca, key, certificate)


def _in_words(server: InferenceServer, error: Any, deadline_ms: float) -> EngineError:
    status = str(error.status()).rpartition(".")[2]
    said = " ".join(str(error.message()).split())[:MAX_REASON]
    where = f"The inference server {server.address}"
    if status == "DEADLINE_EXCEEDED":
        return EngineError(
            f"{where} gave no answer within {deadline_ms:g} ms.",
            remedy="The next engine takes over. If it happens often, the server or the network is too slow.",
        )
    if status == "UNAVAILABLE":
        return EngineError(
            f"{where} cannot be reached or takes no more work: {said}.",
            remedy="The next engine takes over. Check the server, the network and the certificates.",
        )
    if status == "UNIMPLEMENTED":
        return _NoSuchCallError(
            f"{where} does not speak the KServe v2 protocol as it should: {said}.",
            remedy="Check remote.address: it needs the gRPC port of a Triton or OpenVINO Model Server.",
        )
    return EngineError(
        f"{where} refused ({status}): {said}.",
        remedy="The next engine takes over. The server's own log says more.",
    )
