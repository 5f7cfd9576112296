"""Apply each mutant in a copy of the repository, and run the tests that must fail then.

The exit code is 1 unless each is caught. A word selects the mutants whose promise, file or tests
contain it: `PYTHONPATH=tests uv run python -m support.mutants redirects`.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from collections import Counter
from pathlib import Path

from support.mutants import PAGES, ROOT, Mutant, mutants

_PARTS = ("src", "tests", "docs", "benchmarks", "README.md", "CONTRIBUTING.md", "pyproject.toml")
_SHOWN = 2000  # characters of the output of tests that check nothing
_TIMEOUT = 120.0  # seconds for the tests of one mutant
_PASSED, _FAILED = 0, 1  # exit codes of pytest


def main(words: list[str]) -> int:
    """Report each mutant, and return the exit code."""
    selected = [
        mutant
        for page in PAGES
        for mutant in mutants(page)
        if all(word in f"{page} {mutant}" for word in words)
    ]
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory, "copy")
        python = _copied(root, Path(directory, "venv"))
        nodes = sorted({node for mutant in selected for node in mutant.nodes})
        if _run(python, root, nodes, timeout=None) != "survived":
            sys.stdout.write("the tests fail without a mutant\n")
            return 1
        counts = Counter(_report(python, root, mutant) for mutant in selected)
    seconds = time.monotonic() - begun
    found = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
    sys.stdout.write(f"{len(selected)} mutants in {seconds:.0f} s: {found}\n")
    return 0 if set(counts) <= {"caught"} else 1


def _report(python: Path, root: Path, mutant: Mutant) -> str:
    path = root / mutant.path
    code = path.read_text(encoding="utf-8")
    mutated = mutant.applied(code)
    if mutated is None:
        outcome = "no longer applies"
    else:
        path.write_text(mutated, encoding="utf-8")
        outcome = _run(python, root, mutant.nodes)
        path.write_text(code, encoding="utf-8")
    sys.stdout.write(f"{outcome:18} {mutant.file}: {mutant.promise} ({', '.join(mutant.tests)})\n")
    sys.stdout.flush()
    return outcome


def _copied(root: Path, environment: Path) -> Path:
    """Copy the repository, and return a Python that imports the copy and the same packages."""
    for part in _PARTS:
        if (ROOT / part).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / part, root / part, ignore=ignored)
        else:
            shutil.copy2(ROOT / part, root / part)
    if (ROOT / ".cache").exists():  # the uvs that the tests have fetched
        (root / ".cache").symlink_to((ROOT / ".cache").resolve())
    venv.create(environment, symlinks=True)
    base = {"base": str(environment), "platbase": str(environment)}
    packages = Path(sysconfig.get_path("purelib", vars=base))
    paths = (root / "src", sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
    # An editable installation is in a `.pth` file, which counts in the first of them only.
    (packages / "copy.pth").write_text("".join(f"{path}\n" for path in paths), encoding="utf-8")
    scripts = Path(sysconfig.get_path("scripts", vars=base))
    for program in Path(sysconfig.get_path("scripts")).iterdir():
        if not (scripts / program.name).exists() and program.name != "uv-self-update":
            (scripts / program.name).symlink_to(program)
    return scripts / "python"


def _run(python: Path, root: Path, nodes: list[str], *, timeout: float | None = _TIMEOUT) -> str:
    """Run tests, and return what has become of the mutant."""
    command = [str(python), "-m", "pytest", "-q", "-n", "0", "-x", "-p", "no:cacheprovider"]
    command += ["-m", "not slow", *nodes]
    with subprocess.Popen(
        command,
        cwd=root,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,  # with the programs that the tests start
    ) as process:
        try:
            output, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return "hangs"
    if process.returncode == _FAILED:
        return "caught"
    if process.returncode == _PASSED and " passed" in output:
        return "survived"
    sys.stdout.write(output[-_SHOWN:])
    return "not checked"  # the tests were skipped, or cannot be imported


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
