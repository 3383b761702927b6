"""What a capture is, in words."""
from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tcpkit.text import counted, one_line

if TYPE_CHECKING:
    from tcpcore.metadata import Interface, Section
    from tcpkit.info import CaptureInfo, FileInfo, InterfaceInfo
    from tcpkit.quality import Flaw

LISTED = 100                     # files or interfaces, of a hostile capture
UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (0, ""))


def lines_of(found: CaptureInfo) -> Iterator[str]:
    """All of it, a fact a line."""
    for one in found.files[:LISTED]:
        yield from _rows(_file(one))
        for section in one.sections[:LISTED]:
            yield from _rows(_section(section))
    if len(found.files) > LISTED:
        yield f"... and {len(found.files) - LISTED:,} more files"
    yield from _rows(_counts(found))
    for number, interface in enumerate(found.interfaces[:LISTED]):
        yield from _rows([(f"Interface {number}", ", ".join(_interface(interface.details, interface)))])
    if len(found.interfaces) > LISTED:
        yield f"... and {len(found.interfaces) - LISTED:,} more interfaces"
    yield ""
    yield "Quality" if found.quality else "Quality: nothing in this capture would mislead"
    for flaw in found.quality:
        yield from _flaw(flaw)


def _rows(rows: list[tuple[str, Any]]) -> Iterator[str]:
    for name, value in rows:
        if value is not None and value != "":
            yield f"{name + ':':<18}{one_line(str(value))}"


def _file(one: FileInfo) -> list[tuple[str, Any]]:
    kind = one.format if one.compression is None else f"{one.format}, {one.compression}"
    return [("File", one.name), ("Type", kind), ("Size", None if one.size is None else f"{one.size:,} bytes"),
            ("Damage", one.damage)]


def _section(section: Section) -> list[tuple[str, Any]]:
    return [("Hardware", section.hardware), ("Operating system", section.operating_system),
            ("Application", section.application), *(("Comment", text) for text in section.comments)]


def _counts(found: CaptureInfo) -> list[tuple[str, Any]]:
    decoded = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in found.decoded.items())
    untimed = f", {found.untimed_frames:,} without a time" if found.untimed_frames else ""
    others = f", {found.frames - found.packets:,} are no packets" if found.frames > found.packets else ""
    return [
        ("Frames", f"{found.frames:,}{untimed}{others}"),
        ("Decoded", decoded),
        ("Bytes", f"{found.wire_bytes:,} on the wire, {found.captured_bytes:,} captured"),
        ("First frame", _time(found.first_ns)), ("Last frame", _time(found.last_ns)),
        ("Duration", f"{found.duration:,.9f} s"),
        ("Average", None if found.average_size is None else f"{found.average_size:,.2f} bytes a packet"),
        ("Rates", None if found.packet_rate is None or found.bit_rate is None
         else f"{_short(found.packet_rate)}packets/s, {_short(found.bit_rate)}bit/s"),
        ("Time order", "strict" if found.strict_order else "not strict"),
        ("TCP", f"{counted(found.segments, 'segment')} in {counted(found.flows, 'flow')}, "
                f"{counted(found.payload_bytes, 'byte')} of payload"),
        ("Frame comments", found.frame_comments or None),
        ("Resolved names", f"{found.ipv4_names:,} of IPv4, {found.ipv6_names:,} of IPv6 addresses"
         if found.ipv4_names or found.ipv6_names else None),
        ("Secrets", f"{found.secrets:,} blocks of decryption secrets" if found.secrets else None),
    ]


def _interface(details: Interface, interface: InterfaceInfo) -> Iterator[str]:
    exponent = details.resolution & 0x7F
    if details.name:
        yield details.name
    if details.description:
        yield details.description
    yield interface.link_name
    yield f"snap length {details.snaplen:,}" if details.snaplen else "no snap length"
    yield f"clock ticks of {'2' if details.resolution & 0x80 else '10'}^-{exponent} s"
    if details.offset_s:
        yield f"times offset by {details.offset_s:,} s"
    if details.speed:
        yield f"{_short(details.speed)}bit/s"
    for name, text in (("filter", details.filter), ("operating system", details.operating_system),
                       ("hardware", details.hardware), *(("comment", text) for text in details.comments)):
        if text:
            yield f"{name} {text}"
    yield f"{counted(interface.frames, 'frame')}, {counted(interface.wire_bytes, 'byte')}"
    for name, count in details.statistics.items():
        if name != "ticks":
            yield f"{name.replace('_', ' ')} {count:,}"


def _flaw(flaw: Flaw) -> Iterator[str]:
    share = f" ({flaw.count / flaw.total:.1%})" if flaw.total else ""
    yield f"  {flaw.kind}: {flaw.count:,} of {flaw.total:,} {flaw.unit}{share}"
    yield f"    {flaw.what}"
    yield f"    {flaw.consequence}"
    if flaw.examples:
        yield f"    for example frame {', '.join(map(str, flaw.examples))}"


def _time(ns: int | None) -> str:
    """Universal time."""
    if ns is None:
        return ""
    from datetime import UTC, datetime, timedelta

    seconds, rest = divmod(ns, 1_000_000_000)
    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S}.{rest:09d} UTC"


def _short(number: float) -> str:
    """With the prefix that suits: 12.3 M."""
    least, prefix = next((least, prefix) for least, prefix in UNITS if number >= least)
    return f"{number / (least or 1):,.4g} {prefix}"
