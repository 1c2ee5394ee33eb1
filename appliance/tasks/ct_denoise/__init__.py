# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A denoised copy of a CT series, slice by slice, beside the untouched original."""

from __future__ import annotations

from typing import Final

from appliance.tasks.ct_denoise.task import CtDenoise

TASK: Final = CtDenoise()
