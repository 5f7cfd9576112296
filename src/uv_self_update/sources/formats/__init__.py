"""Parses what servers send: JSON, listings, bucket pages, HTML."""

__all__ = ("bucket", "documents", "entry", "json_array", "listing", "paging")
