"""The description of the API and the page that shows it, as the gateway gives them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from swagger_ui_bundle import swagger_ui_path

from .running import ROOT

if TYPE_CHECKING:
    from .running import Gateway

FILES = ROOT / "gateway"
VIEWER = Path(swagger_ui_path)
JSON, HTML = "application/json", "text/html; charset=utf-8"
SCRIPT, STYLE = "text/javascript; charset=utf-8", "text/css; charset=utf-8"
PAGES = [
    ("/openapi.json", FILES / "openapi.json", JSON),
    ("/docs", FILES / "docs" / "index.html", HTML),
    ("/docs/page.js", FILES / "docs" / "page.js", SCRIPT),
    ("/docs/page.css", FILES / "docs" / "page.css", STYLE),
    ("/docs/swagger-ui-bundle.js", VIEWER / "swagger-ui-bundle.js", SCRIPT),
    ("/docs/swagger-ui.css", VIEWER / "swagger-ui.css", STYLE),
]


def ask(gateway: Gateway, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    """Asks without a token."""
    url = f"http://127.0.0.1:{gateway.port}{path}"
    return httpx.request(method, url, headers=headers, timeout=20, trust_env=False)


class TestPages:
    """Everyone gets them, from files."""

    @pytest.mark.parametrize(("path", "file", "kind"), PAGES)
    def test_are_the_files(self, gateway: Gateway, path: str, file: Path, kind: str) -> None:
        """Each is its file, byte for byte, with its type, and may be kept for a while."""
        answer = ask(gateway, path)
        assert (200, file.read_bytes(), [kind]) == (
            answer.status_code,
            answer.content,
            answer.headers.get_list("content-type"),
        )
        assert "nosniff" == answer.headers["x-content-type-options"]
        assert re.fullmatch(r"public, max-age=\d+", answer.headers["cache-control"])

    @pytest.mark.parametrize("path", [path for path, *_ in PAGES])
    def test_can_only_be_read(self, gateway: Gateway, path: str) -> None:
        """HEAD is answered without the body, other methods with 405."""
        head, post = ask(gateway, path, "HEAD"), ask(gateway, path, "POST")
        assert (200, b"") == (head.status_code, head.content)
        assert (405, "GET, HEAD") == (post.status_code, post.headers["allow"])

    @pytest.mark.parametrize("path", ["/docs/", "/docs/x", "/docs/swagger-ui.js", "/openapi.yaml"])
    def test_there_are_no_others(self, gateway: Gateway, path: str) -> None:
        """Nothing else of the viewer's package is given away."""
        answer = ask(gateway, path)
        assert (404, "NOT_FOUND") == (answer.status_code, answer.json()["error_code"])

    def test_big_ones_are_compressed(self, gateway: Gateway) -> None:
        """The viewer's script goes out compressed to those who can read that."""
        answer = ask(gateway, "/docs/swagger-ui-bundle.js", **{"accept-encoding": "gzip"})
        assert "gzip" == answer.headers["content-encoding"]
        assert (VIEWER / "swagger-ui-bundle.js").read_bytes() == answer.content


class TestPolicy:
    """The page can reach nothing but its own gateway."""

    def test_allows_no_other_source(self, gateway: Gateway) -> None:
        """Scripts, styles and calls come from and go to the gateway; inline code does not run."""
        told = ask(gateway, "/docs").headers["content-security-policy"]
        policy = dict(rule.split(maxsplit=1) for rule in told.split("; "))
        own = {"script-src", "style-src", "connect-src"}
        assert dict.fromkeys(own, "'self'") == {name: policy.pop(name) for name in own}
        assert "'self' data:" == policy.pop("img-src")
        assert {"'none'"} == set(policy.values())
        assert {"default-src", "base-uri", "form-action", "frame-ancestors"} == policy.keys()

    def test_tells_nobody_where_it_was(self, gateway: Gateway) -> None:
        """No address of the page travels on."""
        assert "no-referrer" == ask(gateway, "/docs").headers["referrer-policy"]

    def test_names_no_other_place(self) -> None:
        """The page itself refers to nothing outside."""
        texts = [file.read_text(encoding="utf-8") for file in (FILES / "docs").iterdir()]
        assert [] == [text for text in texts if re.search(r"https?:|[\"']//", text)]
