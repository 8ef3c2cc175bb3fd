"""Requests for contacts and pictures, and what must come back."""

from __future__ import annotations

from fakes import JOAO, MARIA

from . import world
from .probes import INVALID, Probe, picture

_MARIA_JID = f"{MARIA}@s.whatsapp.net"
_PATH = "/v/t61.24694-24/abc123.jpg"

CONTACTS = {
    "success": True,
    "count": 2,
    "contacts": [
        {
            "jid": _MARIA_JID,
            "first_name": "Maria",
            "full_name": "Maria Silva",
            "push_name": "Maria",
            "business_name": "Silva Comercio",
        },
        {
            "jid": f"{JOAO}@s.whatsapp.net",
            "full_name": "Joao Pereira",
            "push_name": "Joao",
        },
    ],
}
"""The documented list."""

_PICTURE = {
    "success": True,
    "data": {
        "jid": _MARIA_JID,
        "url": f"https://pps.whatsapp.net{_PATH}",
        "id": "1700000000",
        "type": "image",
        "direct_path": _PATH,
    },
}
_UNCHANGED = {
    "success": True,
    "data": {"jid": _MARIA_JID, "url": None, "id": "1700000000", "unchanged": True},
}


def documented() -> list[Probe]:
    """The documented examples."""
    target = f"/contacts/profile-picture?jid={_MARIA_JID}"
    empty = (("authorization", world.EMPTY),)
    nobody = {"success": True, "count": 0, "contacts": []}
    kept = {"content-encoding": None, "access-control-allow-origin": None}
    return [
        Probe("contacts", "/contacts", answer=CONTACTS, reply_headers=kept),
        Probe("no contacts", "/contacts", headers=empty, answer=nobody),
        Probe("picture", f"{target}&preview=false", answer=_PICTURE),
        Probe("picture unchanged", f"{target}&existing_id=1700000000", answer=_UNCHANGED),
    ]


def lists() -> list[Probe]:
    """Lists, by their parameters."""

    def listed(query: str, status: int = 200, code: str = "", *invalid: str) -> Probe:
        field, value = invalid or ("", None)
        target = f"/contacts?{query}"
        return Probe(f"contacts: {query}", target, status, code, invalid=field, value=value)

    return [
        listed(""),
        listed("?"),
        listed("view=FULL"),
        listed("view=BASIC"),
        listed("view="),
        listed("page_size=1"),
        listed("pageSize=1"),
        listed("page_size=5000"),
        listed("view=full", *INVALID, "view", "full"),
        listed("page_size=0", *INVALID, "page_size", "0"),
        listed("page_size=5001", *INVALID, "page_size", "5001"),
        listed("page_size=-1", *INVALID, "page_size", "-1"),
        listed("page_token=forged", *INVALID, "page_token", "forged"),
        listed("page_size=", *INVALID, "page_size", ""),
        listed("page_size=1.5", *INVALID, "page_size", "1.5"),
        listed("page_size=one", *INVALID, "page_size", "one"),
        listed("page_size=99999999999", *INVALID, "page_size", "99999999999"),
        listed("page_size=1&page_size=2", *INVALID, "page_size", "2"),
        listed("page_size=1&pageSize=2", *INVALID, "page_size", "2"),
        listed("view=BASIC&view=FULL", *INVALID, "view", "FULL"),
        listed("colour=red", *INVALID, "colour", "red"),
        listed("colour"),
        listed("colour=", *INVALID, "colour", ""),
        listed("colour=red&colour=blue", *INVALID, "colour", "blue"),
        listed("%63olour=r%65d", *INVALID, "%63olour", "red"),
        listed("fooBar=1", *INVALID, "fooBar", "1"),
        listed("a.b=1", *INVALID, "a.b", "1"),
        listed(".=1", *INVALID, ".", "1"),
        listed("view.x=1", *INVALID, "view.x", "1"),
        listed("view[]=1", *INVALID, "view[]", "1"),
        listed("view%00=1", *INVALID, "view%00", "1"),
        listed("=1"),
        listed("&&view=BASIC&"),
        listed("page_size=%22", *INVALID, "page_size", '"'),
        listed("page_size=%0A1", *INVALID, "page_size", "\n1"),
        listed("x" * 300 + "=", *INVALID, "x" * 200 + "…", ""),
        listed("x=" + "%C3%A7" * 300, *INVALID, "x", "ç" * 200 + "…"),
        listed("x=" + "%F0%9F%98%80" * 200, *INVALID, "x", "😀" * 200),
        listed("x=%22%5C%0A%00%1F%7F%3C", *INVALID, "x", '"\\\n\x00\x1f\x7f<'),
        listed("x=%E2%80%A8%EF%BF%BF%F4%8F%BF%BF", *INVALID, "x", "\u2028\uffff\U0010ffff"),
        listed("%FF=1", *INVALID, "%FF", "1"),
        listed("view=BASIC&x=a%C3", *INVALID, "x", "a%C3"),
        # The transcoder reads the body of a GET too.
        Probe(
            "contacts: with a body",
            "/contacts",
            *INVALID,
            body=b'{"page_size": 0}',
            invalid="page_size",
            value="0",
        ),
    ]


def pictures() -> list[Probe]:
    """Pictures, by their parameters."""
    return [*_flags(), *_people(), *_escapes()]


def _flags() -> list[Probe]:
    jid = f"jid={_MARIA_JID}"
    yes = ("true", "1", "TRUE", "t", "yes", "y", "false", "0", "FALSE", "False", "f", "no", "n")
    no = ("off", "on", "", "00", "2", "0.0", "null", "%20false")
    return [
        *(picture(f"preview={text}", f"{jid}&preview={text}") for text in yes),
        *(
            picture(
                f"preview={text}",
                f"{jid}&preview={text}",
                *(*INVALID, "preview", text.replace("%20", " ")),
            )
            for text in no
        ),
        picture("preview without a value", f"{jid}&preview"),
        picture("preview twice", f"{jid}&preview=0&preview=0", *INVALID, "preview", "0"),
    ]


def _people() -> list[Probe]:
    jid = f"jid={_MARIA_JID}"
    long = "1" * 65
    return [
        picture("camel case", f"{jid}&existingId=1"),
        picture("number with %2B", f"number=%2B{MARIA}"),
        picture("number with a plus sign", f"number=+{MARIA}"),
        picture("number with spaces", "number=%2B55%20(11)%2099999-9999"),
        picture("spaces as forms write them", "number=%2B55+(11)+99999-9999"),
        picture("a jid wins over a number", f"{jid}&number=1"),
        picture("an empty jid is none", f"jid=&number={MARIA}"),
        picture("nobody", "", *INVALID, "jid", ""),
        picture("empty number", "number=", *INVALID, "jid", ""),
        picture("short number", "number=123", *INVALID, "number", "123"),
        picture("no jid", "jid=x", *INVALID, "jid", "x"),
        picture("newsletter", "jid=1@newsletter", *INVALID, "jid", "1@newsletter"),
        picture("existing_id too long", f"{jid}&existing_id={long}", *INVALID, "existing_id", long),
        picture("jid twice", f"{jid}&jid=x", *INVALID, "jid", "x"),
        picture("unknown parameter", f"{jid}&size=1", *INVALID, "size", "1"),
        picture("a parameter of another route", f"{jid}&page_size=1", *INVALID, "page_size", "1"),
    ]


def _escapes() -> list[Probe]:
    smileys = "%F0%9F%98%80" * 200
    odd = 'ç"\n☃😀'
    broken = {
        "bad escape": "%zz",
        "cut escape": "%4",
        "no UTF-8": "%FF",
        "no UTF-8, cut": "%C3",
        "no UTF-8, overlong": "%C0%80",
        "no UTF-8, a surrogate": "%ED%A0%80",
        "no UTF-8, beyond the last plane": "%F4%90%80%80",
    }
    return [
        picture("zero byte", "jid=a%00b", *INVALID, "jid", "a\0b"),
        picture("odd letters", "jid=%C3%A7%22%0a%E2%98%83%F0%9F%98%80", *INVALID, "jid", odd),
        picture("200 smileys", f"jid={smileys}", *INVALID, "jid", "😀" * 200),
        picture("7000 letters", f"jid={'a' * 7000}", *INVALID, "jid", "a" * 200 + "…"),
        picture("bad escape after 300 letters", f"jid={'a' * 300}%FF", *INVALID, "jid"),
        *(
            picture(f"{name} {text}", f"jid={text}", *INVALID, "jid", text)
            for name, text in broken.items()
        ),
    ]


CONTACT_PROBES = [*documented(), *lists(), *pictures()]
"""Every row, in no order that matters."""
