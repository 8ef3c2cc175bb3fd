"""QR codes as pictures for a browser."""

from __future__ import annotations

import asyncio
from functools import lru_cache

import segno

_PIXELS_PER_MODULE = 5


async def draw(text: str) -> str:
    """Draws a QR code as a PNG in a data URI: "data:image/png;base64,..."."""
    # Tens of milliseconds, which nobody else's call should wait for.
    return await asyncio.to_thread(drawn, text)


@lru_cache(maxsize=64)  # callers ask every second or so for the same code
def drawn(text: str) -> str:
    """Draws a QR code at once."""
    return segno.make(text, error="l", micro=False).png_data_uri(scale=_PIXELS_PER_MODULE)
