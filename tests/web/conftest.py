"""Models that were hardly trained, and an application that serves them."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from mtgan.training import Run, train
from mtgan.web.app import build_app
from mtgan.web.served import ServedModel
from toys import make_bars, make_data, small_recipe

LOCAL = "http://127.0.0.1"


@pytest.fixture(scope="session")
def run(tmp_path_factory) -> Run:
    """A generator that is told `fine` (a, b, c, d) and `coarse` (x, y)."""
    folder = tmp_path_factory.mktemp("web") / "toy"
    recipe = small_recipe("ac-wgan-b", training__steps=2)
    return train(recipe, make_data(), folder, quiet=True)


@pytest.fixture(scope="session")
def bars(tmp_path_factory) -> Run:
    """A generator that is told the number `place`, from 0 to 90."""
    folder = tmp_path_factory.mktemp("web") / "bars"
    return train(small_recipe("ccgan", training__steps=1), make_bars(), folder, quiet=True)


@pytest.fixture
def served(run: Run) -> Iterator[ServedModel]:
    model = ServedModel("toy", run, queue=4)
    yield model
    model.close()


@pytest.fixture
def client(served: ServedModel) -> TestClient:
    return TestClient(build_app([served], most=32), base_url=LOCAL)
