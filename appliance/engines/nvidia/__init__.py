# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What the engines on NVIDIA GPUs share: driver, versions of the library, building, keeping, running."""
