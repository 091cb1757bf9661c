"""A server for one reader on this machine: the page of a case that is explored, and what it asks for.

It listens on 127.0.0.1 only, on a port that the system chooses. Whoever asks must know the random word in its address,
and ask for this host by name: so no other page of the same browser can (DNS rebinding), and no other user.
"""

from __future__ import annotations

import json
import secrets
import sys
import threading
import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cowpath import checking
from cowpath.checker.many import Job
from cowpath.checker.walk import Walk
from cowpath.errors import CowpathError, InputError
from cowpath.report.html import POLICY, SERVED
from cowpath.report.served import MOVES, Served

HOST = "127.0.0.1"
MOST_BYTES = 1 << 16  # of a question
MOST_PAGES = 100  # designs that are tried out, one after another
SLOWEST_S = 30  # that a reader may take to ask
HEADERS = {
    "Content-Security-Policy": f"{POLICY}; {SERVED}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
}  # fmt: skip


class Idle(Exception):  # noqa: N818 - no error
    """Nobody has asked for so long."""


class Explorer(ThreadingHTTPServer):
    """The server. ``address`` is where its page is."""

    daemon_threads = True

    def __init__(self, walk: Walk, properties: Sequence[str] | None, states: int, idle_s: float, command: str) -> None:
        super().__init__((HOST, 0), Answer)
        self.wanted, self.states, self.idle_s, self.command = properties, states, idle_s, command
        self.properties = checking.load_properties(properties)
        self.pages = [Served.of(walk, [], self.properties, command)]
        self.token = secrets.token_urlsafe(16)
        self.machine = threading.Lock()  # of all machines: one question is answered at a time
        self.asked_at = time.monotonic()

    @property
    def host(self) -> str:
        """What a question must be addressed to."""
        return f"{HOST}:{self.server_address[1]}"

    @property
    def address(self) -> str:
        """Of the first page."""
        return f"http://{self.host}/{self.token}/0/"

    def service_actions(self) -> None:
        """Between two looks for questions. Raises Idle."""
        if not self.machine.locked() and time.monotonic() - self.asked_at > self.idle_s:
            raise Idle

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader that has gone is no error."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    # --- what is answered
    def page(self, number: str, asked: dict[str, str]) -> tuple[str, str]:
        """A page."""
        return "text/html; charset=utf-8", self._served(number).page()

    def moves(self, number: str, asked: dict[str, str]) -> tuple[str, str]:
        """The moves of a state."""
        return "application/json", json.dumps(self._served(number).moves(asked))

    def what_if(self, number: str, asked: dict[str, Any]) -> tuple[str, str]:
        """Another design is checked, and has a page: where that is; or why it cannot be."""
        served = self._served(number)
        try:
            if len(self.pages) >= MOST_PAGES:
                raise InputError(f"{MOST_PAGES} designs were tried out already", hint="start it again")
            design = served.edited(asked)
            atlas, results = checking.what_if(served.begun.case, design, self.wanted, self.states)
        except CowpathError as error:
            return "application/json", json.dumps({"error": str(error)})
        walk = Walk(atlas)
        walk.follow(served.movers(asked))
        job = Job(design, atlas.case)
        self.pages.append(Served.of(walk, [(result, job) for result in results], self.properties, self.command))
        return "application/json", json.dumps({"page": f"../{len(self.pages) - 1}/"})

    def _served(self, number: str) -> Served:
        if not (number.isascii() and number.isdecimal() and len(number) < 6 and int(number) < len(self.pages)):
            raise LookupError(number)
        return self.pages[int(number)]


class Answer(BaseHTTPRequestHandler):
    """One question."""

    server: Explorer
    timeout = SLOWEST_S
    server_version = "cowpath"
    sys_version = ""

    def do_GET(self) -> None:
        """A page, or the moves of a state."""
        self._answer({"": self.server.page, MOVES: self.server.moves}, dict(parse_qsl(urlsplit(self.path).query)))

    def do_POST(self) -> None:
        """What if."""
        length = self.headers.get("Content-Length", "")
        origin = self.headers.get("Origin", f"http://{self.server.host}")
        if origin != f"http://{self.server.host}":
            return self._say(HTTPStatus.FORBIDDEN, "text/plain", "not from here")
        if not (length.isascii() and length.isdecimal() and len(length) < 9 and int(length) <= MOST_BYTES):
            return self._say(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "text/plain", "too much")
        try:
            asked = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            asked = None
        if not isinstance(asked, dict):
            return self._say(HTTPStatus.BAD_REQUEST, "text/plain", "not a question")
        return self._answer({"what-if": self.server.what_if}, asked)

    def _answer(self, known: dict[str, Callable[[str, dict[str, str]], tuple[str, str]]], asked: Any) -> None:
        """Whoever does not know the word, or asks for another host, is told nothing."""
        parts = urlsplit(self.path).path.split("/")  # /token/number/what
        if self.headers.get("Host") != self.server.host:
            return self._say(HTTPStatus.FORBIDDEN, "text/plain", "another host")
        same = len(parts) == 4 and secrets.compare_digest(
            parts[1].encode("utf-8", "replace"), self.server.token.encode()
        )
        if not same or parts[3] not in known:
            return self._say(HTTPStatus.NOT_FOUND, "text/plain", "not here")
        self.server.asked_at = time.monotonic()
        try:
            with self.server.machine:
                kind, text = known[parts[3]](parts[2], asked)
        except LookupError:
            return self._say(HTTPStatus.NOT_FOUND, "text/plain", "not here")
        except CowpathError as error:
            return self._say(HTTPStatus.BAD_REQUEST, "application/json", json.dumps({"error": str(error)}))
        finally:
            self.server.asked_at = time.monotonic()
        return self._say(HTTPStatus.OK, kind, text)

    def _say(self, status: HTTPStatus, kind: str, text: str) -> None:
        body = text.encode("utf-8", "backslashreplace")
        self.send_response(status)
        for name, value in (HEADERS | {"Content-Type": kind, "Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """It says nothing."""
