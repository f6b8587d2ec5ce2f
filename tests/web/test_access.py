"""The token, and names by which a server without one answers."""

import pytest
from fastapi.testclient import TestClient

from mtgan.errors import UserError
from mtgan.web.access import TOKEN, choose_token, is_loopback, is_new
from mtgan.web.base import new_app

SECRET = "0123456789abcdef"


@pytest.fixture
def client() -> TestClient:
    app = new_app("test", SECRET)
    app.get("/health")(lambda: "lives")
    app.get("/page")(lambda: "hello")
    return TestClient(app, "http://192.0.2.1", follow_redirects=False)


def test_loopback() -> None:
    for host in ("127.0.0.1", "127.1.2.3", "localhost", "LOCALHOST", "::1", "[::1]"):
        assert is_loopback(host), host
    for host in ("0.0.0.0", "192.168.1.2", "::", "example.org", "localhost.example.org", ""):
        assert not is_loopback(host), host


def test_where_a_token_is_needed(monkeypatch) -> None:
    monkeypatch.delenv(TOKEN, raising=False)
    assert choose_token("127.0.0.1") is None
    made = choose_token("0.0.0.0")
    assert len(made or "") >= 32
    assert is_new(made)
    assert choose_token("0.0.0.0") != made
    assert choose_token("127.0.0.1", SECRET) == SECRET
    monkeypatch.setenv(TOKEN, SECRET)
    assert choose_token("0.0.0.0") == choose_token("127.0.0.1") == SECRET
    assert not is_new(SECRET)
    for odd in ("", "short", "ünsäglich!", "with a blank in it"):
        with pytest.raises(UserError, match="A token should be at least 8 letters"):
            choose_token("0.0.0.0", odd)


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer x", f"Basic {SECRET}", f"Bearer {SECRET}x"]
)
def test_without_it_nobody_comes_in(client: TestClient, header: str) -> None:
    answer = client.get("/page", headers={"Authorization": header} if header else {})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert list(answer.json()) == ["error"]
    assert client.get("/openapi.json").status_code == 401
    assert client.get("/none").status_code == 401  # what there is is not told either


def test_with_it_everybody_does(client: TestClient) -> None:
    assert client.get("/page", headers={"Authorization": f"Bearer {SECRET}"}).json() == "hello"
    assert client.get("/page", headers={"Authorization": f"bearer  {SECRET}"}).json() == "hello"
    assert client.get("/health").json() == "lives"


def test_a_browser_is_given_a_cookie(client: TestClient) -> None:
    answer = client.get(f"/page?a=1&token={SECRET}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/page?a=1")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert client.get("/page?a=1").json() == "hello"
    client.cookies.clear()
    assert client.get("/page?token=other").status_code == 401
    assert client.post(f"/page?token={SECRET}").status_code == 401
    assert client.get("/page", headers={"Cookie": "mtgan-token=other; x"}).status_code == 401
    away = client.get(f"http://192.0.2.1//example.org/?token={SECRET}")
    assert away.headers["location"].startswith("/example.org/")


def test_without_a_token_only_this_machine_is_answered() -> None:
    app = new_app("test")
    app.get("/page")(lambda: "hello")
    for host in ("127.0.0.1:8000", "localhost", "[::1]:8000"):
        assert TestClient(app, f"http://{host}").get("/page").json() == "hello"
    answer = TestClient(app, "http://example.org").get("/page")
    assert (answer.status_code, list(answer.json())) == (403, ["error"])
