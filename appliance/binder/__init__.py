# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What an authority, an auditor or a hospital's own safety office asks of a device, in one folder."""
