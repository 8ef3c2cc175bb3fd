"""The channel that `wuts device` and `wuts health` open."""

from __future__ import annotations

import socket
from typing import Any

import click
import pytest

from wuts.cli.client import open_channel


@pytest.fixture
def listener() -> socket.socket:
    """Gives a socket that listens on loopback and answers nobody."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(10)
    return listening


class TestOpenChannel:
    """open_channel reads a URL."""

    @pytest.mark.parametrize("url", ["", "http://", "ftp://x:1", "http://x:port", "x:99999"])
    def test_no_url(self, url: str) -> None:
        """Anything but http(s)://HOST:PORT is a usage error."""
        with pytest.raises(click.BadParameter):
            open_channel(url)

    @pytest.mark.parametrize("url", ["http://127.0.0.1:{}", "127.0.0.1:{}"])
    def test_loopback_needs_no_proxy(
        self, listener: socket.socket, monkeypatch: pytest.MonkeyPatch, url: str
    ) -> None:
        """What stays on this machine, a token included, never goes to a proxy of the shell."""
        for name in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        with listener, open_channel(url.format(listener.getsockname()[1])) as channel:
            ask: Any = channel.unary_unary("/x.X/X")
            waiting = ask.future(b"", timeout=10)
            connection, _ = listener.accept()
            with connection:
                assert b"PRI * HTTP/2.0" == connection.recv(14)
            waiting.cancel()
