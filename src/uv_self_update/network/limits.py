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
    document: int = 8 << 20  # read as a whole: nginx lists all files of uv in less than 4 MiB
    excerpt: int = 1 << 20  # the start of an answer that detection examines
    file: int = 2 << 30  # archives of uv are smaller than 40 MiB
    script: int = 4 << 20  # installer scripts of uv are smaller than 100 KiB
    checksums: int = 1 << 20  # those of uv have about 2,000 bytes
    version_list: int = 1 << 20  # the approved versions: uv has a few hundred
    list: int = 256 << 20  # read item by item: 400 releases of uv are 35 MB of JSON
    line: int = 1 << 20  # of a list: one of uv.ndjson has less than 5,000 bytes
    lists: int = 256 << 20  # all lists and documents of one source together
    lists_timeouts: int = 10  # time for all of them, as a multiple of `network.timeout`
    pages: int = 1000  # of one list
    nexus_pages: int = 2000  # of one search, of 50 or 100 files each: those of uv fill 370
    bucket_pages: int = 400  # of one listing, of 1,000 keys each

    # Requests and connections.
    redirects: int = 10  # of one request
    connections: int = 100  # to fetch one file, or to read one list
    progress: int = 64 << 10  # a connection that broke later is not another failure in a row
    throughput: int = 1024  # bytes a second: a slower transfer is given up
    head_timeouts: int = 4  # for connecting and the head of an answer, as of `lists_timeouts`
    idle: float = 20.0  # of a connection that is kept open for the next request

    # Retries.
    first_wait: float = 0.5  # the longest before the first retry; doubles with each further one
    longest_wait: float = 8.0  # between two retries, unless a server asks for it
    retry_after: float = 60.0  # the longest `Retry-After` that is honoured
    all_waits: float = 300.0  # of a run together

    # The gateway, whose client is uv.
    request_head: int = 32 << 10  # the request line and the headers
    pending: int = 128  # connections that wait; macOS gives a process 256 files in all
    head_time: float = 10.0  # for a client to send a request
    send_time: float = 120.0  # for a client to accept the next bytes of a response
    close_time: float = 2.0  # for a client to close the connection after the response
    first_byte: float = 10.0  # of a response: uv gives up after 30 seconds (measured, 0.13)
    keepalive: float = 5.0  # between two bytes of padding, while a response is not known yet


DEFAULTS = Limits()
