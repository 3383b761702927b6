"""Text of others made safe to show."""
from __future__ import annotations


def printable(text: str) -> str:
    """Text from a capture or a file name, its control characters spelt out: it cannot steer a terminal."""
    return "".join(letter if letter.isprintable() or letter == "\n" else f"\\x{ord(letter):02x}" for letter in text)


def one_line(text: str) -> str:
    return printable(text).replace("\n", "\\n")
