"""POST /samples: the same samples as in Python, in every form."""

import base64
import io
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from mtgan.data.images import make_grid
from mtgan.training import Run, train
from mtgan.web.app import build_app
from mtgan.web.served import ServedModel
from toys import make_data, make_domains, small_recipe
from web.conftest import LOCAL


def ask(client: TestClient, **body: object):
    return client.post("/samples", json=body)


def arrays(content: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(content)) as file:
        return dict(file)


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def decoded(text: str) -> np.ndarray:
    return pixels(base64.b64decode(text))


def test_arrays_are_those_of_the_run(client: TestClient, run: Run) -> None:
    answer = ask(client, labels={"fine": "b"}, seed=7, n=5, format="npz")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert (answer.headers["mtgan-seed"], answer.headers["mtgan-step"]) == ("7", "2")
    expected = run.sample(5, {"fine": "b"}, 7)
    found = arrays(answer.content)
    assert (found["images"][..., 0] == expected[:, 0]).all()
    assert (found["labels"] == [[1, 0]] * 5).all()
    assert found["class_names_fine"].tolist() == ["a", "b", "c", "d"]


def test_one_picture_is_the_sample_and_several_are_a_grid(client: TestClient, run: Run) -> None:
    one = ask(client, seed=3)
    assert one.headers["content-type"] == "image/png"
    assert (pixels(one.content) == run.sample(1, seed=3)[0, 0]).all()
    grid = make_grid(np.asarray(run.sample(5, seed=3)), columns=3, scale=1)
    assert (pixels(ask(client, seed=3, n=5).content) == np.asarray(grid)).all()


def test_json_says_labels_and_seed(client: TestClient, run: Run) -> None:
    answer = ask(client, labels={"coarse": "y"}, n=6, format="json").json()
    expected = run.sample(6, {"coarse": "y"}, answer["seed"])
    assert (answer["model"], answer["step"], answer["notes"]) == ("toy", 2, [])
    for sample, image, row in zip(answer["samples"], expected, expected.labels, strict=True):
        assert (decoded(sample["image"]) == image[0]).all()
        assert sample["labels"] == {"fine": "abcd"[row[0]], "coarse": "y"}


def test_truncation_is_that_of_the_run(client: TestClient, run: Run) -> None:
    found = arrays(ask(client, seed=1, n=4, truncation=0.5, format="npz").content)["images"]
    assert (found[..., 0] == run.sample(4, seed=1, truncation=0.5)[:, 0]).all()
    assert (found[..., 0] != run.sample(4, seed=1)[:, 0]).any()


def test_numbers_are_asked_for_and_told(bars: Run) -> None:
    served = ServedModel("bars", bars)
    client = TestClient(build_app([served]), base_url=LOCAL)
    answer = ask(client, labels={"place": 45}, seed=2, n=2, format="json").json()
    assert [sample["labels"]["place"] for sample in answer["samples"]] == pytest.approx([45, 45])
    assert client.get("/models").json()["models"][0]["numbers"] == {"place": {"low": 0, "high": 90}}
    refused = ask(client, labels={"place": "45"})
    assert (refused.status_code, "should be a number" in refused.json()["error"]) == (422, True)
    assert "0 to 90" in ask(client, labels={"place": 91}).json()["error"]
    served.close()


def test_strings_are_text_and_pictures_beside_them_pictures(tmp_path) -> None:
    data = make_domains(tmp_path)
    recipe = small_recipe("multidomain-gp", training__steps=1)
    run = train(recipe, data, tmp_path / "run", quiet=True)
    served = ServedModel("both", run)
    client = TestClient(build_app([served]), base_url=LOCAL)
    assert client.get("/models").json()["models"][0]["domains"] == ["image", "text"]
    for domain, read in (("text", lambda s: s["text"]), ("image", lambda s: decoded(s["image"]))):
        answer = ask(client, labels={"domain": domain}, seed=1, n=4, format="json").json()
        expected = run.sample_domain(4, domain, seed=1)
        for sample, wanted in zip(answer["samples"], expected, strict=True):
            assert sample["labels"]["domain"] == domain
            assert np.array_equal(read(sample), wanted[0] if domain == "image" else wanted)
    served.close()


def test_many_at_once_get_what_each_would_get_alone(run: Run) -> None:
    served = ServedModel("toy", run, queue=40)
    client = TestClient(build_app([served]), base_url=LOCAL)

    def right(seed: int) -> bool:
        n = 1 + seed % 5
        labels = {"fine": "abcd"[seed % 4]} if seed % 2 else {}
        answer = ask(client, labels=labels, seed=seed, n=n, format="npz")
        return bool((arrays(answer.content)["images"][..., 0] == expected[seed]).all())

    expected = {}
    for seed in range(40):
        labels = {"fine": "abcd"[seed % 4]} if seed % 2 else None
        expected[seed] = run.sample(1 + seed % 5, labels, seed)[:, 0]
    with client, ThreadPoolExecutor(8) as clients:
        assert all(clients.map(right, range(40)))
    served.close()


def test_a_full_queue_refuses_and_goes_on(served: ServedModel, client: TestClient) -> None:
    opened, begun = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        opened.wait(20)

    with client, ThreadPoolExecutor(4) as clients:
        held = [client.portal.start_task_soon(served.worker.run, wait) for _ in range(4)]
        begun.wait(20)
        while served.worker._places._value:  # until the last one stands in the queue
            pass
        refused = ask(client)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert "4 requests before this one" in refused.json()["error"]
        assert ask(client, n=0).status_code == 422  # what is wrong is said at once
        opened.set()
        assert [each.result(20) for each in held] == [None] * 4
        assert list(clients.map(lambda _: ask(client).status_code, range(4))) == [200] * 4


def test_a_fault_in_the_thread_is_no_end(served: ServedModel, client: TestClient) -> None:
    def fault() -> None:
        raise ZeroDivisionError

    with client:
        with pytest.raises(ZeroDivisionError):
            client.portal.call(served.worker.run, fault)
        assert ask(client).status_code == 200
        assert served.worker._places._value == 4


REFUSED = [
    ('{"n": 1000000000}', 422, "n should be a whole number from 1 to 32; found 1000000000."),
    ('{"n": true}', 422, "n should be a whole number from 1 to 32; found True."),
    ('{"labels": {"fine": "bb"}}', 422, "The level 'fine' has no class 'bb'"),
    ('{"labels": {"thing": "b"}}', 422, "There is no label level 'thing'"),
    ('{"labels": {"fine": 4}}', 422, "from 0 to 3; found 4"),
    ('{"labels": {"fine": "a", "coarse": "y"}}', 409, "exclude each other"),
    ('{"labels": {"\\ud800\\u001b": "a"}}', 422, "There is no label level"),
    ('{"seed": -1}', 422, "seed should be"),
    ('{"seed": 1e999}', 422, "seed should be"),
    ('{"truncation": 0}', 422, "truncation should be a number above 0"),
    ('{"truncation": NaN}', 400, "The body is no JSON: NaN is no number."),
    ('{"format": "gif"}', 422, "format should be png, npz or json; found 'gif'."),
    ('{"models": "toy"}', 422, "did you mean 'model'?"),
    ('{"model": "other"}', 422, "model is 'other'; there are 'toy'."),
    ("[1]", 422, "The body should be a JSON object"),
    ("{", 400, "The body is no JSON"),
    ("", 400, "The body is no JSON"),
    ("[" * 100_000, 400, "The body is no JSON"),
    ("1" * 5_000, 400, "The body is no JSON"),
    (b"\xff\xfe{", 400, "The body is no JSON"),
    (" " * 1_100_000, 413, "The body should have at most 1,048,576 bytes."),
]


@pytest.mark.parametrize(("body", "status", "words"), REFUSED, ids=range(len(REFUSED)))
def test_refusals_have_one_form(client: TestClient, body, status: int, words: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = client.post("/samples", content=body, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
    assert list(answer.json()) == ["error"]
    assert words in answer.json()["error"]
    assert "\n" not in answer.json()["error"]


def test_other_refusals_have_it_too(client: TestClient) -> None:
    found = client.get("/sampels")
    assert (found.status_code, list(found.json())) == (404, ["error"])
    found = client.get("/samples")
    assert (found.status_code, found.headers["allow"]) == (405, "POST")
    assert found.json()["error"].startswith("/samples does not take GET")
    found = client.post("/samples", content=b"n=1")
    assert (found.status_code, list(found.json())) == (415, ["error"])


def test_a_fault_of_ours_has_it_too(served: ServedModel, monkeypatch) -> None:
    monkeypatch.setattr(served.model, "sample", lambda *a, **k: 1 / 0)
    client = TestClient(build_app([served]), LOCAL, raise_server_exceptions=False)
    answer = ask(client)
    assert (answer.status_code, list(answer.json())) == (500, ["error"])


def test_a_generator_without_labels_is_asked_for_none(tmp_path) -> None:
    run = train(small_recipe("wgan-gp", training__steps=1), make_data(), tmp_path / "a", quiet=True)
    served = ServedModel("plain", run)
    client = TestClient(build_app([served]), base_url=LOCAL)
    assert client.get("/models").json()["models"][0]["levels"] == {}
    found = ask(client, seed=1, n=2, format="json").json()["samples"]
    assert [sample["labels"] for sample in found] == [{}, {}]
    assert (decoded(found[1]["image"]) == run.sample(2, seed=1)[1, 0]).all()
    refused = ask(client, labels={"fine": "a"})
    assert refused.status_code == 422
    assert "The generator is not told 'fine'" in refused.json()["error"]
    served.close()


def test_several_models_are_told_apart(run: Run, bars: Run) -> None:
    models = [ServedModel("toy", run), ServedModel("bars", bars)]
    client = TestClient(build_app(models), base_url=LOCAL)
    assert [m["name"] for m in client.get("/models").json()["models"]] == ["toy", "bars"]
    found = arrays(ask(client, model="bars", seed=1, format="npz").content)["images"]
    assert (found[..., 0] == bars.sample(1, seed=1)[:, 0]).all()
    answer = ask(client)
    assert "model is missing; there are 'toy', 'bars'." in answer.json()["error"]
    for model in models:
        model.close()


def test_models_say_what_they_can_be_asked_for(client: TestClient) -> None:
    (model,) = client.get("/models").json()["models"]
    assert model["levels"] == {"fine": ["a", "b", "c", "d"], "coarse": ["x", "y"]}
    assert model["parents"] == {"fine": {"level": "coarse", "index": [0, 0, 1, 1]}}
    assert (model["shape"], model["step"], model["recipe"]) == ([1, 16, 16], 2, "ac-wgan-b")
    assert model["latent"] == {"dim": 6, "law": "normal"}
    assert client.get("/health").json() == {"status": "ok"}
