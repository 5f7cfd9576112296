"""Parsers for the responses of servers: JSON, directory listings, bucket listings, HTML."""

__all__ = ("bucket", "documents", "entry", "json_array", "listing", "paging")
