"""What captures are called in a directory of exports: each a name of its own, the same at the next export."""
from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

LONGEST = 240                    # bytes of a capture's name in others; file systems allow 255


def named(captures: Sequence[str | os.PathLike[str]], root: Path) -> Iterator[tuple[Path, str]]:
    """Each capture with the name its directory gets; files of one name from several places are told apart.

    A name that an earlier export gave belongs to that capture as long as it is there.
    """
    # One that is named twice is one.
    paths = list({(place_of(path), own_name(path)): path for path in map(Path, captures)}.values())
    alike = Counter(map(own_name, paths))
    for path in paths:
        place = place_of(path)
        plain, marked = names_of(path)
        owner = owner_of(plain, root)
        others = alike[own_name(path)] > 1 or os.path.exists(owner) or owner_of(marked, root) == place
        yield path, marked if len(plain) > LONGEST or (others and owner != place) else plain


def names_of(path: Path) -> tuple[str, str]:
    """The name a capture gets, and the one that no other place shares."""
    mark = "-" + sha256(os.fsencode(place_of(path))).hexdigest()[:8]
    return quoted(own_name(path)), shortened(own_name(path), mark)


def own_name(path: Path) -> str:
    """Also of a directory that is named by its place only: ``.`` and ``..``."""
    return path.name if path.name not in ("", "..") else os.path.basename(place_of(path)) or os.sep


def place_of(path: Path) -> str:
    """The same from whatever directory it is named."""
    return os.path.realpath(path)                # Path.resolve() fails for links that lead to each other


def quoted(name: str) -> str:
    """Without what readers of Hive partitions take for something else."""
    return quote(os.fsencode(name), safe=" ()+,;@")


def shortened(name: str, mark: str) -> str:
    """As much of the name as there is room for, and the mark."""
    while len(quoted(name + mark)) > LONGEST:
        name = name[:-1]
    return quoted(name + mark)


def owner_of(name: str, root: Path) -> str:
    """The place of the capture that an earlier export gave this name; empty if none did."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        return str(json.loads(record_of(name, root).read_text())["job"]["place"])
    return ""


def record_of(name: str, root: Path) -> Path:
    return root / "done" / f"{name}.json"
