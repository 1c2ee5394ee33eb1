# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The device: intake, quality control, triage, denoising, store and outputs. No Qt in here."""
