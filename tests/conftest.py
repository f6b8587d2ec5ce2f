"""What all tests share."""

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mtgan import plugins
from mtgan.data import Dataset, load_dataset
from mtgan.registry import REGISTRIES
from served import Server

# A shell's background job ignores Ctrl-C, and so would every process that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of this session's own, so that tests neither use nor fill the user's."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MTGAN_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def digits(cache: Path) -> Dataset:
    """1,438 training digits, 8 x 8, of ten classes in two superclasses."""
    return load_dataset("digits")


@pytest.fixture(scope="session")
def unseen(digits: Dataset) -> Dataset:
    """359 held-out digits."""
    return digits.load_split("test")


@pytest.fixture(autouse=True)
def own_plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A run records which plugins are in use; those of other tests are not."""
    for name in ("_named", "_passed_over"):
        monkeypatch.setattr(plugins, name, {})
    before = {kind: set(registry._entries) for kind, registry in REGISTRIES.items()}
    yield
    for kind, registry in REGISTRIES.items():
        registry._outside.clear()
        for name in registry._entries.keys() - before.get(kind, set()):
            # Files of the package that a test was the first to import stay.
            _, home = registry._origins.get(name, (None, "mtgan."))
            if not home.startswith("mtgan."):
                del registry._entries[name], registry._origins[name]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()
