"""What of a connection can be drawn, and whose segments."""
from __future__ import annotations

from typing import Literal

GraphName = Literal["sequence", "rtt", "throughput", "window"]
End = Literal["client", "server"]
