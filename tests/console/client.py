"""Whoever asks the console: a browser or a program, and what it is answered."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Mapping

COOKIE = "__Host-orikaeshi"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str
    cookies: Mapping[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        """What it says."""
        return json.loads(self.text)


class Client:
    """One browser, or one program, with its own proof of who it is; follows nothing by itself."""

    def __init__(self, session: aiohttp.ClientSession, url: str, headers: Mapping[str, str]) -> None:
        self.session = session
        self.url = url
        self.headers = dict(headers)
        """Sent with each request."""

    @property
    def token(self) -> str:
        """What its cookie holds; "" without one."""
        return self.headers.get("Cookie", "").removeprefix(f"{COOKIE}=")

    async def get(self, path: str, **headers: str) -> Answer:
        """Read something. Headers are named as `Accept_Language`."""
        return await self.send("GET", path, headers=headers)

    async def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        """Change something, with a JSON body where there is one."""
        return await self.send("POST", path, body=body, headers=headers)

    async def put(self, path: str, body: Any = None, **headers: str) -> Answer:
        """Change something."""
        return await self.send("PUT", path, body=body, headers=headers)

    async def patch(self, path: str, body: Any = None, **headers: str) -> Answer:
        """Change something."""
        return await self.send("PATCH", path, body=body, headers=headers)

    async def delete(self, path: str, **headers: str) -> Answer:
        """Delete something."""
        return await self.send("DELETE", path, headers=headers)

    async def submit(self, path: str, form: Mapping[str, str], **headers: str) -> Answer:
        """Send a form of ours, as a browser does."""
        named = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        return await self.send("POST", path, data=urlencode(form).encode(), headers=named)

    async def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send any request. A header that is "" is left out, also one of those that are sent with each."""
        named = {**self.headers, **{name.replace("_", "-"): value for name, value in (headers or {}).items()}}
        if body is not None:
            data = json.dumps(body).encode()
            named.setdefault("Content-Type", "application/json")
        kept = {name: value for name, value in named.items() if value}
        async with self.session.request(method, path, data=data, headers=kept, allow_redirects=False) as response:
            cookies = {name: morsel.value for name, morsel in response.cookies.items()}
            return Answer(response.status, dict(response.headers), await response.text(), cookies)

    def stream(self, path: str, **headers: str) -> Any:
        """Return the context of an answer that does not end (`async with ... as response`)."""
        named = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.session.get(path, headers=named, timeout=aiohttp.ClientTimeout(total=None))
