"""The session process on a machine where something about the engine is odd.

Run as `python odd_engine.py ODDITY [arguments of the session process]`.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from wuts.session.main import main

if TYPE_CHECKING:
    import ctypes


def refuse(_: ctypes.CDLL) -> None:
    """Finds another root key than WhatsApp's in the library."""
    raise RuntimeError


def hide_libmagic() -> None:
    """Makes the import of python-magic fail, as it does without libmagic."""
    sys.modules["magic"] = None  # type: ignore[assignment] # so the import system is told


if __name__ == "__main__":
    oddity, *arguments = sys.argv[1:]
    assert "HTTPS_PROXY" in os.environ
    if oddity == "no-libmagic":
        hide_libmagic()
        sys.exit(main(arguments))
    sys.exit(main(arguments, prepare_engine=refuse))
