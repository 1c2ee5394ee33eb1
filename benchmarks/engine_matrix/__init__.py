# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Every shipped network on every engine, precision and number of threads, beside what the machine can do."""
