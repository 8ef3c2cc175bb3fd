"""Nothing that a run puts out names a token, a number, a LID or a person."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import grpc
import httpx
import pytest

from collector import Collector, collecting
from sandboxes import Sandbox, running, wait_for, write_world
from wuts.contacts.v1 import contacts_service_pb2 as pb
from wuts.contacts.v1 import contacts_service_pb2_grpc as pb_grpc
from wuts.devices.v1 import devices_service_pb2 as devices_pb

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN, OWN_LID = "5511900000001", "900000000000011"
KNOWN, KNOWN_LID, HIDDEN, LIMITED, PLAIN, SILENT, ONLY_LID, STRANGER = (
    *("5511911111111", "211111111111111", "5511922222222", "5511944444444", "5511955555555"),
    *("5511933333333", "266666666666666", "5511988888888"),
)
GROUP, NO_GROUP = "120363000000000001", "120363000000000002"
# Words that mean nothing else, so that wherever they turn up they were leaked.
TENANT, USER, PUSH, KNOWN_NAME, ONLY_NAME, DEVICE_NAME = (
    *("zephyrine", "quillan", "Wolfhild", "Ermengarde Oxbow", "Thistlewick", "Brambleshanks"),
)
PICTURE_PATH = "/v/t61/secretpicture.jpg"
UNKNOWN_TOKEN = "99999999-9999-4999-8999-999999999999"
ODD_TOKEN = "not-a-token-but-secret"
SERVICE = "wuts.contacts.v1.ContactsService"

_SECONDS = 30


def world() -> dict[str, Any]:
    """One account that knows people with every kind of answer."""
    url = f"https://pps.whatsapp.net{PICTURE_PATH}"
    size = {"url": url, "direct_path": PICTURE_PATH}
    picture = {"id": "4242424242", "full": size, "preview": size}
    silent_ones = zip((HIDDEN, LIMITED, PLAIN), ("hidden", "rate_limited", "none"), strict=True)
    people: list[dict[str, Any]] = [
        {
            "pn": KNOWN,
            "lid": KNOWN_LID,
            "mapped": True,
            "pn_row": {"full_name": KNOWN_NAME},
            "picture": picture,
        },
        {"lid": ONLY_LID, "lid_row": {"push_name": ONLY_NAME}},
        *(
            {"pn": pn, "pn_row": {"full_name": f"{KNOWN_NAME} {pn[-3:]}"}, "picture": kind}
            for pn, kind in silent_ones
        ),
    ]
    groups = [
        {
            "jid": f"{GROUP}@g.us",
            "addressing": "lid",
            "picture": picture,
            "participants": [{"pn": KNOWN, "lid": KNOWN_LID}],
        },
        {"jid": f"{NO_GROUP}@g.us", "answer": "not_found"},
    ]
    account = {"tenant": TENANT, "user": USER, "pn": OWN, "lid": OWN_LID, "push_name": PUSH}
    return {"accounts": [{**account, "people": people, "groups": groups}]}


@dataclass(frozen=True)
class Outputs:
    """Everything that a run has put out, by name."""

    texts: dict[str, bytes]
    secrets: list[str]
    collector: Collector
    last_id: str


class Visitor:
    """Calls everything, well and badly, over both doors."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.page_token = ""

    def visit(self) -> str:
        """Goes round; gives the id of the last request."""
        self.lists()
        self.pictures()
        self.resolves()
        self.devices()
        self.nonsense()
        self.natively()
        self.crash()
        last = str(uuid.uuid4())
        answer = self.sandbox.get("/contacts", extra_headers={"x-request-id": last})
        assert answer.is_success
        return last

    def lists(self) -> None:
        """Lists, in pages, unchanged, and with nonsense."""
        sandbox = self.sandbox
        first = sandbox.get("/contacts")
        assert 200 == first.status_code
        again = sandbox.get("/contacts", extra_headers={"if-none-match": first.headers["etag"]})
        assert 304 == again.status_code
        page = sandbox.get("/contacts", params={"page_size": 1, "view": "FULL"})
        self.page_token = page.json()["next_page_token"]
        sandbox.get("/contacts", params={"page_size": 1, "page_token": self.page_token})
        sandbox.get("/contacts", params={"page_token": KNOWN_NAME})
        sandbox.get("/contacts", params={KNOWN: KNOWN_NAME})
        for token in (self.page_token, KNOWN_NAME):
            sandbox.get("/contacts/stream", params={"page_size": 1, "page_token": token})
        sandbox.get("/contacts", token=UNKNOWN_TOKEN)
        sandbox.get("/contacts", token=ODD_TOKEN)

    def pictures(self) -> None:
        """Asks for pictures of all kinds."""
        for number in (KNOWN, HIDDEN, LIMITED, PLAIN, STRANGER, KNOWN_NAME):
            self.sandbox.get("/contacts/profile-picture", params={"number": number})
        for jid in (f"{KNOWN}@s.whatsapp.net", f"{ONLY_LID}@lid", f"{GROUP}@g.us", KNOWN_NAME):
            self.sandbox.get("/contacts/profile-picture", params={"jid": jid})

    def resolves(self) -> None:
        """Resolves identifiers, with groups and without."""
        people = [KNOWN, f"+{STRANGER}", f"{KNOWN_LID}@lid", f"@{ONLY_NAME}", KNOWN_NAME]
        for more in ({}, {"group_jid": f"{GROUP}@g.us"}, {"group_jid": f"{NO_GROUP}@g.us"}):
            self.sandbox.call("POST", "/contacts/resolve", json={"jids": people, **more})
        self.sandbox.call(
            "POST", "/contacts/resolve", content=f'{{"jids": ["{KNOWN}", {KNOWN_NAME}'
        )
        self.sandbox.call("POST", "/contacts/resolve", json={"jids": [int(KNOWN)], "view": PUSH})

    def devices(self) -> None:
        """Uses the routes of devices."""
        sandbox = self.sandbox
        made = sandbox.call("POST", "/devices", json={"name": DEVICE_NAME})
        sandbox.get("/devices")
        sandbox.get("/status", params={"device_id": sandbox.ready["device_id"]})
        sandbox.get("/status", params={"device_id": KNOWN_NAME})
        if made.is_success:
            other = made.json()["device"]["id"]
            sandbox.call("POST", "/paircode", json={"device_id": other, "phone": STRANGER})
            sandbox.get("/qr", params={"device_id": other})
            sandbox.call("DELETE", f"/devices/{other}", params={"purge": "true"})

    def nonsense(self) -> None:
        """Puts secrets where nobody expects them."""
        sandbox = self.sandbox
        sandbox.get(f"/contacts/{KNOWN}")
        sandbox.get(f"/{KNOWN_NAME}")
        sandbox.call("DELETE", f"/devices/{KNOWN}")
        sandbox.call("PUT", "/contacts", content=KNOWN)
        headers = {
            "x-request-id": KNOWN,
            "user-agent": KNOWN_NAME,
            "referer": f"http://{KNOWN}.example/",
            "cookie": f"name={KNOWN_NAME}",
            "tracestate": f"vendor={KNOWN}",
            "baggage": f"number={KNOWN}",
            "grpc-timeout": KNOWN,
            f"x-{KNOWN}": KNOWN,
        }
        for name, value in headers.items():
            sandbox.get("/contacts", extra_headers={name: value})
        with httpx.Client(http1=False, http2=True, trust_env=False) as client:
            token = {"authorization": f"Bearer {sandbox.token}"}
            client.request(
                KNOWN_NAME.split()[0], f"{sandbox.ready['http']}/contacts", headers=token
            )
            forged = token | {"content-type": f"application/grpc+{KNOWN}"}
            client.post(f"{sandbox.ready['http']}/{SERVICE}/ListContacts", headers=forged)

    def natively(self) -> None:
        """Calls the service and the gateway as native callers."""
        for target in (self.sandbox.ready["grpc"], self.sandbox.ready["http"][len("http://") :]):
            with grpc.insecure_channel(target) as channel:
                self._call(channel)

    def _call(self, channel: grpc.Channel) -> None:
        stub, token = pb_grpc.ContactsServiceStub(channel), self.sandbox.token
        watch = self.sandbox.link_stub(channel).WatchDevice
        odd: Any = channel.unary_unary(f"/{SERVICE}/{KNOWN}")
        metadata = (
            ("authorization", f"Bearer {token}"),
            ("x-request-id", KNOWN),
            ("tracestate", f"vendor={KNOWN}"),
            ("x-name", KNOWN_NAME),
        )
        for number in (KNOWN, HIDDEN, KNOWN_NAME):
            with contextlib.suppress(grpc.RpcError):
                request = pb.GetProfilePictureRequest(number=number)
                stub.GetProfilePicture(request, metadata=metadata, timeout=_SECONDS)
        for call in (
            lambda: stub.ListContacts(pb.ListContactsRequest(), timeout=_SECONDS),
            lambda: list(
                stub.StreamContacts(
                    pb.StreamContactsRequest(page_size=1), metadata=metadata, timeout=_SECONDS
                )
            ),
            lambda: odd(b"", metadata=metadata, timeout=_SECONDS),
            lambda: odd(KNOWN_NAME.encode(), metadata=metadata, timeout=_SECONDS),
            lambda: next(watch(devices_pb.WatchDeviceRequest(), metadata=metadata, timeout=9)),
        ):
            with contextlib.suppress(grpc.RpcError):
                call()

    def crash(self) -> None:
        """Kills the session process, and waits until another one has taken its place."""
        device = self.sandbox.ready["device_id"]
        before = self.sandbox.session_pid(device)
        assert before is not None
        os.kill(before, signal.SIGKILL)
        self.sandbox.get("/contacts/profile-picture", params={"number": KNOWN})
        wait_for(
            lambda: (
                self.sandbox.get("/status").json()["data"]["connected"]
                and self.sandbox.session_pid(device) != before
            ),
            _SECONDS,
            "the next session process",
        )


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outputs]:
    """A run with everything turned on, its calls, and all that came out."""
    directory = tmp_path_factory.mktemp("privacy")
    with collecting() as collector:
        options: dict[str, Any] = {
            "WORLD": write_world(directory, world()),
            "OTLP_ENDPOINT": collector.endpoint,
        }
        with running(directory, **options) as sandbox:
            visitor = Visitor(sandbox)
            last = visitor.visit()
            texts = _texts(sandbox, collector, last)
            tokens = [*sandbox.ready["tokens"].values(), visitor.page_token]
        yield Outputs(texts, [*_secrets(), *tokens], collector, last)


def _texts(sandbox: Sandbox, collector: Collector, last: str) -> dict[str, bytes]:
    run = Path(sandbox.ready["emulator"]["ca"]).parent
    wait_for(lambda: last in (run / "gateway.log").read_text(), _SECONDS, "the last access")
    ids = ("wuts.request_id", "guid:x-request-id")
    wait_for(
        lambda: (
            {
                span.service
                for span in collector.spans()
                if last in {span.attributes.get(name) for name in ids}
            }
            >= {"wuts", "wuts-gateway"}
        ),
        _SECONDS,
        "the last spans",
    )
    found = {path.name: path.read_bytes() for path in run.glob("*.log")}
    found |= {str(path.relative_to(run)): path.read_bytes() for path in run.rglob("*.json")}
    del found["world.json"]  # what the emulator is told, not what anybody says
    found["session logs"] = b"".join(path.read_bytes() for path in run.rglob("session.log"))
    found["metrics"] = httpx.get(sandbox.ready["metrics"], trust_env=False).content
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(run / "admin.sock"))) as admin:
        found["gateway's metrics"] = admin.get("http://admin/stats/prometheus").content
    found["traces"] = b"".join(collector.bodies)
    ready = dict(sandbox.ready)
    for by_design in ("token", "tokens", "devices"):
        del ready[by_design]
    found["ready.json"] = json.dumps(ready).encode()
    return found


def _secrets() -> list[str]:
    numbers = [OWN, OWN_LID, KNOWN, KNOWN_LID, HIDDEN, LIMITED, PLAIN, ONLY_LID, STRANGER]
    names = [TENANT, USER, PUSH, ONLY_NAME, DEVICE_NAME, *KNOWN_NAME.split()]
    return [*numbers, GROUP, NO_GROUP, *names, PICTURE_PATH, UNKNOWN_TOKEN, ODD_TOKEN]


class TestPrivacy:
    """All outputs of a run, after calls that went well and calls that did not."""

    def test_nothing_leaks(self, outputs: Outputs) -> None:
        """No output holds a token, a number, a LID, a name or the address of a picture."""
        leaks = [
            (name, secret)
            for name, text in outputs.texts.items()
            for secret in outputs.secrets
            if secret.lower().encode() in text.lower()
        ]
        assert [] == leaks

    def test_would_be_found(self, outputs: Outputs) -> None:
        """The search finds a secret where there is one."""
        told = {"ready.json": json.dumps(outputs.secrets).encode()}
        assert all(secret.encode() in told["ready.json"] for secret in outputs.secrets)

    @pytest.mark.parametrize(
        ("name", "what"),
        [
            ("service.log", "call_failed"),
            ("service.log", "session ended"),
            ("gateway.log", '"route"'),
            ("metrics", "wuts_calls_total"),
            ("metrics", 'reason="PICTURE_HIDDEN"'),
            ("metrics", 'rpc="unknown"'),
            ("metrics", 'rpc="ContactsService/StreamContacts"'),
            ("metrics", "wuts_session_restarts_total"),
            ("metrics", 'wuts_lists_total{answer="unchanged"}'),
            ("gateway's metrics", "envoy_"),
            ("traces", "ContactsService/GetProfilePicture"),
        ],
    )
    def test_was_exercised(self, outputs: Outputs, name: str, what: str) -> None:
        """What was looked through holds the calls that were made."""
        assert what.encode() in outputs.texts[name]

    def test_sessions_keep_no_log(self, outputs: Outputs) -> None:
        """The one output that holds numbers is off unless it is asked for."""
        assert b"" == outputs.texts["session logs"]

    def test_log_lines_have_ids(self, outputs: Outputs) -> None:
        """Every line about a failed call says which one."""
        lines = [json.loads(line) for line in outputs.texts["service.log"].splitlines()]
        failed = [line for line in lines if line["event"].startswith("call")]
        assert failed
        assert all(uuid.UUID(line["request_id"]) for line in failed)


class TestTraces:
    """One trace from the gateway to the session process."""

    def test_one_trace(self, outputs: Outputs) -> None:
        """The question to WhatsApp is part of the call, and the call part of the request."""
        spans = {span.id: span for span in outputs.collector.spans()}
        engine = [span for span in spans.values() if span.name == "engine picture"]
        chains = [_chain(span.id, spans) for span in engine]
        services = ["wuts-session", "wuts", "wuts", "wuts-gateway"]
        assert services in [[spans[each].service for each in chain][:4] for chain in chains]

    def test_store_reads(self, outputs: Outputs) -> None:
        """So is every read of the store."""
        spans = {span.id: span for span in outputs.collector.spans()}
        parents = {spans[span.parent].name for span in outputs.collector.named("store page")}
        streams = "ContactsService/StreamContacts"
        assert {"ContactsService/ListContacts", streams} == parents

    def test_times_fit(self, outputs: Outputs) -> None:
        """The session process's part lies within the question it was asked."""
        spans = {span.id: span for span in outputs.collector.spans()}
        for inner in outputs.collector.named("engine picture"):
            outer = spans[inner.parent]
            assert outer.begun <= inner.begun <= inner.ended <= outer.ended


def _chain(span: str, spans: dict[str, Any]) -> list[str]:
    """The ids from a span up to the beginning of its trace."""
    chain = []
    while span in spans:
        chain.append(span)
        span = cast("str", spans[span].parent)
    return chain
