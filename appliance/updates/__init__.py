# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Updates of the software: signed bundles, two slots, and the choice between them."""
