"""What the page asks a server for."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from fastapi.testclient import TestClient

from mtgan.training import Run
from mtgan.web.app import build_app
from mtgan.web.explore.routes import explore_router
from mtgan.web.served import ServedModel
from toys import make_data
from web.explore.conftest import array, parts_of

LOCAL = "http://127.0.0.1"


@pytest.fixture(scope="module")
def client(tree: Run, bars: Run) -> Iterator[TestClient]:
    models = [ServedModel("tree", tree), ServedModel("bars", bars)]
    app = build_app(models)
    app.include_router(explore_router(app.state.models))
    yield TestClient(app, base_url=LOCAL)
    for model in models:
        model.close()


def body(made, **others) -> dict:
    """What the page sends of samples of `tree`."""
    rows = made.labels.tolist()
    latents = made.latents.tolist()
    numbers = [[] for _ in rows]
    return {"model": "tree", "latents": latents, "rows": rows, "numbers": numbers} | others


def pixels(answer, *shape: int) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    return np.frombuffer(answer.content, np.uint8).reshape(shape)


def test_the_page_knows_checkpoints_and_holds_no_network(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = parts_of(answer.text)
    assert set(page.scripts) == {"facts", "code"}
    tree, bars = page.facts["models"]
    assert (tree["steps"], tree["nearest"], tree["step"]) == ([0, 2], True, 2)
    assert (bars["name"], page.facts["server"]) == ("bars", True)


def test_pictures_are_those_of_run_sample(client: TestClient, tree: Run) -> None:
    for step in (None, 0, 2):
        right = tree.sample(5, seed=4, step=step)
        found = client.post("/explore/images", json=body(right, step=step))
        np.testing.assert_array_equal(pixels(found, 5, 3, 16, 16), right)


def test_pictures_between_labels(client: TestClient, tree: Run) -> None:
    a, b = (tree.sample(2, {"fine": name}, seed=0) for name in "ad")
    asked = body(a, to_rows=b.labels.tolist(), shares=[0.0, 1.0])
    found = pixels(client.post("/explore/images", json=asked), 2, 3, 16, 16)
    np.testing.assert_array_equal(found, np.stack([a[0], b[1]]))


def test_pictures_of_a_number(client: TestClient, bars: Run) -> None:
    right = bars.sample(2, {"place": [10.0, 45.0]}, seed=0)
    asked = {"model": "bars", "latents": right.latents.tolist(), "rows": [[], []]}
    ends = {"to_numbers": [[0.0], [90.0]], "shares": [0.0, 0.5]}
    found = client.post("/explore/images", json={**asked, "numbers": [[10.0], [0.0]], **ends})
    shown = pixels(found, 2, 1, 16, 16).astype(int)
    assert np.abs(shown - np.asarray(right).astype(int)).max() <= 1


def test_another_seed_starts_with_the_samples_of_it(client: TestClient, tree: Run) -> None:
    found = client.post("/explore/start", json={"model": "tree", "seed": 9}).json()
    right = tree.sample(64, seed=9)
    np.testing.assert_array_equal(array(found["latents"], "<f4", 64, 6), right.latents)
    np.testing.assert_array_equal(array(found["labels"], "<i4", 64, 3), right.labels)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"model": "trea"}, "model is 'trea'; there are 'tree', 'bars'."),
        ({"latents": [[0.0] * 6, [0.0] * 5]}, "latents should be rows of equal length."),
        ({"latents": [[0.0] * 5] * 2}, "latents should be numbers [2, 6]"),
        ({"rows": [[4, 0, 0], [0, 0, 0]]}, "'fine' has the classes 0 to 3; found 4."),
        ({"rows": [[-1, 0, 0], [0, 0, 0]]}, "'fine' has the classes 0 to 3; found -1."),
        ({"rows": [[0, 0, 0]]}, "rows should be 2 rows of 3 each."),
        ({"numbers": [[1.0], [1.0]]}, "numbers should be 2 rows of 0 each."),
        ({"step": 7}, "has no checkpoint of step 7"),
        ({"shares": [0.5]}, "shares are 1, and there are 2 latents."),
        ({"shares": [0.5, 2.0]}, "shares"),
        ({"latents": []}, "latents"),
        ({"latents": [[0.0] * 6] * 65}, "latents"),
        ({"more": 1}, "more"),
    ],
)
def test_what_is_refused(client: TestClient, tree: Run, changes, sentence: str) -> None:
    answer = client.post("/explore/images", json=body(tree.sample(2, seed=0), **changes))
    assert answer.status_code == 422
    assert sentence in answer.json()["error"]


def test_the_nearest_training_image_of_a_copy_is_itself(
    client: TestClient, tree: Run, monkeypatch
) -> None:
    data = make_data(shape=(3, 16, 16))
    copy = data.samples.copy()
    copy[30] = tree.sample(1, seed=0)[0]  # of class 30 % 4
    data = replace(data, samples=copy)
    monkeypatch.setattr(Run, "load_data", lambda run: data)
    found = client.post("/explore/nearest", json=body(tree.sample(1, seed=0))).json()
    first, second = found["nearest"][:2]
    assert first["distance"] == 0
    assert first["picture"].startswith("data:image/png;base64,")
    assert first["labels"] == "c, y"
    assert second["distance"] > 0
    assert found["about"] == "Of 48 images of toy, by the Euclidean distance of gray pixels."


def test_the_pages_routes_are_no_part_of_the_schema(client: TestClient) -> None:
    assert set(client.get("/openapi.json").json()["paths"]) == {"/health", "/models", "/samples"}
