# SPDX-License-Identifier: Apache-2.0
"""`python -m qlowrank.cli` is `qlowrank`."""

import sys

from qlowrank.cli import main

sys.exit(main())
