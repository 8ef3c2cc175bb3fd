"""DevicesService on a real port, with answers told beforehand: what the commands talk to."""

from __future__ import annotations

import contextlib
import threading
from concurrent import futures
from typing import TYPE_CHECKING, Any

import grpc
from grpc_status import rpc_status

from wuts.devices.v1 import devices_service_pb2 as pb
from wuts.devices.v1 import devices_service_pb2_grpc as pb_grpc
from wuts.rpc.error_status import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TOKEN = "1b4e28ba-2fa1-41d2-883f-0016d3cca427"
_METHODS = [method.name for method in pb.DESCRIPTOR.services_by_name["DevicesService"].methods]


class ToldService:
    """Answers each method with what `answers` holds for it, and notes what came in.

    An answer is a message, an exception, or for streams a sequence of both;
    `HOLD` in a sequence keeps the stream open until the caller is gone.
    """

    HOLD = object()

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.requests: list[Any] = []
        self.tokens: set[object] = set()
        self.gone = threading.Event()
        """A caller has left a stream that was held open."""
        self.url = ""

    def answer(self, method: str, request: object, context: grpc.ServicerContext) -> Any:
        """Serves a call that has one answer."""
        self._note(request, context)
        answer = self.answers[method]
        if isinstance(answer, Exception):
            _fail(answer, context)
        return answer

    def stream(self, method: str, request: object, context: grpc.ServicerContext) -> Iterator[Any]:
        """Serves a call that has many."""
        self._note(request, context)
        steps: Sequence[Any] = self.answers[method]
        for step in steps:
            if step is self.HOLD:
                context.add_callback(self.gone.set)
                self.gone.wait(30)
            elif isinstance(step, threading.Event):
                step.wait(30)
            elif isinstance(step, Exception):
                _fail(step, context)
            else:
                yield step

    def _note(self, request: object, context: grpc.ServicerContext) -> None:
        self.requests.append(request)
        metadata = context.invocation_metadata()
        self.tokens |= {value for key, value in metadata if key == "authorization"}


def _fail(error: Exception, context: grpc.ServicerContext) -> None:
    context.abort_with_status(rpc_status.to_status(Fault.of(error).status()))


@contextlib.contextmanager
def served() -> Iterator[ToldService]:
    """Serves on a free port."""
    service = ToldService()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    pb_grpc.add_DevicesServiceServicer_to_server(_servicer(service), server)
    port = server.add_insecure_port("127.0.0.1:0")
    service.url = f"http://127.0.0.1:{port}"
    server.start()
    try:
        yield service
    finally:
        service.gone.set()
        server.stop(0).wait(10)


def _servicer(service: ToldService) -> pb_grpc.DevicesServiceServicer:
    methods: dict[str, object] = {}
    for name in _METHODS:
        kind = service.stream if name in {"LinkDevice", "WatchDevice"} else service.answer

        def method(
            _self: object, request: object, context: Any, name: str = name, kind: Any = kind
        ) -> Any:
            return kind(name, request, context)

        methods[name] = method
    made: pb_grpc.DevicesServiceServicer = type(
        "ToldServicer", (pb_grpc.DevicesServiceServicer,), methods
    )()
    return made
