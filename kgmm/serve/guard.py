"""What every served answer obeys: whose requests are taken, how large they may be, which headers go back."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: pages run no inline script and reach no other host
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_OWN = ("referrer-policy", "cross-origin-opener-policy", "cross-origin-resource-policy")
HEADERS = {"x-content-type-options": "nosniff", "x-frame-options": "DENY", **dict.fromkeys(_OWN, "same-origin")}
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
#: seconds a request's body may take to arrive
BODY = 30.0


class Refused(HTTPException):
    """A request's body is longer than allowed, or takes too long to arrive."""


class Guard:
    """ASGI middleware: refuses foreign hosts and origins and oversized bodies, and adds security headers.

    A page elsewhere can make a browser send requests to loopback: the Host check stops names that resolve here (DNS
    rebinding), the Origin check stops forms and scripts of other sites.

    Args:
        app: what answers.
        hosts: host names requests may be addressed to; any if it holds ``*``.
        largest: bytes a body may have.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str] = LOOPBACK, largest: int = 21_000_000) -> None:
        self.app: ASGIApp = app
        self.hosts: frozenset[str] = hosts
        self.largest: int = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        server = (scope.get("server") or ("",))[0]
        reason = self._refusal(scope["method"], headers, server)
        if reason:
            await _plain(send, *reason)
            return
        read, begun, whole, due = 0, False, False, asyncio.get_running_loop().time() + BODY

        async def counted() -> Message:
            nonlocal read, whole
            try:
                async with asyncio.timeout_at(None if whole else due):
                    message = await receive()
            except TimeoutError:
                raise Refused(408, f"a request has to arrive within {BODY:g} s") from None
            read += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if read > self.largest:
                raise Refused(413, f"requests may have {self.largest:,} bytes")
            return message

        async def decorated(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                names = {k.lower() for k, _ in message["headers"]}
                extra = HEADERS | {"content-security-policy": POLICY}
                added = [(k.encode(), v.encode()) for k, v in extra.items() if k.encode() not in names]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        try:
            await self.app(scope, counted, decorated)
        except Refused as error:
            if not begun:
                await _plain(send, error.status_code, error.detail)

    def _refusal(self, method: str, headers: dict[str, str], server: str) -> tuple[int, str] | None:
        host = headers.get("host", "")
        name = _name(host)
        if "*" not in self.hosts and name not in self.hosts and name != server:  # no name resolves to an address
            return 421, "this host name is not served here; use --name to allow it"
        origin = headers.get("origin")
        if method not in ("GET", "HEAD", "OPTIONS") and origin not in (None, f"http://{host}", f"https://{host}"):
            return 403, "requests that other sites make are refused"
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > self.largest:
            return 413, f"requests may have {self.largest:,} bytes"
        return None


def _name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


async def _plain(send: Send, status: int, reason: str) -> None:
    headers: list[Any] = [(b"content-type", b"text/plain; charset=utf-8")]
    headers += [(k.encode(), v.encode()) for k, v in HEADERS.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{reason}\n".encode()})
