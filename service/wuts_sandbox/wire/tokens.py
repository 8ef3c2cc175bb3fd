"""Loads the token dictionary of the binary XML from the package `waeys` (MIT)."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

SINGLE_BYTE_COUNT = 236
DOUBLE_BYTE_SHAPE = (256, 256, 256, 256)


class DictionaryError(RuntimeError):
    """The installed dictionary is missing or is not the one this codec was written for."""


@dataclass(frozen=True)
class Dictionary:
    """The words that stand for one byte, and the four pages of words that stand for two."""

    single: tuple[str, ...]
    double: tuple[tuple[str, ...], ...]


@cache
def dictionary() -> Dictionary:
    """Returns the dictionary; the first call reads it, later ones share it."""
    constants = _execute(_constants_file())
    words = Dictionary(
        single=tuple(constants.SINGLE_BYTE_TOKENS),
        double=tuple(tuple(page) for page in constants.DOUBLE_BYTE_TOKENS),
    )
    shape = tuple(len(page) for page in words.double)
    if len(words.single) != SINGLE_BYTE_COUNT or shape != DOUBLE_BYTE_SHAPE:
        message = "the token dictionary of waeys has an unexpected size"
        raise DictionaryError(message)
    return words


def _constants_file() -> Path:
    spec = importlib.util.find_spec("WAeys")
    if spec is None or not spec.submodule_search_locations:
        message = "the package waeys is not installed"
        raise DictionaryError(message)
    return Path(spec.submodule_search_locations[0]) / "WABinary" / "constants.py"


def _execute(path: Path) -> ModuleType:
    # Only this file: importing the package would run a whole client library (230 modules).
    spec = importlib.util.spec_from_file_location("_wuts_sandbox_dictionary", path)
    if spec is None or spec.loader is None or not path.is_file():
        message = "the package waeys holds no token dictionary"
        raise DictionaryError(message)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
