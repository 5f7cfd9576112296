"""Parses what servers send: JSON, listings, bucket pages, HTML."""

__all__ = ("bucket", "documents", "entry", "listing", "paging")
