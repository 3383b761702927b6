"""Whose bytes a host keeps when segments that wait behind a hole overlap, by name (docs/streams.md)."""
from __future__ import annotations

from tcpcore.overlap import OverlapRule

POLICIES = {
    "first": OverlapRule.FIRST, "last": OverlapRule.LAST, "bsd": OverlapRule.BSD, "bsd-right": OverlapRule.BSD_RIGHT,
    "linux": OverlapRule.LINUX, "old-linux": OverlapRule.OLD_LINUX, "solaris": OverlapRule.SOLARIS,
    "windows": OverlapRule.BSD, "windows2003": OverlapRule.BSD, "vista": OverlapRule.FIRST, "macos": OverlapRule.BSD,
    "irix": OverlapRule.BSD, "hpux10": OverlapRule.BSD, "hpux11": OverlapRule.SOLARIS}
DEFAULT_POLICY = "linux"


def rule_of(policy: str) -> OverlapRule:
    """ValueError for a policy that does not exist."""
    if policy not in POLICIES:
        raise ValueError(f'there is no overlap policy "{policy}"; there are {", ".join(POLICIES)}')
    return POLICIES[policy]
