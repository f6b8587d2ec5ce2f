"""A survey that is served: what is stored, what is refused, and what survives."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from cli.test_commands import mtgan as command
from mtgan.errors import UserError
from mtgan.surveys import Survey
from mtgan.surveys.codes import read_codes
from mtgan.surveys.database import Database, Refused
from mtgan.surveys.results import results_of
from mtgan.web.survey import build_survey_app
from needed import chromium, need, need_package
from surveys.conftest import make_survey

TOKEN = "a-token-of-tests"


@pytest.fixture
def database(pairs: Survey, tmp_path: Path) -> Iterator[Database]:
    opened = Database(pairs, f"sqlite:///{tmp_path / 'answers.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture
def client(database: Database) -> TestClient:
    app = build_survey_app(database, TOKEN)
    return TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)


def session_in(text: str) -> dict[str, Any]:
    found = re.search(r'id="session">(.*?)</script>', text)
    assert found is not None
    return json.loads(found[1])


def everything(database: Database) -> list[tuple[Any, ...]]:
    return [(one.rater, one.seat, one.answers) for one in database.returned()]


def body(session: dict[str, Any], place: int, answer: str = "left") -> dict[str, Any]:
    trial = session["trials"][place]["id"]
    return {"rater": session["rater"], "trial": trial, "answer": answer, "ms": 900}


def test_a_rater_answers_leaves_and_comes_back(client: TestClient, database: Database) -> None:
    begun = client.get("/")
    assert begun.status_code == 303
    page = client.get(begun.headers["location"])
    session = session_in(page.text)
    assert (session["seat"], session["done"]) == ("r1", [])
    assert session["pictures"] == {}
    picture = client.get(f"/images/{session['trials'][0]['images'][0]}")
    assert picture.content == database.survey.image(session["trials"][0]["images"][0]).read_bytes()
    for place in range(3):
        answer = client.post("/answers", json=body(session, place, ("left", "right")[place % 2]))
        assert answer.json() == {"stored": True, "new": True}
    again = session_in(client.get(begun.headers["location"]).text)
    assert [one["answer"] for one in again["done"]] == ["left", "right", "left"]
    assert again["seat"] == "r1"
    other = session_in(client.get("/r/another-rater").text)
    assert other["seat"] == "r2"


def test_an_answer_is_stored_once_and_the_first_counts(
    client: TestClient, database: Database
) -> None:
    session = session_in(client.get("/r/rater-one").text)
    assert client.post("/answers", json=body(session, 0)).json()["new"] is True
    before = everything(database)
    for answer in ("left", "right"):
        sent = client.post("/answers", json=body(session, 0, answer))
        assert (sent.status_code, sent.json()["new"]) == (200, False)
    assert everything(database) == before


HOSTILE = {
    "trial of nobody": ({"trial": "0" * 16}, 422),
    "sql": ({"trial": "x'; DROP TABLE answers; --"}, 422),
    "sql rater": ({"rater": "x' OR '1'='1"}, 422),
    "html": ({"answer": "<script>alert(1)</script>"}, 422),
    "number": ({"answer": 1}, 422),
    "time": ({"ms": -1}, 422),
    "truth": ({"ms": True}, 422),
    "more": ({"seat": "r2"}, 422),
    "large": ({"answer": "x" * 3000}, 413),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_answers_change_nothing(case: str, client: TestClient, database: Database) -> None:
    session = session_in(client.get("/r/rater-one").text)
    client.post("/answers", json=body(session, 0))
    before, counts = everything(database), database.progress()
    change, status = HOSTILE[case]
    answer = client.post("/answers", json={**body(session, 1), **change})
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}
    assert everything(database) == before
    assert database.progress() == counts


def test_trials_are_answered_in_order_and_by_whom_they_were_shown(
    client: TestClient, database: Database
) -> None:
    first = session_in(client.get("/r/rater-one").text)
    second = session_in(client.get("/r/rater-two").text)
    forged = {**body(first, 0), "rater": "rater-two"}
    assert "no such trial" in client.post("/answers", json=forged).json()["error"]
    early = client.post("/answers", json=body(second, 5))
    assert early.json() == {"error": "This trial was not shown yet."}
    assert everything(database) == []


def test_other_ways_in_are_refused(client: TestClient) -> None:
    for path in ("/r/x", "/r/a%20b%20c", "/r/..%2F..%2Fsurvey.json", "/images/../survey.json"):
        assert client.get(path).status_code == 404, path
    assert client.get("/images/none.png").status_code == 404
    assert (
        client.post("/answers", content=b"{", headers={"Content-Type": "text/plain"}).status_code
        == 415
    )


def test_the_author_s_page_is_behind_the_token(client: TestClient) -> None:
    for path in ("/author/", "/author/progress"):
        assert client.get(path).status_code == 401
        wrong = client.get(path, headers={"Authorization": "Bearer another-token"})
        assert wrong.status_code == 401
    session = session_in(client.get("/r/rater-one").text)
    client.post("/answers", json=body(session, 0))
    told = client.get("/author/progress", headers={"Authorization": f"Bearer {TOKEN}"})
    assert told.json() == {"seats": 4, "begun": 1, "finished": 0, "answers": 1}
    signed = client.get(f"/author/?token={TOKEN}")
    assert (signed.status_code, signed.headers["location"]) == (303, "/author/")
    page = client.get("/author/", headers={"Authorization": f"Bearer {TOKEN}"})
    assert "<th>answers</th><td>1</td>" in page.text


def test_seats_run_out(client: TestClient) -> None:
    for number in range(4):
        assert client.get(f"/r/rater-{number}").status_code == 200
    assert client.get("/r/rater-4").status_code == 410
    assert client.get("/r/rater-0").status_code == 200


def test_codes_say_who_may_take_part(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "codes.txt"
    path.write_text("anna-4711\nbert-4712\n\n")
    app = build_survey_app(database, TOKEN, read_codes(path))
    client = TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)
    assert client.get("/").status_code == 403
    assert client.get("/r/anna-4711").status_code == 200
    assert client.get("/r/anna-4712").status_code == 404
    for text, sentence in (
        ("anna-4711\nanna-4711", r"line 2: the code 'anna-4711' stands there twice"),
        ("a b c d", "a code has 4 to 64 letters"),
        ("\n", "holds no code"),
    ):
        path.write_text(text)
        with pytest.raises(UserError, match=sentence):
            read_codes(path)


def test_results_read_the_database(tmp_path: Path, sets: dict[str, str]) -> None:
    made = make_survey(tmp_path / "x", sets)
    database = Database(made)
    for rater in ("anna", "bert", "carl"):
        seat = database.claim(rater)
        assert seat is not None
        for trial in made.plan.seats[seat]:
            chosen = trial.right[0] if trial.right else ("right" if trial.flipped else "left")
            database.store(rater, trial.id, chosen, 1000)
    database.close()
    found = results_of(made)
    assert found.rows.raters == ("anna", "bert", "carl")
    assert found.questions[0].answer.value == 1.0
    assert found.notes[0].startswith("Only 3 raters count")


def test_databases_that_do_not_fit_are_named(
    pairs: Survey, tmp_path: Path, sets: dict[str, str]
) -> None:
    url = f"sqlite:///{tmp_path / 'a.sqlite'}"
    Database(pairs, url).close()
    other = make_survey(tmp_path / "other", sets, seed=5)
    with pytest.raises(UserError, match="The database holds answers to another survey"):
        Database(other, url)
    for wrong in ("sqlite:////nowhere/at/all.sqlite", "nonsense"):
        with pytest.raises(UserError, match="database cannot be opened"):
            Database(pairs, wrong)
    with pytest.raises(Refused, match="no such rater"):
        Database(pairs, url).store("nobody", "x", "left", 1)
    done = command("survey", "serve", str(pairs.path), "--codes", "none", cwd=tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


# A server in a process of its own


class Server:
    """`mtgan survey serve`, which can be killed and started again at the same port."""

    def __init__(self, survey: Survey, *options: str) -> None:
        self.words = [sys.executable, "-m", "mtgan", "survey", "serve", str(survey.path)]
        self.options, self.port = [*options, "--token", TOKEN], 0
        self.start()

    def start(self) -> None:
        words = [*self.words, "--port", str(self.port), *self.options]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.port = int(re.search(r":(\d+)/", line)[1])  # type: ignore[index]
        self.address = f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def crowded(tmp_path: Path, sets: dict[str, str]) -> Survey:
    return make_survey(tmp_path / "x", sets, raters=200, trials=5, catch=1, repeats=0)


def take_part(address: str, number: int) -> tuple[str, list[str]]:
    """Answer a whole survey, each answer again and again until it has arrived, some twice."""
    code = f"rater-{number}"
    with httpx.Client(base_url=address, timeout=60) as client:
        session = session_in(until(lambda: client.get(f"/r/{code}")).text)
        answers = []
        for place in range(len(session["trials"])):
            answer = ("left", "right")[(number + place) % 2]
            for _ in range(1 + (number + place) % 3 // 2):
                until(lambda: client.post("/answers", json=body(session, place, answer)))  # noqa: B023
            answers.append(answer)
    return code, answers


def until(ask: Any) -> httpx.Response:
    for _ in range(600):
        try:
            answer: httpx.Response = ask()
            if answer.status_code == 200:
                return answer
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise AssertionError("no answer")


def check_whole(database: Database, told: dict[str, list[str]]) -> None:
    """Everybody's answers are there, once, as they were given."""
    found = database.returned()
    assert {one.rater: [a.answer for a in one.answers] for one in found} == told
    assert len({one.seat for one in found}) == len(told)
    for one in found:
        trials = [trial.id for trial in database.survey.plan.seats[one.seat]]
        assert [answer.trial for answer in one.answers] == trials


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_hundred_raters_at_once_and_a_server_that_is_killed(crowded: Survey) -> None:
    server = Server(crowded)
    try:
        with ThreadPoolExecutor(200) as pool:
            asked = [pool.submit(take_part, server.address, number) for number in range(200)]
            database = Database(crowded)
            for least in (300, 700):
                while database.progress()["answers"] < least:
                    time.sleep(0.1)
                server.kill()
                server.start()
            told = dict(one.result() for one in asked)
    finally:
        server.kill()
    assert database.progress() == {"seats": 200, "begun": 200, "finished": 200, "answers": 1200}
    check_whole(database, told)
    database.close()


@pytest.mark.slow
def test_a_rater_in_a_browser(pairs: Survey, tmp_path: Path) -> None:
    """By keys; the server is killed on the way, and the page goes on by itself."""
    url = f"sqlite:///{tmp_path / 'answers.sqlite'}"
    server = Server(pairs, "--database", url)
    try:
        with chromium() as browser:
            page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
            page.goto(f"{server.address}/r/rater-one")
            page.keyboard.press("Enter")
            page.keyboard.press("Enter")
            for place in range(17):
                page.wait_for_function(f"document.querySelector('progress').value == {place}")
                page.wait_for_selector("body:not(.waiting)")
                page.wait_for_timeout(230)
                if place == 6:
                    page.reload()
                    page.wait_for_selector("body:not(.waiting)")
                    page.wait_for_timeout(230)
                if place == 9:
                    server.kill()
                page.keyboard.press(("ArrowLeft", "2")[place % 2])
                if place == 9:
                    page.wait_for_selector(f"text={pairs.wording.lost}")
                    server.start()
            page.wait_for_selector(f"text={pairs.wording.sent}", timeout=20_000)
    finally:
        server.kill()
    database = Database(pairs, url)
    check_whole(database, {"rater-one": [("left", "right")[place % 2] for place in range(17)]})
    database.close()


def postgres_tools() -> Path | None:
    """Where initdb and pg_ctl lie; Debian keeps them out of the path."""
    places = [*sorted(Path("/usr/lib/postgresql").glob("*/bin")), Path("/usr/local/bin")]
    return next((place for place in reversed(places) if (place / "initdb").exists()), None)


@pytest.mark.slow
def test_postgresql(crowded: Survey) -> None:
    need_package("psycopg")
    tools = postgres_tools()
    need(tools, "PostgreSQL")
    # Not within pytest's own folders, which a server that is not root's cannot enter.
    folder = Path(tempfile.mkdtemp(prefix="mtgan-postgres-"))
    try:
        with_postgresql(crowded, tools, folder)
    finally:
        shutil.rmtree(folder)


def with_postgresql(crowded: Survey, tools: Path, folder: Path) -> None:
    user: list[str] = []
    if os.getuid() == 0:  # which it refuses to run as
        subprocess.run(["chown", "postgres", folder], check=True)
        user = ["runuser", "-u", "postgres", "--"]
    with socket.create_server(("127.0.0.1", 0)) as asked:  # a port that is free
        port = asked.getsockname()[1]
    data = folder / "data"
    subprocess.run([*user, tools / "initdb", "-D", data, "-U", "tests", "-A", "trust"], check=True)
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
    control = [*user, tools / "pg_ctl", "-D", data, "-w"]
    subprocess.run([*control, "-o", options, "-l", folder / "log", "start"], check=True)
    try:
        url = f"postgresql+psycopg://tests@127.0.0.1:{port}/postgres"
        server = Server(crowded, "--database", url)
        try:
            with ThreadPoolExecutor(20) as pool:
                told = dict(pool.map(lambda n: take_part(server.address, n), range(20)))
        finally:
            server.kill()
        database = Database(crowded, url)
        check_whole(database, told)
        database.close()
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=True)
