"""What a release is, and which release may be installed: target, policy, digests."""

__all__ = (
    "ages",
    "digests",
    "distribution",
    "flat_index",
    "policy",
    "release",
    "release_urls",
    "target",
)
