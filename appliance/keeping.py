# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What is kept and for how long: the `[audit]` and `[retention]` parts of the settings."""

from __future__ import annotations

from pydantic import Field, model_validator
from typing_extensions import Self

from appliance.section import Section


class AuditSettings(Section):
    """Where the end of the audit trail is kept outside this device."""

    anchor_folder: str = ""
    """A stick or a share. Empty: an older copy of the whole data folder would not be noticed."""
    anchor_interval_s: float = Field(default=60.0, ge=1, le=86400)


class RetentionSettings(Section):
    """When images are removed. Never those that are unread, unsent or undecided, whatever stands here."""

    enabled: bool = True
    warn_percent: float = Field(default=70.0, gt=0, lt=100)
    """Used part of the disk from which a person is told."""
    act_percent: float = Field(default=85.0, gt=0, lt=100)
    """Used part of the disk from which images are removed, until it is below again."""
    keep_days: float = Field(default=30.0, ge=0, le=36500)
    """Nothing that is younger is removed."""
    scrub_days: float = Field(default=7.0, ge=0, le=365)
    """In so many days every stored image is read again and compared with its hash. 0: never."""

    @model_validator(mode="after")
    def _warns_before_it_acts(self) -> Self:
        if self.warn_percent > self.act_percent:
            raise ValueError("warn_percent must not be above act_percent")
        return self
