"""Text for a terminal."""
from tcpkit.text import one_line, printable

__all__ = ["one_line", "printable"]
