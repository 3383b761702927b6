"""Text to show: that of others made safe, counts with what they count."""
from __future__ import annotations


def printable(text: str) -> str:
    """Text from a capture or a file name, its control characters spelt out: it cannot steer a terminal."""
    return "".join(letter if letter.isprintable() or letter == "\n" else _spelt_out(letter) for letter in text)


def _spelt_out(letter: str) -> str:
    """As Python's literals have it; what a name that is not UTF-8 has instead of a byte (PEP 383) as that byte."""
    code = ord(letter) - 0xDC00 if "\udc80" <= letter <= "\udcff" else ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else letter.encode("unicode_escape").decode()


def one_line(text: str) -> str:
    return printable(text).replace("\n", "\\n")


def cause_of(error: Exception) -> str:
    """What is wrong with which file, without the number that the system has for it."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"
    return str(error)


def endpoint(address: str, port: int) -> str:
    """192.0.2.1:80, [2001:db8::1]:80 (RFC 3986 section 3.2.2)."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def duration_text(nanoseconds: float) -> str:
    """With three digits or so."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if abs(nanoseconds) >= size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds:g} ns"


def counted(number: int, noun: str) -> str:
    """1 frame, 2,000 frames."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
