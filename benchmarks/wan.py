"""A line in a process of its own: a TCP proxy that adds a round-trip time and limits bandwidth.

`python wan.py MBIT LOG PORT...` listens on ports of 127.0.0.2, and passes each connection on to the
same port of 127.0.0.1 until its standard input ends. It prints `0` as soon as it listens. A number
on standard input is the round-trip time of new connections in milliseconds, which is printed as
soon as it holds; it is 0 at first. LOG gets a `+` for a connection that begins, and a `-` for one
that has ended.

What the line does, and does not:

- Each direction takes half of the round-trip time.
- `connect` returns at once, because the kernel accepts. So the first bytes of a client leave one
  round-trip time after that, as if the handshake had taken so long.
- All connections share the bandwidth of each direction, in turns of at most 32 KiB.
- No byte is lost, and no connection starts slowly: a real line is slower for new connections.
"""

from __future__ import annotations

import asyncio
import os
import selectors
import subprocess
import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NEAR = "127.0.0.2"
"""The host that clients see."""

_FAR = "127.0.0.1"
_PIECE = 32 << 10  # bytes that are sent in one turn
_BURST = 0.005  # seconds of bandwidth that an idle link saves up
_IN_FLIGHT = 4 << 20  # bytes of a connection that a client which does not read leaves with us
_BACKLOG = 1024
_FORMAT = "%{time_appconnect} %{time_starttransfer} %{time_total} %{size_download}"


class Link:
    """One direction of the line, shared by its connections."""

    def __init__(self, rate: float) -> None:
        """Prepare for a rate in bytes a second."""
        self._rate = rate
        self._turn = asyncio.Lock()
        self._free = 0.0

    async def transmit(self, size: int) -> None:
        """Return when a piece has been sent; the others wait for their turn meanwhile."""
        loop = asyncio.get_running_loop()
        async with self._turn:
            self._free = max(self._free, loop.time() - _BURST) + size / self._rate
            await asyncio.sleep(max(0.0, self._free - loop.time()))


class Wan:
    """The line between clients and servers."""

    def __init__(self, *, rate: float, log: Path) -> None:
        """Prepare.

        Args:
            rate: Bytes a second in each direction.
            log: Where connections are noted.
        """
        self.rtt = 0.0
        """Seconds."""

        self._up, self._down = Link(rate), Link(rate)
        self._log = log.open("a", buffering=1)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection until both sides have ended it."""
        self._log.write("+\n")
        port = writer.get_extra_info("sockname")[1]
        begin, delay = asyncio.get_running_loop().time() + self.rtt, self.rtt / 2
        try:
            server, to_server = await asyncio.open_connection(_FAR, port)
            with closing(to_server):
                async with asyncio.TaskGroup() as group:
                    group.create_task(_carry(reader, to_server, self._up, delay, begin))
                    group.create_task(_carry(server, writer, self._down, delay, begin))
        except* OSError:
            pass  # one side has gone, and so does the other
        except* asyncio.CancelledError:
            pass  # the line ends
        finally:
            writer.close()
            self._log.write("-\n")


async def _carry(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    link: Link,
    delay: float,
    begin: float,
) -> None:
    """Carry one direction to its end; nothing leaves before `begin`."""
    loop = asyncio.get_running_loop()
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_IN_FLIGHT // _PIECE)

    async def arrive() -> None:
        while True:
            due, piece = await under_way.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not piece:
                writer.write_eof()
                return
            writer.write(piece)
            await writer.drain()

    async with asyncio.TaskGroup() as group:
        group.create_task(arrive())
        while True:
            piece = await reader.read(_PIECE)
            await link.transmit(len(piece))
            await under_way.put((max(loop.time(), begin) + delay, piece))
            if not piece:
                return


@dataclass(frozen=True, kw_only=True)
class Line:
    """A running line."""

    _commands: IO[str]
    _answers: IO[str]

    def set(self, rtt: int) -> None:
        """Give new connections another round-trip time, in milliseconds."""
        self._commands.write(f"{rtt}\n")
        self._commands.flush()
        self._answers.readline()

    def measured(self, rtt: int, url: str, trust: Path) -> str:
        """Return what curl measures of the line with a round-trip time, by a large file."""
        self.set(rtt)
        command = ["curl", "-sSf", "-o", os.devnull, "-w", _FORMAT, "--cacert", str(trust), url]
        done = subprocess.run(
            command,
            env={"PATH": os.defpath, "HOME": os.devnull},
            capture_output=True,
            check=True,
            text=True,
        )
        connected, first, total, size = map(float, done.stdout.split())
        return (
            f"line of {rtt} ms, by curl: TCP and TLS {connected * 1e3:.0f} ms, "
            f"a request {(first - connected) * 1e3:.0f} ms, "
            f"{size * 8 / (total - first) / 1e6:.0f} Mbit/s"
        )


@contextmanager
def line(*, ports: Sequence[int], mbit: float, log: Path) -> Iterator[Line]:
    """Run a line to servers.

    Args:
        ports: Theirs, on 127.0.0.1; the same are the line's, on NEAR.
        mbit: Megabits a second.
        log: Where connections are noted.
    """
    command = [sys.executable, __file__, str(mbit), str(log), *map(str, ports)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise AssertionError
        if not process.stdout.readline():
            message = "the line does not listen"
            raise AssertionError(message)
        yield Line(_commands=process.stdin, _answers=process.stdout)
        process.stdin.close()


async def _serve(wan: Wan, ports: Sequence[int]) -> None:
    servers = [
        await asyncio.start_server(wan.accept, NEAR, port, backlog=_BACKLOG, limit=_PIECE)
        for port in ports
    ]
    print(0, flush=True)
    ended = asyncio.Event()

    def obey() -> None:
        if not (command := sys.stdin.readline()):
            ended.set()
            return
        wan.rtt = float(command) / 1e3
        print(command, end="", flush=True)

    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), obey)
    await ended.wait()
    for server in servers:
        server.close()


def main(mbit: str, log: str, *ports: str) -> None:
    """Serve until standard input ends."""
    # `select` waits for microseconds, where the default waits for whole milliseconds.
    with asyncio.Runner(
        loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())
    ) as runner:
        wan = Wan(rate=float(mbit) * 125_000, log=Path(log))
        runner.run(_serve(wan, [*map(int, ports)]))


if __name__ == "__main__":
    main(*sys.argv[1:])
