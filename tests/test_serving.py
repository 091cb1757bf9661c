"""The server of ``cowpath explore``: who may ask, what is no question, when it ends."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from cowpath import checking
from cowpath.serving import Explorer, Idle


@pytest.fixture(scope="module")
def server() -> Iterator[Explorer]:
    with Explorer(checking.explore("commit", "linux-3.0"), ["isolation"], 1_000, 600.0, "a test") as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join(5)
        assert not thread.is_alive()


def ask(server: Explorer, what: str, body: Any = None, **headers: str) -> tuple[int, str]:
    """Ask for a page below the first one, or post something to it."""
    asked = http.client.HTTPConnection(*server.server_address[:2], timeout=30)
    path = what if what.startswith("/") else f"/{server.token}/0/{what}"
    data = None if body is None else json.dumps(body)
    asked.request(
        "GET" if body is None else "POST", path, data, {key.replace("_", "-"): value for key, value in headers.items()}
    )
    answer = asked.getresponse()
    policy = answer.getheader("Content-Security-Policy") or ""
    assert "default-src 'none'" in policy and "connect-src 'self'" in policy and "frame-ancestors 'none'" in policy
    return answer.status, answer.read().decode()


def test_only_who_knows_the_word_and_asks_for_this_host_is_answered(server: Explorer) -> None:
    assert server.server_address[0] == "127.0.0.1" and len(server.token) >= 20
    assert ask(server, "")[0] == 200
    for host in ("evil.example", f"localhost:{server.server_address[1]}", "127.0.0.1", ""):
        status, said = ask(server, "", Host=host)
        assert status == 403 and server.token not in said
    for path in (
        "/",
        "/x/0/",
        f"/{server.token}",
        f"/{server.token}/0",
        f"/{server.token}/1/",
        f"/{server.token}/-1/",
        f"/{server.token}/0/x",
        f"/{server.token}x/0/",
        f"/{server.token}/0/../0/",
        "/%00/0/",
    ):
        assert ask(server, path)[0] == 404, path
    assert ask(server, "what-if", {}, Origin="http://evil.example")[0] == 403
    assert ask(server, "what-if")[0] == 404 and ask(server, "moves", {})[0] == 404


@pytest.mark.parametrize(
    "question",
    [
        "",
        "?machine=1&state=0",
        "?machine=0&state=x",
        "?machine=0&state=0",
        "?machine=0&state=0&states=99999999999&parts=0&texts=0&graphs=0",
        "?machine=0&state=-1&states=0&parts=0&texts=0&graphs=0",
    ],
)
def test_what_is_no_question_is_told(server: Explorer, question: str) -> None:
    ask(server, "")
    status, said = ask(server, f"moves{question}")
    assert status == 400 and "error" in json.loads(said)


@pytest.mark.parametrize(
    "body",
    [
        [],
        "x",
        {},
        {"machine": "0"},
        {"machine": 0, "edit": "drop", "path": "file_cow", "step": "1", "other": ""},
        {"machine": "0", "edit": "burn", "path": "file_cow", "step": "1", "other": "1"},
        {"machine": "0", "edit": "drop", "path": "file_cow", "step": "1", "other": "", "walk": "x"},
        {"machine": "0", "edit": "drop", "path": "nosuch", "step": "1", "other": "1"},
        {"machine": "0", "edit": "drop", "path": "file_cow", "step": "99", "other": "1"},
    ],
)
def test_what_if_of_what_is_not_there_is_told(server: Explorer, body: Any) -> None:
    ask(server, "")
    status, said = ask(server, "what-if", body)
    assert status == 400 or "error" in json.loads(said)
    assert len(server.pages) == 1


def test_what_is_too_much_is_not_read(server: Explorer) -> None:
    assert ask(server, "what-if", {"x": "x" * 70_000})[0] == 413


def test_it_ends_by_itself_when_nobody_asks() -> None:
    walk = checking.explore("commit", "linux-3.0")
    with Explorer(walk, ["isolation"], 1_000, 0.2, "a test") as idle, pytest.raises(Idle):
        idle.serve_forever(0.05)


def test_ctrl_c_ends_the_command() -> None:
    words = [sys.executable, "-m", "cowpath", "explore", "commit", "--design", "linux-3.0", "--interpreted"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ) as running:
        assert running.stdout is not None and running.stderr is not None
        said = running.stdout.readline()
        assert re.fullmatch(r"Open http://127\.0\.0\.1:[0-9]+/[\w-]{20,}/0/ in a browser\. Ctrl-C ends it\.\n", said)
        time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 130
        assert "Traceback" not in running.stderr.read()
