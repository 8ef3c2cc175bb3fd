"""The table of probes: large enough, and no route left out."""

from __future__ import annotations

import re

import pytest
from google.api.annotations_pb2 import http
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from .running import ROOT
from .table import PROBES, WIRE

_LEAST = 180


def _routes() -> set[tuple[str, str]]:
    """Reads method and path of every route from what Envoy transcodes by."""
    found = FileDescriptorSet.FromString((ROOT / "gateway" / "contacts.binpb").read_bytes())
    methods = [m for file in found.file for service in file.service for m in service.method]
    rules = [m.options.Extensions[http] for m in methods if m.options.HasExtension(http)]
    rules += [more for rule in rules for more in rule.additional_bindings]
    kinds = [(rule, rule.WhichOneof("pattern")) for rule in rules]
    return {(str(kind).upper(), getattr(rule, str(kind))) for rule, kind in kinds}


def _probed(method: str, path: str) -> list[int]:
    """Lists the statuses that the table expects of a route."""
    pattern = re.compile(re.sub(r"\{[^}]*\}", "[^/?]+", path) + r"(\?.*)?")
    return [p.status for p in PROBES if p.method == method and pattern.fullmatch(p.target)]


class TestTable:
    """All rows together."""

    def test_size(self) -> None:
        """Has at least 180 different requests."""
        asked = {(p.method, p.target, p.headers, p.body) for p in PROBES}
        assert len(asked) + len({wire.data for wire in WIRE}) >= _LEAST

    @pytest.mark.parametrize(("method", "path"), sorted(_routes()))
    def test_every_route(self, method: str, path: str) -> None:
        """Asks every route with success, with a bad parameter and without a token."""
        # One route can only say that the engine cannot do it.
        well = 501 if path == "/appstate/sync" else 200
        assert {well, 400, 401} <= set(_probed(method, path))

    @pytest.mark.parametrize("path", sorted({path for _, path in _routes()}))
    def test_every_path(self, path: str) -> None:
        """Asks every path by a method that it has not."""
        assert [405 in _probed(method, path) for method in ("PUT", "PATCH")] == [True, True]

    def test_the_names(self) -> None:
        """Names no two rows of the wire alike."""
        names = [wire.name for wire in WIRE]
        assert sorted(set(names)) == sorted(names)
