# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m appliance` is `scanside`."""

from appliance.cli import main

main()
