"""The one interceptor: authentication, deadline and errors of every call of ours."""

from __future__ import annotations

import asyncio
import traceback
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import grpc
import structlog
from google.protobuf.message import DecodeError
from grpc import aio

from wuts.domain.errors import CallTimeout, DomainError, NotImplementedHere, ValidationFailed
from wuts.instruments import SILENT
from wuts.rpc.authentication import authenticate, current_caller
from wuts.rpc.error_status import Fault
from wuts.rpc.observed_call import UNKNOWN_RPC, ObservedCall, observed, rpc_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from wuts.instruments import Instruments
    from wuts.ports import TokenDirectory
    from wuts.rpc.load import Load

_log = structlog.get_logger()

_OPEN = ("/grpc.health.", "/grpc.reflection.")
# Health checkers and grpcurl's `list` come without a token.

_DETAILS = "grpc-status-details-bin"
_TRANSCODED = "x-envoy-original-path"
_FRAMES = 6

Context = aio.ServicerContext[Any, Any]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class CallGuard(aio.ServerInterceptor):
    """Wraps every handler of ours: who calls, how long, and what a failure says.

    `call_timeout` bounds unary calls in seconds; a shorter deadline of the
    caller's own ends them earlier. Streams are bounded by what they do.
    """

    def __init__(
        self,
        directory: TokenDirectory,
        *,
        call_timeout: float,
        load: Load,
        instruments: Instruments = SILENT,
    ) -> None:
        self._directory = directory
        self._call_timeout = call_timeout
        self._load = load
        self._instruments = instruments
        self._guarded: dict[str, Handler | None] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Replaces the handler of a call by its guarded twin."""
        method = str(handler_call_details.method)
        guarded = self._guarded.get(method)
        if guarded is None:
            handler = await continuation(handler_call_details)
            guarded = self._guard(method, handler)
            # A method that does not exist is not kept: its name is any caller's invention.
            if handler is not None:
                self._guarded[method] = guarded
        return guarded

    def _guard(self, method: str, handler: Handler | None) -> Handler | None:
        if method.startswith(_OPEN):
            return handler
        if handler is None:
            return grpc.unary_unary_rpc_method_handler(self._guard_unary(_refuse, UNKNOWN_RPC))
        rpc = rpc_name(method)
        if handler.response_streaming:
            return grpc.unary_stream_rpc_method_handler(
                self._guard_stream(handler.unary_stream, rpc),
                request_deserializer=_tolerant(handler.request_deserializer),
                response_serializer=handler.response_serializer,
            )
        return grpc.unary_unary_rpc_method_handler(
            self._guard_unary(handler.unary_unary, rpc),
            request_deserializer=_tolerant(handler.request_deserializer),
            response_serializer=handler.response_serializer,
        )

    def _guard_unary(self, serve: Any, rpc: str) -> Any:  # noqa: ANN401  # grpc's handlers are untyped
        async def guarded(request: object, context: Context) -> object:
            call = ObservedCall(rpc, context.invocation_metadata())
            with observed(call, self._instruments, is_stream=False):
                try:
                    authenticate(context.invocation_metadata(), self._directory)
                    with self._load.call(current_caller()):
                        async with asyncio.timeout(self._call_timeout):
                            response = await serve(_decoded(request), context)
                except TimeoutError:
                    await _abort(context, CallTimeout(), call)
                except Exception as error:  # noqa: BLE001  # nothing may reach the caller as text
                    await _abort(context, error, call)
                _succeed(context, call)
                return response

        return guarded

    def _guard_stream(self, serve: Any, rpc: str) -> Any:  # noqa: ANN401  # grpc's handlers are untyped
        async def guarded(request: object, context: Context) -> AsyncIterator[object]:
            call = ObservedCall(rpc, context.invocation_metadata())
            with observed(call, self._instruments, is_stream=True):
                try:
                    authenticate(context.invocation_metadata(), self._directory)
                    with self._load.stream(current_caller()):
                        # Closed with the call, not whenever it is collected.
                        async with aclosing(serve(_decoded(request), context)) as responses:
                            async for response in responses:
                                yield response
                except Exception as error:  # noqa: BLE001  # nothing may reach the caller as text
                    await _abort(context, error, call)
                _succeed(context, call)

        return guarded


class _Undecodable:
    """Stands for bytes that are no message of the method's type."""


def _tolerant(deserialize: Callable[[bytes], object] | None) -> Callable[[bytes], object] | None:
    """Keeps a failure to decode for the guarded handler: grpc would tell its text."""
    if deserialize is None:
        return None

    def tolerant(data: bytes) -> object:
        try:
            return deserialize(data)
        except DecodeError:
            return _Undecodable()

    return tolerant


def _decoded(request: object) -> object:
    if isinstance(request, _Undecodable):
        message = "is no message of this method; text must be UTF-8, fields as in the proto"
        raise ValidationFailed("request", message)
    return request


async def _refuse(request: object, context: Context) -> NoReturn:  # noqa: ARG001  # a handler's signature
    raise NotImplementedHere


def _succeed(context: Context, call: ObservedCall) -> None:
    call.succeed()
    if call.trailing:
        context.set_trailing_metadata(call.trailing)


async def _abort(context: Context, error: Exception, call: ObservedCall) -> NoReturn:
    """Ends the call with the error's status; `x-error-*` is for the gateway."""
    if isinstance(error, aio.AbortError):
        raise error
    fault = Fault.of(error, request_id=call.request_id)
    call.fail(fault.code.name, fault.reason)
    _log_failure(error, call)
    trailing: list[tuple[str, str | bytes]] = [
        (_DETAILS, fault.status().SerializeToString()),
        ("x-error-code", fault.reason),
        *call.trailing,
    ]
    if fault.retry_after:
        trailing.append(("retry-after", str(fault.retry_after)))
    if any(key == _TRANSCODED for key, _ in context.invocation_metadata() or ()):
        trailing.append(("x-error-body", fault.envelope()))
    await context.abort(fault.code, fault.message, tuple(trailing))


def _log_failure(error: Exception, call: ObservedCall) -> None:
    """Writes one line a failed call; the request id comes with every line."""
    if isinstance(error, DomainError):
        milliseconds = round(call.seconds * 1000, 1)
        _log.info("call_failed", rpc=call.rpc, reason=call.reason, ms=milliseconds)
        return
    # Types and lines only: a message may hold a number.
    fault, where = type(error).__name__, _where(error)
    _log.error("call failed by a fault of ours", rpc=call.rpc, fault=fault, where=where)


def _where(error: Exception) -> list[str]:
    """Names the modules and lines that an error came through, the last ones."""
    frames = traceback.walk_tb(error.__traceback__)
    return [f"{frame.f_globals.get('__name__')}:{line}" for frame, line in frames][-_FRAMES:]
