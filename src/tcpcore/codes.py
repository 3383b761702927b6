"""Groups of named numbers, which become enums where somebody uses them as such."""
from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum, IntFlag
from functools import cache
from typing import cast


class Group(type):
    """What may be done with a group that may be done with an IntEnum."""

    @property
    def __members__(cls) -> dict[str, int]:
        """The numbers by name, in the order of their definition."""
        return {name: number for name, number in vars(cls).items() if not name.startswith("__")}

    def __call__(cls, number: int) -> IntEnum:
        return as_enum(cls)(number)

    def __getitem__(cls, name: str) -> IntEnum:
        return as_enum(cls)[name]

    def __iter__(cls) -> Iterator[IntEnum]:
        return iter(as_enum(cls))


class Codes(metaclass=Group):
    """The base of a group, whose names are plain numbers.

    Called with a number, indexed by a name or iterated it gives members of an IntEnum, or of an IntFlag if they are
    bits, which is made then.  Making one of each group would take a program that uses tcpkit 10 ms to start.
    """


@cache
def as_enum(group: Group) -> type[IntEnum]:
    are_bits = all(number.bit_count() == 1 for number in group.__members__.values())
    kind = IntFlag if are_bits else IntEnum
    return cast(type[IntEnum], kind(group.__name__, group.__members__, module=group.__module__))
