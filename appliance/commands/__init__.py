# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What the `scanside` command does, one file a command. Heavy imports wait until a command needs them."""
