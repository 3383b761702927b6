"""Groups of named numbers."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Self


class Group(type):
    """What may be done with a group."""

    @property
    def __members__(cls) -> dict[str, int]:
        """The numbers by name, in the order of their definition."""
        return {name: number for name, number in vars(cls).items() if not name.startswith("__")}

    def __getitem__(cls, name: str) -> Codes:
        member: Codes = cls(cls.__members__[name])
        return member

    def __iter__(cls) -> Iterator[Codes]:
        return (cls[name] for name in cls.__members__)


class Codes(int, metaclass=Group):
    """The base of a group, whose names are plain numbers.  Called with a number, the group gives one that has a name.

    Members of an IntEnum would change the type of an array that meets them, and take a program 10 ms to make.
    """

    def __new__(cls, number: int) -> Self:
        numbers = cls.__members__.values()
        if number not in numbers and any(known.bit_count() != 1 for known in numbers):
            raise ValueError(f"{number} is not a valid {cls.__name__}")
        return super().__new__(cls, number)

    @property
    def name(self) -> str:
        """The name of the number, or of each bit that is set, with ``|`` between."""
        members = type(self).__members__
        unnamed = self & ~sum(members.values())
        exact = [name for name, number in members.items() if number == self]
        bits = [name for name, number in members.items() if number & self]
        return "|".join(exact or bits + [hex(unnamed)] * bool(unnamed))

    @property
    def value(self) -> int:
        return int(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}.{self.name}: {int(self)}>"

    __str__ = int.__repr__
