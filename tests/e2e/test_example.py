"""The documented example, received over a socket by the real core."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandboxes import Sandbox

MARIA, JOAO = "5511999999999@s.whatsapp.net", "5511888888888@s.whatsapp.net"
CONTACTS: dict[str, Any] = {
    "success": True,
    "count": 2,
    "contacts": [
        {
            "jid": MARIA,
            "first_name": "Maria",
            "full_name": "Maria Silva",
            "push_name": "Maria",
            "business_name": "Silva Comercio",
        },
        {"jid": JOAO, "full_name": "Joao Pereira", "push_name": "Joao"},
    ],
}
PICTURE = {
    "success": True,
    "data": {
        "jid": MARIA,
        "url": "https://pps.whatsapp.net/v/t61.24694-24/abc123.jpg",
        "id": "1700000000",
        "type": "image",
        "direct_path": "/v/t61.24694-24/abc123.jpg",
    },
}
QUESTION = {
    "jids": ["5511999999999", JOAO, "112233445566778@lid"],
    "group_jid": "120363039000000000@g.us",
}
DOCUMENTED_ITEMS: list[dict[str, str]] = [
    {
        "input": "5511999999999",
        "input_jid": MARIA,
        "resolved_jid": MARIA,
        "jid": MARIA,
        "phone_number": "5511999999999",
        "full_name": "Maria Silva",
        "push_name": "Maria",
    },
    {
        "input": "112233445566778@lid",
        "input_jid": "112233445566778@lid",
        "resolved_jid": JOAO,
        "jid": JOAO,
        "phone_number": "5511888888888",
        "lid_jid": "112233445566778@lid",
        "full_name": "Joao Pereira",
    },
]


class TestDocumentedExamples:
    """The three calls answer as documented, byte for byte where that is told."""

    def test_list(self, example: Sandbox) -> None:
        """GET /contacts is the documented JSON, whole and in its order."""
        assert CONTACTS == example.get("/contacts").json()

    def test_picture(self, example: Sandbox) -> None:
        """The full picture is the documented JSON."""
        path = "/contacts/profile-picture?jid=5511999999999@s.whatsapp.net&preview=false"
        assert PICTURE == example.get(path).json()

    def test_unchanged(self, example: Sandbox) -> None:
        """The id that still matches gives exactly the four documented keys."""
        path = "/contacts/profile-picture?number=5511999999999&existing_id=1700000000"
        data = {"jid": MARIA, "url": None, "id": "1700000000", "unchanged": True}
        assert {"success": True, "data": data} == example.get(path).json()

    def test_preview(self, example: Sandbox) -> None:
        """Without `preview` the low-resolution picture comes, from an address of its own."""
        data = example.get("/contacts/profile-picture?number=5511999999999").json()["data"]
        assert "preview" == data["type"]
        assert PICTURE["data"]["url"] != data["url"]  # type: ignore[index]  # a JSON literal

    def test_resolve(self, example: Sandbox) -> None:
        """The answer differs from the documented one in two ways: an item more, a name more."""
        answer = example.call("POST", "/contacts/resolve", json=QUESTION).json()
        maria, joao = DOCUMENTED_ITEMS
        joao = joao | {"push_name": "Joao"}
        second = joao | {"input": JOAO, "input_jid": JOAO}
        assert {"success": True, "count": 3, "items": [maria, second, joao]} == answer

    def test_full_view(self, example: Sandbox) -> None:
        """view=FULL adds the LID where one is known."""
        contacts = example.get("/contacts?view=FULL").json()["contacts"]
        expected = {MARIA: None, JOAO: "112233445566778@lid"}
        assert expected == {c["jid"]: c.get("lid_jid") for c in contacts}

    def test_pages(self, example: Sandbox) -> None:
        """Two pages of one are the list; the second says that nothing follows."""
        first = example.get("/contacts?page_size=1").json()
        second = example.get(f"/contacts?page_size=1&page_token={first['next_page_token']}").json()
        assert CONTACTS["contacts"] == first["contacts"] + second["contacts"]
        assert "next_page_token" not in second
