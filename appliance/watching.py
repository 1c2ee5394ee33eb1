# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""How a device is watched from outside: the `[metrics]`, `[drift]` and `[fleet]` parts of the settings."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from appliance.section import Section


class MetricsSettings(Section):
    """The device in numbers, for Prometheus."""

    enabled: bool = True
    host: str = "127.0.0.1"
    port: int = Field(default=9477, ge=1, le=65535)


class DriftSettings(Section):
    """Each scanner's newest exams against its baseline."""

    enabled: bool = True
    baseline_exams: int = Field(default=200, ge=100, le=2000)
    recent_exams: int = Field(default=100, ge=50, le=1000)
    every_exams: int = Field(default=50, ge=10, le=1000)


class FleetSettings(Section):
    """What this device says about itself to those who look after many; and where they gather it."""

    folder: str = ""
    """Where the signed file goes: a share, a synchronised folder, a stick. Empty: nobody is told."""
    interval_min: float = Field(default=60.0, ge=1, le=10080)
    device_keys: Path = Path("/etc/scanside/fleet-keys")
    """Folder of the public keys of the devices that the page is about."""
    late_after_days: float = Field(default=7.0, gt=0, le=365)
    """On the page: a device that was not heard for longer is late. Links that are down for days are usual."""
