"""What a run refuses to be told."""

from __future__ import annotations

import pytest

from wuts_sandbox.run.options import RunFailed, require_loopback


class TestRequireLoopback:
    """options.require_loopback."""

    @pytest.mark.parametrize("address", ["http://10.0.0.1:4318", "https://otel.example", "x"])
    def test_elsewhere(self, address: str) -> None:
        """A collector of another machine is refused by name."""
        with pytest.raises(RunFailed, match="OTLP_ENDPOINT"):
            require_loopback(address)

    @pytest.mark.parametrize("address", ["", "http://127.0.0.1:4318", "http://localhost:1/x"])
    def test_here(self, address: str) -> None:
        """One of this machine may be told, or none."""
        assert require_loopback(address) is None  # type: ignore[func-returns-value]  # it passes
