# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The workshop: from trained weights to finished model bundles. Never part of the device."""
