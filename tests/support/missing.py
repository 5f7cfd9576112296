"""What a test needs and the machine lacks: a reason to skip, and in CI to fail.

In CI on Linux, that is, where `.ci/run` installs all of it. Other systems never have some of it.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """Skip the test, or fail it in CI on Linux, where everything is to be there.

    Args:
        what: What is missing, as it is to be shown.
    """
    if os.environ.get("CI") and sys.platform == "linux":
        pytest.fail(what)
    pytest.skip(what)
