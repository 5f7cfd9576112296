"""The line of a download, in the look of uv's own: from numbers to text."""

from __future__ import annotations

from uv_self_update.messages import human_bytes
from uv_self_update.values import frozen

_BAR = 30  # columns, as in uv
_LEAST_BAR = 10
_LEAST_NAME = 12
_BYTES = len("1023.99 MiB")
_TIME = len("59m59s")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400

_DIM, _DONE, _LEFT, _END = "\x1b[2m", "\x1b[32m", "\x1b[2m", "\x1b[0m"


@frozen
class State:
    """One download at one moment."""

    name: str
    received: int
    """Bytes, with those of an earlier run."""

    size: int | None = None
    """Bytes of the whole file; None if unknown."""

    rate: float | None = None
    """Bytes per second; None if unknown."""


def line(state: State, columns: int, *, color: bool = False) -> str:
    """Return the line, one column shorter than the terminal, where some wrap.

    In a narrow terminal the bar becomes shorter, then the name; then the time left, the rate, the
    bar and the name are left out, in this order. At last it is the size alone, or per cent.
    """
    room = columns - 1
    size = _size_text(state)
    rate, time = _rate_text(state)
    # The places have fixed widths: a bar that changes its length every moment is hard to read.
    for figures in ([size, rate, time], [size, rate], [size]):
        text = " ".join(figures)
        left = room - len(text) - 1
        if state.size is not None and left >= _LEAST_NAME + 1 + _LEAST_BAR:
            name = _shortened(state.name, left - 1 - max(_LEAST_BAR, min(_BAR, left // 2)))
            bar = _bar(state.received, state.size, min(_BAR, left - 1 - len(name)), color=color)
            return f"{_styled(name, _DIM, color=color)} {bar} {text}".rstrip()
        if left >= _LEAST_NAME and (state.size is None or figures == [size]):
            name = _shortened(state.name, left)
            return f"{_styled(name, _DIM, color=color)} {text}".rstrip()
    size = size.strip()
    if len(size) <= room:
        return size
    percent = _percent(state)
    return percent if len(percent) <= room else ""


def task_line(text: str, columns: int, *, color: bool = False) -> str:
    """Return the line of something that is done without a download."""
    return _styled(_shortened(f"{text}...", columns - 1), _DIM, color=color)


def _size_text(state: State) -> str:
    received = f"{human_bytes(state.received):>{_BYTES}}"
    return received if state.size is None else f"{received}/{human_bytes(state.size)}"


def _rate_text(state: State) -> tuple[str, str]:
    """Return the rate and the time left, blank as far as they are unknown."""
    rate = time = ""
    if state.rate is not None and state.rate >= 1:
        rate = f"{human_bytes(state.rate)}/s"
        if state.size is not None and state.received < state.size:
            time = _duration((state.size - state.received) / state.rate)
    return f"{rate:>{_BYTES + 2}}", f"{time:>{_TIME}}"


def _duration(seconds: float) -> str:
    whole = max(1, round(seconds))
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m{whole % _MINUTE:02}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE:02}m"
    return f"{whole // _DAY}d"


def _bar(received: int, size: int, width: int, *, color: bool) -> str:
    """Return the bar; without colour, spaces are what is missing."""
    done = width if size == 0 else min(width, width * received // size)
    if color:
        return f"{_DONE}{'-' * done}{_END}{_LEFT}{'-' * (width - done)}{_END}"
    return f"{'-' * done}{' ' * (width - done)}"


def _percent(state: State) -> str:
    if not state.size:
        return ""
    return f"{min(100, 100 * state.received // state.size)}%"


def _shortened(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return f"{text[: max(0, most - 3)]}..."[: max(0, most)]


def _styled(text: str, style: str, *, color: bool) -> str:
    return f"{style}{text}{_END}" if color else text
