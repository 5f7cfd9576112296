"""The server on loopback that uv talks to: it speaks GitHub's release API."""
