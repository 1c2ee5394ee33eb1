# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The nouns: frozen values that cross every folder border. No behaviour that reads, writes or waits."""
