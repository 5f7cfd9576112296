"""What a test needs and the machine lacks: a reason to skip, and in CI to fail."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

__all__ = ("missing",)


def missing(what: str) -> NoReturn:
    """Skip the test, or fail it in CI, where everything is to be there.

    Args:
        what: What is missing, as it is to be shown.
    """
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)
