"""The client for asyncio."""

from __future__ import annotations

import asyncio
import functools
import inspect
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import grpc
from grpc import aio

from wuts.client import channel, contact_calls, device_calls
from wuts.client.attempts import Attempts
from wuts.client.errors import error_of
from wuts.client.signatures import as_method

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
    from typing import Self

    from wuts.client.asking import Ask
    from wuts.client.contact_values import Contact

    Token = str | Callable[[], str | Awaitable[str]]

P = ParamSpec("P")
T = TypeVar("T")


def _unary(
    call: Callable[P, Ask[T]],
) -> Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, T]]:
    """Makes a method of a call with one answer."""

    @functools.wraps(call)
    async def method(self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._answer(call(*args, **kwargs))

    return as_method(method, call)


def _stream(
    call: Callable[P, Ask[T]],
) -> Callable[Concatenate[AsyncClient, P], AsyncGenerator[T]]:
    """Makes a method of a call with a stream of answers."""

    @functools.wraps(call)
    def method(self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[T]:
        return self._answers(call(*args, **kwargs))

    return as_method(method, call)


class AsyncClient:
    """Calls wuts from asyncio. Make it, and use it, inside of one running loop.

    The parameters are those of `Client`; `token` may also be a coroutine function.

    >>> import asyncio
    >>> async def main():
    ...     async with AsyncClient("127.0.0.1:8080", token=TOKEN, tls=False) as client:
    ...         found = await client.resolve(["5511999999999"])
    ...         names = [contact.full_name async for contact in client.contacts()]
    ...     return found.items[0].full_name, names
    >>> asyncio.run(main())
    ('Maria Silva', ['Maria Silva', 'Joao Pereira'])

    A stream is an asynchronous generator. Wrap it in `contextlib.aclosing` where you may
    leave it early; that ends the call at once.
    """

    def __init__(
        self,
        target: str,
        *,
        token: Token,
        tls: channel.Tls,
        timeout: float | None = None,
        retries: int = 2,
    ) -> None:
        self._token = token
        self._timeout = timeout
        self._retries = retries
        secured, options = channel.credentials(tls), channel.options(target)
        if secured is None:
            self._channel = aio.insecure_channel(target, options)
        else:
            self._channel = aio.secure_channel(target, secured, options)

    # One line for each rpc; `contact_calls` and `device_calls` describe them.
    list_contacts = _unary(contact_calls.list_contacts)
    stream_contacts = _stream(contact_calls.stream_contacts)
    picture = _unary(contact_calls.picture)
    resolve = _unary(contact_calls.resolve)
    budget = _unary(contact_calls.budget)
    profile = _unary(contact_calls.profile)
    blocklist = _unary(contact_calls.blocklist)
    block = _unary(contact_calls.block)
    unblock = _unary(contact_calls.unblock)
    check = _unary(contact_calls.check)
    sync_app_state = _unary(contact_calls.sync_app_state)
    devices = _unary(device_calls.devices)
    create_device = _unary(device_calls.create_device)
    delete_device = _unary(device_calls.delete_device)
    device_status = _unary(device_calls.device_status)
    connect_device = _unary(device_calls.connect_device)
    disconnect_device = _unary(device_calls.disconnect_device)
    logout_device = _unary(device_calls.logout_device)
    qr_code = _unary(device_calls.qr_code)
    qr_status = _unary(device_calls.qr_status)
    pair_code = _unary(device_calls.pair_code)
    link_device = _stream(device_calls.link_device)
    watch_device = _stream(device_calls.watch_device)

    async def contacts(
        self,
        *,
        full: bool = False,
        page_size: int = 500,
        timeout: float | None = None,  # noqa: ASYNC109  # gRPC has deadlines of its own
    ) -> AsyncGenerator[Contact]:
        """Gives every contact, one after the other; a page is asked for when it is needed.

        `full` adds `lid_jid`; `page_size` is 1 to 5000, `timeout` in seconds for each page.
        """
        token: str | None = None
        while True:
            page = await self.list_contacts(
                full=full, page_size=page_size, page_token=token, timeout=timeout
            )
            for contact in page.contacts:
                yield contact
            token = page.next_page_token
            if token is None:
                return

    async def close(self) -> None:
        """Ends all calls and the connection; the client is of no use afterwards."""
        await self._channel.close()

    async def __aenter__(self) -> Self:
        """Gives the client itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes the client."""
        await self.close()

    async def _answer(self, ask: Ask[T]) -> T:
        attempts = Attempts(ask, timeout=self._timeout, retries=self._retries)
        call: Any = self._channel.unary_unary(ask.path)
        while True:
            metadata = await self._metadata()
            try:
                answer = await call(ask.request, timeout=attempts.left(), metadata=metadata)
            except grpc.RpcError as error:
                await _wait_after(error, attempts)
            else:
                return ask.read(answer)

    async def _answers(self, ask: Ask[T]) -> AsyncGenerator[T]:
        attempts = Attempts(ask, timeout=self._timeout, retries=self._retries)
        request: bytes | None = ask.request
        while request is not None:
            call: Any = self._channel.unary_stream(ask.path)
            metadata = await self._metadata()
            answers = call(request, timeout=attempts.left(), metadata=metadata)
            try:
                async for answer in answers:
                    value = ask.read(answer)
                    if ask.rest:
                        request = ask.rest(value)
                    attempts.advance()
                    yield value
            except grpc.RpcError as error:
                if request is not None:
                    await _wait_after(error, attempts)
            else:
                return
            finally:
                answers.cancel()

    async def _metadata(self) -> channel.Metadata:
        token = self._token if isinstance(self._token, str) else self._token()
        return channel.bearer(await token if inspect.isawaitable(token) else token)


async def _wait_after(error: grpc.RpcError, attempts: Attempts) -> None:
    """Waits until the next attempt; raises the error if there is none."""
    failed = error_of(error)
    pause = attempts.pause_after(failed)
    if pause is None:
        raise failed from error
    await asyncio.sleep(pause)
