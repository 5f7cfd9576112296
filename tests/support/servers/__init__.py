"""The real servers that companies keep uv on, each started on a free port of loopback."""
