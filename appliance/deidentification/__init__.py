# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Images for training or support, without the patient: PS3.15 annex E, and what it leaves to the software."""
