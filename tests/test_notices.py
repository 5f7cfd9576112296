"""Tests say what they download while they download it."""

from __future__ import annotations

import subprocess
import sys
from queue import Queue
from typing import TYPE_CHECKING

from support import notices

if TYPE_CHECKING:
    import pytest

_SEND = "from support.notices import notice; notice('downloading uv 0.5.0')"


def test_lines_of_other_processes(
    pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line of a worker arrives at the process that prints; without one nothing is sent."""
    lines: Queue[str] = Queue()
    monkeypatch.delenv("TESTS_NOTICES_PORT", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(pytestconfig.rootpath / "tests"))
    notices.notice("to nobody")
    end = notices.listen(lines.put)
    subprocess.run([sys.executable, "-c", _SEND], check=True)
    assert lines.get(timeout=30) == "downloading uv 0.5.0"
    end()
    assert lines.empty()
