"""How large, how long and how many: every limit of HTTP, with its unit."""

from __future__ import annotations

from uv_self_update.values import frozen


@frozen
class Limits:
    """The limits of one run.

    Sizes are in bytes, of a body without its content coding; times are in seconds. What users
    configure (`network.timeout`, `network.retries`) is in `config.settings.Network`.
    """

    # Sizes of what is fetched.
    document: int = 8 << 20
    """A document that is read as a whole: nginx lists all files of uv in less than 4 MiB."""

    excerpt: int = 1 << 20
    """The start of an answer that detection examines."""

    file: int = 2 << 30
    """A downloaded file: archives of uv are smaller than 40 MiB."""

    script: int = 4 << 20
    """An installer script: those of uv are smaller than 100 KiB."""

    checksums: int = 1 << 20
    """A file of checksums: those of uv have about 2,000 bytes."""

    version_list: int = 1 << 20
    """A list of approved versions: uv has a few hundred versions."""

    list: int = 256 << 20
    """A list that is read item by item: 400 releases of uv are 35 MB of JSON."""

    line: int = 1 << 20
    """A line of a list: one of uv.ndjson has less than 5,000 bytes."""

    lists: int = 256 << 20
    """All lists and documents of one source together."""

    lists_timeouts: int = 10
    """Time for all lists and documents of one source, as a multiple of `network.timeout`."""

    pages: int = 1000
    """Pages of one list."""

    nexus_pages: int = 2000
    """Pages of one search in Nexus, of 50 or 100 files each: those of uv fill 370."""

    bucket_pages: int = 400
    """Pages of one listing of a bucket, of 1,000 keys each."""

    # Requests and connections.
    redirects: int = 10
    """Redirects of one request."""

    connections: int = 100
    """Connections to fetch one file, or to read one list."""

    progress: int = 64 << 10
    """Bytes after which a broken connection does not count as another failure in a row."""

    throughput: int = 1024
    """Bytes a second: a slower transfer is given up."""

    head_timeouts: int = 4
    """Time for connecting and for the head of an answer, as a multiple of `network.timeout`."""

    idle: float = 20.0
    """How long an idle connection is kept open for the next request."""

    # Retries.
    first_wait: float = 0.5
    """The longest wait before the first retry; it doubles with each further one."""

    longest_wait: float = 8.0
    """The longest wait between two retries that no server has asked for."""

    retry_after: float = 60.0
    """The longest `Retry-After` that is honoured."""

    all_waits: float = 300.0
    """All waits of a run together."""

    # The gateway, whose client is uv.
    request_head: int = 32 << 10
    """The request line and the headers."""

    pending: int = 128
    """Connections that are waited for at once; macOS gives a process 256 files in all."""

    head_time: float = 10.0
    """For a client to send a request."""

    send_time: float = 120.0
    """For a client to accept the next bytes of a response."""

    close_time: float = 2.0
    """For a client to close the connection after the response."""

    first_byte: float = 10.0
    """Until a response begins: uv gives up after 30 seconds without a byte (measured, 0.13)."""

    keepalive: float = 5.0
    """Between two bytes of padding, while a response is not known yet."""


DEFAULTS = Limits()
