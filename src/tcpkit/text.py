"""Text to show: that of others made safe, counts with what they count."""
from __future__ import annotations


def printable(text: str) -> str:
    """Text from a capture or a file name, its control characters spelt out: it cannot steer a terminal."""
    return "".join(letter if letter.isprintable() or letter == "\n" else f"\\x{ord(letter):02x}" for letter in text)


def one_line(text: str) -> str:
    return printable(text).replace("\n", "\\n")


def counted(number: int, noun: str) -> str:
    """1 frame, 2,000 frames."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
