# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Settings: a TOML file, then SCANSIDE__SECTION__NAME from the environment, and nothing guessed.

A wrong setting ends the process with exit code 78 and a message that names the file, the key, the value
and what is allowed. Every setting has its unit in its name and stands in docs/settings.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError
from typing_extensions import Self

from appliance.errors import ConfigError
from appliance.keeping import AuditSettings, RetentionSettings
from appliance.receivers import CourierSettings, ReceiverSettings, SenderSettings
from appliance.section import AeTitle, Section
from appliance.settings_for_people import AlertSettings, KioskSettings, LightSettings, QueueSettings
from appliance.settings_form import CURRENT_FORM, FIRST_FORM, bring_up_to_date
from appliance.watching import DriftSettings, FleetSettings, MetricsSettings
from appliance.worklist import WorklistSettings

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

GIB: Final = 1024**3
MIB: Final = 1024**2

ENGINE_FOLDER: Final = Path(__file__).parent / "engines"
NOT_A_CHOICE: Final = frozenset({"faulty"})
"""The fire drill is for tests: it cannot be chosen on a device."""


def _known_engine(name: str) -> str:
    """An engine is a file: no list here to forget one in."""
    files = {path.stem for path in ENGINE_FOLDER.glob("[a-z]*.py")} - NOT_A_CHOICE
    if name != "auto" and name not in files:
        raise ValueError("there is no engine of that name; docs/engines.md tells of them")
    return name


EngineName = Annotated[str, AfterValidator(_known_engine)]
"""`auto`, or the name of an engine's file."""

SETTINGS_FILE_NAME: Final = "SCANSIDE_CONFIG"
"""The environment's word for the settings file; an installed device names its own with it."""


class IntakeSettings(Section):
    """The watched inbox and the rules by which a file or a series counts as complete."""

    folders: tuple[Path, ...] = ()
    """More folders to watch beside `inbox` under the data folder."""
    events: bool = True
    """Use the kernel's file events as hints. False for shares that give none."""
    look_interval_s: float = Field(default=0.05, gt=0, le=60)
    """Time between the two looks in which a file must not change."""
    rescan_interval_s: float = Field(default=2.0, gt=0, le=30)
    """How often the whole inbox is listed, whatever events said."""
    truncated_after_s: float = Field(default=120.0, gt=0)
    """A file that stays unfinished and unchanged this long is quarantined as truncated."""
    series_quiet_s: float = Field(default=10.0, gt=0)
    """Last resort: a CT or MR series without evidence is taken as it is after this much quiet."""
    max_file_bytes: int = Field(default=4 * GIB, gt=0)
    delete_after_landing: bool = False
    """Delete a file from the inbox once its copy is durable. Off: the inbox is never touched."""


class ListenerSettings(Section):
    """The DICOM door: C-STORE and C-ECHO."""

    enabled: bool = True
    host: str = "127.0.0.1"
    port: int = Field(default=11112, ge=1, le=65535)
    ae_title: AeTitle = "SCANSIDE"
    called_ae_titles: tuple[AeTitle, ...] = ()
    """Other names under which senders may call us."""
    calling_ae_titles: tuple[AeTitle, ...] = ()
    """Who may send. Empty: anyone who can reach `host` (only this machine, as shipped)."""
    stat_ae_titles: tuple[AeTitle, ...] = ()
    """Senders whose images are always urgent (resuscitation room)."""
    max_associations: int = Field(default=10, ge=1, le=100)
    max_associations_per_host: int = Field(default=6, ge=1, le=100)
    """One machine cannot keep all others out."""
    associations_per_min: int = Field(default=600, ge=1, le=100000)
    """Per machine. Old modalities open one for each slice: ten a second leave them room."""
    max_pdu_bytes: int = Field(default=131072, ge=4096, le=1048576)
    max_held_bytes: int = Field(default=4 * GIB, ge=MIB)
    """Of images that are being received, over all associations: they are gathered in memory."""
    request_timeout_s: float = Field(default=10.0, gt=0)
    """From the connection to the whole association request, TLS included (the ARTIM timer of PS3.8)."""
    network_timeout_s: float = Field(default=30.0, gt=0)
    """From one whole packet to the next, whether the sender is silent or lets bytes trickle."""
    image_timeout_s: float = Field(default=600.0, gt=0)
    """From the first packet of an image to its last: 30 MB over 0.4 Mbit/s."""
    association_limit_s: float = Field(default=14400.0, gt=0)
    """An older association is ended as soon as no image is under way."""
    tls: bool = False
    certificate_file: str = ""
    key_file: str = ""
    client_ca_file: str = ""
    """With it, who calls must show a certificate of this authority (mutual TLS)."""

    @model_validator(mode="after")
    def _tls_has_a_certificate(self) -> Self:
        if self.tls and not self.certificate_file:
            raise ValueError("tls needs certificate_file (and key_file, if the key is not in it)")
        if self.client_ca_file and not self.tls:
            raise ValueError(
                "client_ca_file has no effect without tls: nobody would be asked for a certificate"
            )
        return self


class ReadingSettings(Section):
    """Limits of the jail in which foreign files are parsed and decoded."""

    memory_bytes: int = Field(default=2 * GIB, ge=256 * MIB)
    parse_timeout_s: float = Field(default=5.0, gt=0)
    """For one header. What could not use its time, because the machine was busy, gets it twice."""
    decode_timeout_s: float = Field(default=20.0, gt=0)
    """For one frame; likewise."""
    max_frame_bytes: int = Field(default=512 * MIB, gt=0)
    """Decoded size of one frame."""


class WorkerSettings(Section):
    """The process that decodes, infers and writes results."""

    engines: tuple[EngineName, ...] = ("auto",)
    """In order of preference; the first that has its passport for the model serves. `auto` stands for what
    is usable on this device: the GPU's engines, then the quickest one of the processor's."""
    precisions: tuple[Literal["int8", "fp16", "fp32"], ...] = ("int8", "fp16", "fp32")
    """Which graphs of a bundle may serve, in order of preference; on the processor the quickest one does."""
    threads: int = Field(default=2, ge=1, le=64)
    max_attempts: int = Field(default=3, ge=1, le=10)
    """A job that fails this often is set aside for a person; one that took its worker down this often
    goes behind all others, and is set aside after three times as many."""
    lease_s: float = Field(default=120.0, gt=0)
    step_budget_s: float = Field(default=30.0, ge=1)
    """The longest that may pass between two signs of life of a job, beside reading one frame (twice
    reading.decode_timeout_s). A worker that is past it hangs: it is ended and the job goes back."""
    idle_poll_s: float = Field(default=0.02, gt=0, le=5)
    halved_triage: Literal["off", "htj2k", "all"] = "htj2k"
    proof_interval_min: float = Field(default=10.0, ge=1, le=1440)
    """How often the worker answers a question whose answer is known, through the whole line."""


class RemoteSettings(Section):
    """The shared inference server, called only where worker.engines names `remote`. Files are PEM."""

    address: str = Field(default="", pattern=r"^(|[A-Za-z0-9.\-]+:[0-9]{1,5}|\[[0-9A-Fa-f:.]+\]:[0-9]{1,5})$")
    tls: bool = True
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    deadline_ms: float = Field(default=5000.0, gt=0, le=120000)
    connect_deadline_ms: float = Field(default=1000.0, gt=0, le=60000)
    require_sums: bool = True
    retry_first_s: float = Field(default=5.0, gt=0)
    retry_longest_s: float = Field(default=300.0, gt=0)


class UpdateSettings(Section):
    """Whose updates of the software this device takes, and how long a new one has to prove itself."""

    keys: Path = Path("/etc/scanside/update-keys")
    """Folder of public keys. Others than those of models: who may sign software may do anything here."""
    prove_within_s: float = Field(default=600.0, ge=10, le=7200)
    """From its start until every process works and the test exam has come out right; else the software that
    ran before runs again."""


class Settings(BaseSettings):
    """All settings. Read with `load_settings`."""

    model_config = SettingsConfigDict(
        env_prefix="SCANSIDE__", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    settings_version: int = Field(default=CURRENT_FORM, ge=FIRST_FORM, le=CURRENT_FORM)
    """The form of the file (settings_form)."""
    site_name: str = Field(default="", max_length=64)
    models: tuple[Path, ...] = ()
    """Folders of model bundles beside the shipped ones; the first bundle of a task wins."""
    model_keys: Path = Path("/etc/scanside/keys")
    """Folder of public keys whose bundles are taken, beside the shipped ones. Who may write there decides
    whose models this device runs, so it should not be the appliance's own user."""
    intake: IntakeSettings = IntakeSettings()
    listener: ListenerSettings = ListenerSettings()
    reading: ReadingSettings = ReadingSettings()
    worker: WorkerSettings = WorkerSettings()
    remote: RemoteSettings = RemoteSettings()
    sender: SenderSettings = SenderSettings()
    courier: CourierSettings = CourierSettings()
    worklist: WorklistSettings = WorklistSettings()
    alerts: AlertSettings = AlertSettings()
    kiosk: KioskSettings = KioskSettings()
    queue: QueueSettings = QueueSettings()
    light: LightSettings = LightSettings()
    metrics: MetricsSettings = MetricsSettings()
    drift: DriftSettings = DriftSettings()
    fleet: FleetSettings = FleetSettings()
    audit: AuditSettings = AuditSettings()
    retention: RetentionSettings = RetentionSettings()
    update: UpdateSettings = UpdateSettings()

    @property
    def everybody(self) -> tuple[ReceiverSettings, ...]:
        """Who gets things: the receivers that the sender reaches, and the courier if there is one."""
        return (*self.sender.receivers, *((self.courier,) if self.courier.enabled else ()))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, whose values come in as init arguments."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings


def load_settings(file: Path | None = None) -> Settings:
    """The settings of `file` (none: the defaults) with the environment on top.

    An older form is read as it was meant (settings_form). Raises ConfigError naming the file or variable,
    the key, the value and what is allowed; `appliance.configuration.checking` finds every fault at once.
    """
    content = read_content(file) if file is not None else {}
    bring_up_to_date(content)
    try:
        settings = Settings(**content)
    except SettingsError as error:
        raise ConfigError(
            f"The environment (SCANSIDE__...) cannot be understood: {error}.",
            remedy="Write lists there as JSON: SCANSIDE__WORKER__ENGINES='[\"ort\"]'.",
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        where = str(file) if file is not None else "the environment (SCANSIDE__...)"
        raise ConfigError(
            f"In {where}: {key} = {first.get('input')!r} is not allowed: {first['msg']}.",
            remedy="docs/settings.md lists every setting with its unit and range.",
        ) from error
    for _, what, remedy in contradictions(settings):
        raise ConfigError(what, remedy=remedy)
    return settings


def read_content(file: Path) -> dict[str, Any]:
    """What stands in a settings file, unjudged. Raises ConfigError when it cannot be read or is no TOML."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"The settings file {file} cannot be read: {error.strerror}.",
            remedy="Name an existing file with --config, or leave the option out for the defaults.",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        why = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "no UTF-8, or nested"
        raise ConfigError(
            f"The settings file {file} is not TOML: {why}.",
            remedy="Mend that line; docs/settings.md shows a complete file.",
        ) from error


def contradictions(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Settings that are right one by one and not together: a key, what is wrong, the remedy."""
    if "remote" in settings.worker.engines and not settings.remote.address:
        yield (
            "remote.address",
            "worker.engines names remote, but remote.address is empty.",
            "Set it, or leave remote out.",
        )
    names = {receiver.name for receiver in settings.sender.receivers}
    if settings.courier.enabled and settings.courier.name in names:
        yield (
            "courier.name",
            f"A receiver of sender is called {settings.courier.name!r}, like the courier.",
            "Give one of them another name.",
        )
    for stranger in sorted(set(settings.courier.instead_of) - names):
        yield (
            "courier.instead_of",
            f"courier.instead_of names {stranger!r}, but no receiver of sender is called so.",
            "Write the name as it stands at the receiver.",
        )
