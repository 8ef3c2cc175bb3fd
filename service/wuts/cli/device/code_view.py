"""What a terminal shows while a device is linked: a code, and how long it is good for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import segno
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

_QUIET_ZONE = 2
# Of the four modules that the standard asks for, phones need two at most; the
# screens of terminals are short.
_SCAN = "On the phone: WhatsApp > Linked devices > Link a device. Scan this code:"
_LINES_BESIDE_CODE = 3
_BLOCKS = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}
# The upper and the lower module of a cell, 1 is dark. Light is what is drawn: the
# code also holds where colours are off, as long as the background is dark.
_INK = Style(color="#ffffff", bgcolor="#000000")


def qr_rows(text: str) -> list[str]:
    """Draws a QR code as rows of half blocks, two modules a character."""
    rows = [list(row) for row in segno.make(text, error="l").matrix_iter(border=_QUIET_ZONE)]
    if len(rows) % 2:
        rows.append([0] * len(rows[0]))
    return [
        "".join(_BLOCKS[cell] for cell in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    ]


class CodeView:
    """Draws the present code and the time it has left, each time it is rendered."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rows: list[str] = []
        self._above: list[str] = ["Waiting for the first code ..."]
        self._end: float | None = None

    def show_qr(self, text: str, seconds: int) -> None:
        """Takes the next QR code; it is good for that long, 0: unknown."""
        self._above = [_SCAN]
        self._rows = qr_rows(text)
        self._count_down(seconds)

    def show_pair_code(self, code: str, phone: str, seconds: int) -> None:
        """Takes the pair code for a phone, given as digits."""
        self._above = [
            f"On the phone with +{phone}: WhatsApp > Linked devices > Link a device >",
            "Link with phone number instead. Type this code:",
            "",
            f"    {code}",
            "",
        ]
        self._rows = []
        self._count_down(seconds)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Gives the lines; where the code does not fit it says so instead of cutting it."""
        problem = self._problem(console, options)
        if problem:
            yield Text(problem)
            return
        yield from (Text(line) for line in self._above)
        yield from self._code()
        yield from self._time_left(options)

    def _count_down(self, seconds: int) -> None:
        self._end = self._clock() + seconds if seconds > 0 else None

    def _code(self) -> Iterator[Segment]:
        for row in self._rows:
            yield Segment(row, _INK)
            yield Segment.line()

    def _time_left(self, options: ConsoleOptions) -> Iterator[RenderableType]:
        # Where nothing is redrawn, a number of seconds would soon be wrong.
        if self._end is None or not options.is_terminal:
            return
        left = round(self._end - self._clock())
        yield Text(f"Good for {left} s." if left > 0 else "Waiting for the next code ...")

    def _problem(self, console: Console, options: ConsoleOptions) -> str:
        if not self._rows:
            return ""
        if options.ascii_only:
            return (
                "This terminal cannot draw the code: it is not set to UTF-8.\n"
                "Set LANG=C.UTF-8, or link with --code PHONE."
            )
        wide, high = len(self._rows[0]), len(self._rows) + _LINES_BESIDE_CODE
        size = console.size
        if size.width >= wide and (size.height >= high or not options.is_terminal):
            return ""
        return (
            f"The code needs {wide} columns and {high} lines; this terminal has {size.width} and "
            f"{size.height}.\nEnlarge it or choose a smaller font, or link with --code PHONE."
        )
