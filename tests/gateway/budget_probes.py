"""The budget, and what resolving and pictures may cost."""

from __future__ import annotations

import json
from typing import Any

from fakes import GROUP, JOAO, JOAO_LID, MARIA

from . import world
from .device_asking import NOT_FOUND, NOT_READY, ask
from .probes import AUTH, INVALID, JSON, Headers, Probe, picture, resolve

_CLASSES = ("NUMBER_CHECK", "USER_INFO", "PICTURE", "GROUP_INFO")
_BUDGET = {
    "success": True,
    "data": {
        "items": [
            {
                "query_class": name,
                "remaining": 0 if name == "GROUP_INFO" else 37,
                "burst": 30 if name == "GROUP_INFO" else 60,
                "per_hour": 120,
                "retry_after": 17 if name == "GROUP_INFO" else 0,
            }
            for name in _CLASSES
        ],
        "quiet_until": "2026-06-16T00:00:00Z",
    },
}
_STRANGER = "12025550123"
_STRANGER_JID = f"{_STRANGER}@s.whatsapp.net"
_HEARD = {"source": "SERVER", "observed_at": "2026-06-15T13:45:02Z"}
_REFUSED = (401, "UNAUTHORIZED")
_CHALLENGE = {"www-authenticate": "Bearer"}


def budgets() -> list[Probe]:
    """Asks for the budget."""
    return [
        Probe("budget", "/budget", answer=_BUDGET),
        Probe("budget: HEAD", "/budget", method="HEAD"),
        ask("bound token", "/budget", token=world.BOUND, answer=_BUDGET),
        ask("no device", "/budget", *NOT_READY, token=world.NO_DEVICE),
        ask("several devices", "/budget", 409, "DEVICE_NOT_CHOSEN", token=world.SEVERAL),
        ask("unknown parameter", "/budget?colour=red", *INVALID, invalid="colour", value="red"),
        ask(
            "a device is no parameter",
            f"/budget?device_id={world.LINKED}",
            *INVALID,
            invalid="device_id",
        ),
        ask("bad escape", "/budget?x=%FF", *INVALID, invalid="x"),
        *(ask("nowhere", path, *NOT_FOUND) for path in ("/budget/", "/budget/x", "/budgets")),
        *(_wrong_method(name) for name in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS")),
        *(
            Probe(f"no token: {path}", path, *_REFUSED, headers=(), reply_headers=_CHALLENGE)
            for path in ("/budget", "/budget/x", "/budget?x=%FF")
        ),
    ]


def _wrong_method(method: str) -> Probe:
    refusal = (405, "METHOD_NOT_ALLOWED")
    name = f"method: {method} /budget"
    return Probe(name, "/budget", *refusal, method, AUTH, reply_headers={"allow": "GET, HEAD"})


def _resolved(name: str, answer: dict[str, object] | None = None, **body: Any) -> Probe:
    headers: Headers = AUTH + JSON
    content = json.dumps({"jids": [_STRANGER], **body}).encode()
    return Probe(f"resolve: {name}", "/contacts/resolve", 200, "", "POST", headers, content, answer)


def _answer(*items: dict[str, object], **more: object) -> dict[str, object]:
    return {"success": True, "count": len(items), "items": list(items), **more}


def _stranger(**more: object) -> dict[str, object]:
    return {
        "input": _STRANGER,
        "input_jid": _STRANGER_JID,
        "resolved_jid": _STRANGER_JID,
        "jid": _STRANGER_JID,
        "phone_number": _STRANGER,
        **more,
    }


def resolutions() -> list[Probe]:
    """Resolves with words that decide what is asked."""
    denied = _stranger(status="NOT_ON_WHATSAPP")
    counts = {"numbers": 2, "variants": 1, "groups": 1}
    one = f'"jids": ["{_STRANGER}"]'
    return [
        _resolved("local only", _answer(_stranger(status="UNKNOWN")), lookup="LOCAL_ONLY"),
        _resolved("an empty lookup", _answer(_stranger(status="UNKNOWN")), lookup=""),
        _resolved("allowed", _answer(denied), lookup="ALLOW_NETWORK"),
        _resolved("forced", _answer(denied), lookup="FORCE"),
        _resolved(
            "allowed, full",
            _answer(denied | _HEARD | {"variants_tried": [_STRANGER]}),
            lookup="ALLOW_NETWORK",
            view="FULL",
        ),
        _resolved(
            "dry run",
            _answer(_stranger(status="UNKNOWN"), _maria(), dry_run=counts),
            jids=[_STRANGER, MARIA],
            lookup="FORCE",
            dry_run=True,
            group_jid=GROUP,
        ),
        _resolved("no dry run", _answer(_stranger(status="UNKNOWN")), dry_run=False),
        _resolved("unsupported", _unsupported(), jids=["@joao"]),
        _resolved(
            "by the roster, full",
            _answer(_joao() | _HEARD | {"source": "GROUP"}),
            jids=[f"{JOAO_LID}@lid"],
            group_jid=GROUP,
            view="FULL",
        ),
        resolve("other lookup", f'{{{one}, "lookup": "ALWAYS"}}', *INVALID, "lookup"),
        resolve("lower-case lookup", f'{{{one}, "lookup": "force"}}', *INVALID, "lookup"),
        resolve("a text for a flag", f'{{{one}, "dry_run": "perhaps"}}', *INVALID, "dry_run"),
    ]


def _joao() -> dict[str, object]:
    jid, lid = f"{JOAO}@s.whatsapp.net", f"{JOAO_LID}@lid"
    return {
        "input": lid,
        "input_jid": lid,
        "resolved_jid": jid,
        "jid": jid,
        "phone_number": JOAO,
        "lid_jid": lid,
        "full_name": "Joao Pereira",
        "push_name": "Joao",
    }


def _maria() -> dict[str, object]:
    jid = f"{MARIA}@s.whatsapp.net"
    return {
        "input": MARIA,
        "input_jid": jid,
        "resolved_jid": jid,
        "jid": jid,
        "phone_number": MARIA,
        "full_name": "Maria Silva",
        "push_name": "Maria",
    }


def _unsupported() -> dict[str, object]:
    help_ = (
        "usernames cannot be resolved yet; write a phone number of 10 to 15 digits, or 5 to 20"
        " digits followed by @s.whatsapp.net or @lid"
    )
    return _answer({"input": "@joao", "status": "UNSUPPORTED", "detail": help_})


def pictures() -> list[Probe]:
    """Asks for pictures with words that decide what is asked and told."""
    jid = f"jid={MARIA}@s.whatsapp.net"
    data = {
        "jid": f"{MARIA}@s.whatsapp.net",
        "url": None,
        "id": "1700000000",
        "unchanged": True,
        "status": "UNCHANGED",
        **_HEARD,
    }
    target = f"/contacts/profile-picture?{jid}"
    return [
        Probe(
            "picture, unchanged and full",
            f"{target}&existing_id=1700000000&view=FULL&refresh=true",
            answer={"success": True, "data": data},
        ),
        picture("refresh=0", f"{jid}&refresh=0"),
        picture("view=BASIC", f"{jid}&view=BASIC"),
        picture("other view", f"{jid}&view=full", *INVALID, "view"),
        picture("refresh is no flag", f"{jid}&refresh=maybe", *INVALID, "refresh"),
        picture("username", "jid=%40joao", *INVALID, "jid"),
        picture("business-scoped user id", "jid=BR.1502576394655843", *INVALID, "jid"),
        picture("username for a number", "number=%40joao", *INVALID, "number"),
    ]


BUDGET_PROBES = budgets() + resolutions() + pictures()
"""Every row, in no order that matters."""
