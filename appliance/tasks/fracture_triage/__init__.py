# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a radiograph of a limb may show that somebody should look at soon."""

from __future__ import annotations

from typing import Final

from appliance.tasks.radiograph_classifier import RadiographClassifier

TASK: Final = RadiographClassifier(name="fracture_triage")
