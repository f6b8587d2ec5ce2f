"""Who may ask: anybody on this machine, and from elsewhere whoever knows the token."""

import ipaddress
import os
import re
import secrets
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mtgan.errors import UserError
from mtgan.web.refusals import refusal

TOKEN = "MTGAN_TOKEN"
"""The variable of the environment that holds the token, which the list of processes would show."""
_LEAST = 8  # letters of a token
_COOKIE = "mtgan-token"
_OPEN = frozenset({"/health"})  # to whom watches whether the server lives


def is_loopback(host: str) -> bool:
    """Whether a host, by name or address, is this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def choose_token(host: str, given: str | None = None) -> str | None:
    """The token that a server on `host` asks for: the one that is given, else that of MTGAN_TOKEN,
    else a new one where the host is not loopback; None where none is needed.

    UserError for a token that is too short, or does not fit into a header.
    """
    token = _told(given)
    if token is None:
        return None if is_loopback(host) else secrets.token_urlsafe(24)
    if len(token) < _LEAST or not re.fullmatch(r"[\w.~+/=-]+", token, re.ASCII):
        raise UserError(
            f"A token should be at least {_LEAST} letters, digits or signs of -._~+/=; leave it "
            "out to be given one."
        )
    return token


def is_new(token: str | None, given: str | None = None) -> bool:
    """Whether choose_token has made it up, so that somebody has to be told."""
    return token is not None and _told(given) is None


def _told(given: str | None) -> str | None:
    return os.environ.get(TOKEN) if given is None else given


class Guard:
    """ASGI middleware that lets nobody in without the token; see `Guard.knows`.

    Without a token, only requests are answered that call the server by a loopback name: a page of
    somebody else, whose name was made to mean this machine (DNS rebinding), does not.
    """

    def __init__(self, app: ASGIApp, token: str | None = None) -> None:
        self.app, self.token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _OPEN:
            await self.app(scope, receive, send)
            return
        answer = self._by_name(scope) if self.token is None else self._by_token(scope)
        await (answer or self.app)(scope, receive, send)

    def knows(self, given: str | None) -> bool:
        """Whether this is the token; in a time that does not tell how much of it is right."""
        expected = (self.token or "").encode()
        return secrets.compare_digest((given or "").encode("utf-8", "replace"), expected)

    def _by_name(self, scope: Scope) -> ASGIApp | None:
        """What a request is answered that calls this server otherwise than this machine does."""
        host = Headers(scope=scope).get("host", "localhost")
        if is_loopback(re.sub(r":\d+$", "", host)):
            return None
        return refusal(
            403,
            f"Without a token this server answers to localhost alone, and not to {host}; start it "
            "with a token.",
        )

    def _by_token(self, scope: Scope) -> ASGIApp | None:
        """What a request is answered that does not bring the token: as `Authorization: Bearer`, as
        the cookie that a page has, or once in the address, which becomes that cookie."""
        headers = Headers(scope=scope)
        kind, _, bearer = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return None if self.knows(bearer.strip()) else _unknown("The token is another one")
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if scope["method"] == "GET" and self.knows(dict(query).get("token")):
            return self._signed_in(scope, [(k, v) for k, v in query if k != "token"])
        if self.knows(_cookie(headers.get("cookie", ""))):
            return None
        return _unknown("A token is needed")

    def _signed_in(self, scope: Scope, query: list[tuple[str, str]]) -> ASGIApp:
        """The same address without the token, which stays out of the browser's history."""
        path = "/" + scope["path"].lstrip("/\\")  # of this server, whatever was asked for
        answer = RedirectResponse(f"{path}?{urlencode(query)}" if query else path, 303)
        answer.set_cookie(_COOKIE, self.token or "", httponly=True, samesite="strict")
        return answer


def _unknown(why: str) -> ASGIApp:
    return refusal(
        401,
        f"{why}; send the one that the server printed, as the header Authorization: Bearer TOKEN.",
        {"WWW-Authenticate": "Bearer"},
    )


def _cookie(header: str) -> str | None:
    try:
        found = SimpleCookie(header).get(_COOKIE)
    except CookieError:
        return None
    return None if found is None else found.value
