# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What every section of the settings is: frozen, and strict about names it does not know."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

AeTitle = Annotated[
    str, Field(min_length=1, max_length=16, pattern=r"^[\x21-\x5B\x5D-\x7E][\x20-\x5B\x5D-\x7E]*$")
]
"""PS3.5 table 6.2-1, VR AE: 16 characters, no backslash, no control characters."""


class Section(BaseModel):
    """One table of the settings file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
