"""Requests for profiles, the blocklist, number checks and the app state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakes import GROUP, JOAO, JOAO_LID, MARIA, MARIA_LID, STRANGER_LID

from . import world
from .device_asking import NOT_FOUND, NOT_READY, data_of
from .device_asking import ask as ask_as_keeper
from .probes import INVALID

if TYPE_CHECKING:
    from .probes import Probe

_MARIA_JID, _JOAO_JID = f"{MARIA}@s.whatsapp.net", f"{JOAO}@s.whatsapp.net"
_NOBODY = "5511777777777"
_ABSENT = (404, "NOT_ON_WHATSAPP")
_BUSY = (409, "DEVICE_NOT_CHOSEN")

_PROFILE = data_of(
    jid=_MARIA_JID,
    user_info={
        "Status": "Hey there! I am using WhatsApp.",
        "PictureID": "1718000000",
        "Devices": [_MARIA_JID],
        "VerifiedName": None,
    },
    business_profile=None,
)
_SILENT_PROFILE = data_of(
    jid=f"{JOAO_LID}@lid",
    user_info={
        "Status": "",
        "PictureID": "",
        "Devices": [_JOAO_JID, f"{JOAO}:3@s.whatsapp.net"],
        "VerifiedName": None,
    },
    business_profile=None,
)


def ask(name: str, target: str, status: int = 200, code: str = "", **more: Any) -> Probe:
    """Asks as the user of the example."""
    more.setdefault("token", world.DEMO)
    return ask_as_keeper(name, target, status, code, **more)


def post(name: str, target: str, status: int = 200, code: str = "", **more: Any) -> Probe:
    """Asks by POST."""
    return ask(name, target, status, code, method="POST", **more)


def profiles() -> list[Probe]:
    """Profiles, by their parameters."""

    def profile(name: str, query: str, status: int = 200, code: str = "", **more: Any) -> Probe:
        return ask(name, f"/contacts/profile?{query}", status, code, **more)

    wrong = "must not be a group"
    return [
        profile("documented", f"jid={_MARIA_JID}", answer=_PROFILE),
        profile("by number", "number=%2B55%20(11)%2099999-9999", answer=_PROFILE),
        profile("jid wins", f"jid={_MARIA_JID}&number={JOAO}", answer=_PROFILE),
        profile("empty jid", f"jid=&number={MARIA}", answer=_PROFILE),
        profile("a LID, of one who tells nothing", f"jid={JOAO_LID}@lid", answer=_SILENT_PROFILE),
        profile("nobody", f"number={_NOBODY}", *_ABSENT),
        profile("an unknown LID", f"jid={STRANGER_LID}@lid", *_ABSENT),
        ask("neither", "/contacts/profile", *INVALID, invalid="jid"),
        profile(wrong, f"jid={GROUP}", *INVALID, invalid="jid"),
        profile("no JID", "jid=maria", *INVALID, invalid="jid"),
        profile("a short number", "number=12345", *INVALID, invalid="number"),
        profile("unknown parameter", "colour=red", *INVALID, invalid="colour"),
        profile("no UTF-8", "jid=%FF", *INVALID, invalid="jid"),
        profile("not connected", "jid=5511999999999", *NOT_READY, token=world.NO_DEVICE),
        profile("no choice", "jid=5511999999999", *_BUSY, token=world.SEVERAL),
    ]


def blocking() -> list[Probe]:
    """The blocklist, read and changed; the change is told and not kept."""
    none = data_of(items=[], count=0, dhash="2:")
    blocked = _changed(_MARIA_JID, MARIA, "block", 1, f"2:{MARIA_LID}")
    stranger = _changed(f"{STRANGER_LID}@lid", "", "block", 1, f"2:{STRANGER_LID}")
    joao = _changed(_JOAO_JID, JOAO, "block", 1, f"2:{JOAO_LID}")
    freed = _changed(_MARIA_JID, MARIA, "unblock", 0, "2:")
    block, unblock = "/contacts/block", "/contacts/unblock"
    return [
        ask("empty list", "/contacts/blocklist", answer=none),
        ask("unknown parameter", "/contacts/blocklist?colour=red", *INVALID, invalid="colour"),
        ask("no device", "/contacts/blocklist", *NOT_READY, token=world.NO_DEVICE),
        post("documented", block, body={"jid": _MARIA_JID}, answer=blocked),
        post("documented", unblock, body={"number": MARIA}, answer=freed),
        post("by LID", block, body={"jid": f"{JOAO_LID}@lid"}, answer=joao),
        post("by unknown LID", block, body={"jid": f"{STRANGER_LID}@lid"}, answer=stranger),
        post("jid wins", block, body={"jid": MARIA, "number": JOAO}, answer=blocked),
        post("empty jid", block, body={"jid": "", "number": MARIA}, answer=blocked),
        post("null", block, body={"jid": None, "number": MARIA}, answer=blocked),
        post("by query", f"{block}?jid={_MARIA_JID}", answer=blocked),
        post("by query and {}", f"{block}?number={MARIA}", body={}, answer=blocked),
        post("by query", f"{unblock}?number={MARIA}", answer=freed),
        post("body wins", f"{block}?jid={JOAO}", body={"jid": MARIA}, answer=blocked),
        post("body wins whole", f"{block}?jid={JOAO}", body={"number": MARIA}, answer=blocked),
        post("number in both", f"{block}?number={JOAO}", body={"number": MARIA}, answer=blocked),
        post("nobody", block, *_ABSENT, body={"number": _NOBODY}),
        post("nobody named", block, *INVALID, body={}, invalid="jid"),
        post("no body", unblock, *INVALID, invalid="jid"),
        post("a group", block, *INVALID, body={"jid": GROUP}, invalid="jid"),
        post("a short number", unblock, *INVALID, body={"number": "123"}, invalid="number"),
        post("unknown field", block, body={"jid": MARIA, "colour": "red"}, answer=blocked),
        post(
            "unknown parameter",
            f"{block}?colour=red",
            *INVALID,
            body={"jid": MARIA},
            invalid="colour",
        ),
        post("a number for a text", block, *INVALID, body={"number": [1]}, invalid="body"),
        post("no JSON", block, *INVALID, body="{", invalid="body"),
        post("a list", unblock, *INVALID, body="[]", invalid="body"),
        post("no device", block, *NOT_READY, body={"jid": MARIA}, token=world.NO_DEVICE),
    ]


def _changed(jid: str, number: str, action: str, count: int, dhash: str) -> dict[str, object]:
    phone = {"phone_number": number} if number else {}
    blocked = action == "block"
    return data_of(jid=jid, **phone, action=action, blocked=blocked, count=count, dhash=dhash)


def checks() -> list[Probe]:
    """Number checks."""

    def check(name: str, numbers: object, status: int = 200, code: str = "", **more: Any) -> Probe:
        return post(name, "/contact/check", status, code, body={"numbers": numbers}, **more)

    both = data_of(**{MARIA: True, _NOBODY: False})
    many = [f"55119{n:08}" for n in range(160)]
    everybody = data_of(**dict.fromkeys(many, False))
    return [
        check("documented", [MARIA, "+55 11 77777-7777"], answer=both),
        check("twice", [MARIA, _NOBODY, "+55 (11) 99999-9999"], answer=both),
        check("160", many, answer=everybody),
        check("161", [*many, MARIA], *INVALID, invalid="numbers"),
        check("none", [], *INVALID, invalid="numbers"),
        check("short", [MARIA, "123"], *INVALID, invalid="numbers[1]"),
        check("a JID", [_MARIA_JID], *INVALID, invalid="numbers[0]"),
        check("empty text", [""], *INVALID, invalid="numbers[0]"),
        check("letters", ["5511abcdefgh"], *INVALID, invalid="numbers[0]"),
        check("Arabic digits", ["٥٥١١٩٩٩٩٩٩٩٩٩"], *INVALID, invalid="numbers[0]"),
        check("a number for a text", [{}], *INVALID, invalid="numbers"),
        post("no body", "/contact/check", *INVALID, invalid="numbers"),
        post("no JSON", "/contact/check", *INVALID, body="numbers", invalid="body"),
        post("other field", "/contact/check", *INVALID, body={"x": [MARIA]}, invalid="numbers"),
        check("no device", [MARIA], *NOT_READY, token=world.NO_DEVICE),
        post("plural", "/contacts/check", *NOT_FOUND, body={"numbers": [MARIA]}),
    ]


def syncing() -> list[Probe]:
    """The app state, which cannot be made to synchronise."""
    never = (501, "NOT_IMPLEMENTED")

    def sync(name: str, body: object, *expected: Any, **more: Any) -> Probe:
        return post(name, "/appstate/sync", *(expected or never), body=body, **more)

    return [
        sync("documented", {"scopes": ["contacts", "chats"], "full": False}),
        sync("no body", None),
        sync("empty", {}),
        sync("all", {"scopes": ["contacts", "chats", "settings", "pins", "critical"]}),
        sync("unknown scope", {"scopes": ["chats", "x"]}, *INVALID, invalid="scopes[1]"),
        sync("in capitals", {"scopes": ["CHATS"]}, *INVALID, invalid="scopes[0]"),
        sync("no flag", {"full": "maybe"}, *INVALID, invalid="full"),
        sync("unknown field", {"scope": "chats"}),
        sync("no device", {}, *NOT_READY, token=world.NO_DEVICE),
    ]


_METHODS = {
    "/contacts/profile": "GET, HEAD",
    "/contacts/blocklist": "GET, HEAD",
    "/contacts/block": "POST",
    "/contacts/unblock": "POST",
    "/contact/check": "POST",
    "/appstate/sync": "POST",
}


def doors() -> list[Probe]:
    """Every path by wrong methods, without a token, and beside the path."""
    refused, challenge = (401, "UNAUTHORIZED"), {"www-authenticate": "Bearer"}
    wrong = (405, "METHOD_NOT_ALLOWED")
    everything = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    first = [(path, allowed.partition(",")[0]) for path, allowed in _METHODS.items()]
    beside = [*(f"{path}/" for path in _METHODS), "/contact", "/appstate", "/contact/check/x"]
    beside += ["/appstate/sync/x", "/Contact/check", "/contactx/check", "/contacts/profilex"]
    return [
        *(
            ask("method", path, *wrong, method=method, reply_headers={"allow": allowed})
            for path, allowed in _METHODS.items()
            for method in everything
            if method not in allowed.split(", ")
        ),
        *(
            ask("no token", path, *refused, method=method, token="", reply_headers=challenge)
            for path, method in first
        ),
        *(
            ask("unknown token", path, *refused, method=method, token=world.UNKNOWN)
            for path, method in first
        ),
        post("no token, no JSON", "/contact/check", *refused, body="{", token=""),
        *(ask("nowhere", path, *NOT_FOUND) for path in beside),
    ]


SECTION_PROBES = [*profiles(), *blocking(), *checks(), *syncing(), *doors()]
"""All rows of these routes."""
