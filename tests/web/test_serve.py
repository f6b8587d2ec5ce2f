"""`mtgan serve` as it is typed: what cannot be served, and what docs/serve.md says."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import printed
from cli.test_commands import mtgan
from mtgan.exporting import export
from mtgan.training import Run
from mtgan.web.access import TOKEN
from mtgan.web.names import named
from mtgan.web.served import ServedModel, open_models
from mtgan.web.server import address_of, listen


def test_a_busy_port_is_one_sentence(run: Run, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = mtgan("serve", str(run.path), "--port", port, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert f"127.0.0.1 cannot be listened to at port {port}" in result.stderr
    assert "give another --port" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere"], "There is no folder nowhere"),
        (["RUN", "RUN"], "Two models would be called 'toy'; give one of them a name"),
        (["RUN:coarse"], "trains no twins"),
        (["RUN", "--step", "7"], "has no checkpoint of step 7"),
        (["RUN", "--token", "short"], "A token should be at least 8 letters"),
        (["RUN", "--host", "no.such.host.invalid"], "is no address of this machine"),
        (["RUN", "--host", "192.0.2.1"], "cannot be listened to"),
    ],
)
def test_what_cannot_be_served(run: Run, tmp_path: Path, words: list[str], sentence: str) -> None:
    words = [word.replace("RUN", str(run.path)) for word in words]
    result = mtgan("serve", *words, "--port", "0", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert sentence in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_the_extra_is_named(run: Run, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    result = mtgan("serve", str(run.path), cwd=tmp_path)
    assert result.returncode == 2
    assert "mtgan serve needs the package uvicorn" in result.stderr
    assert "pip install 'mtgan[web]'" in result.stderr


def test_names_of_models(run: Run, tmp_path: Path) -> None:
    text = str(run.path)
    assert named(text)[0] == "toy"
    assert named(f"mine={text}")[0] == "mine"
    odd = tmp_path / "a=b:c"
    odd.symlink_to(run.path)
    assert named(str(odd))[0] == "a=b:c"
    assert named(str(odd))[1].path == odd
    with open_models([text, f"again={text}"]) as models:
        assert [model.name for model in models] == ["toy", "again"]


def test_an_exported_folder_gives_the_same(run: Run, tmp_path: Path) -> None:
    export(run, tmp_path / "model")
    with open_models([str(tmp_path / "model")]) as (served,):
        assert (served.name, served.model.step) == ("model", 2)
        found = served.model.sample(3, {"fine": "a"}, 5)
        assert (np.asarray(found) == np.asarray(run.sample(3, {"fine": "a"}, 5))).all()


def test_twins_are_served_apart(tmp_path: Path) -> None:
    from mtgan.training import train
    from toys import make_data, small_recipe

    recipe = small_recipe("mtl-wgan-projection", training__steps=1)
    twins = train(recipe, make_data(), tmp_path / "twins", quiet=True)
    text = str(twins.path)
    with open_models([text, f"{text}:coarse"]) as models:
        assert [model.name for model in models] == ["twins", "twins:coarse"]
        for model, twin in zip(models, (None, "coarse"), strict=True):
            expected = twins.twin(twin).sample(2, seed=1)
            assert (np.asarray(model.model.sample(2, seed=1)) == np.asarray(expected)).all()


def test_a_model_stays_as_it_was_loaded(run: Run, tmp_path: Path) -> None:
    """Though the checkpoint is removed meanwhile."""
    import shutil

    folder = tmp_path / "goes-on"
    shutil.copytree(run.path, folder)
    served = ServedModel("a", Run.open(folder))
    expected = np.asarray(served.model.sample(2, seed=1))
    shutil.rmtree(folder / "checkpoints")
    assert (np.asarray(served.model.sample(2, seed=1)) == expected).all()
    served.close()


def test_addresses() -> None:
    with listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        assert address_of("127.0.0.1", listening) == f"http://127.0.0.1:{port}"
        assert address_of("::1", listening) == f"http://[::1]:{port}"


class Typed:
    """A server that was started by a command, in a process of its own."""

    def __init__(self, words: list[str], folder: Path, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mtgan", *words, "--port", "0"],
            cwd=folder,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()
        found = re.search(r"http://\S+?:(\d+)", self.line)
        assert found, (self.line, self.process.stderr)
        self.port = int(found[1])

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


def test_beyond_this_machine_a_token_is_made_up_and_printed(run: Run, tmp_path: Path) -> None:
    typed = Typed(["serve", str(run.path), "--host", "0.0.0.0"], tmp_path)
    assert typed.process.stdout is not None
    told = re.match(
        r"token: (\S+) \(in a browser: http://\S+/\?token=\1\)", typed.process.stdout.readline()
    )
    assert told
    assert typed.get("/models")[0] == 401
    status, content = typed.get("/models", Authorization=f"Bearer {told[1]}")
    assert (status, json.loads(content)["models"][0]["name"]) == (200, "toy")
    code, said = typed.end(signal.SIGINT)
    assert (code, said) == (
        130,
        "mtgan: Stopped by SIGINT (Ctrl-C); what was written by then is whole.\n",
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    short = ["--steps", "2", "--set", "training.evaluate_every=0", "--out", "runs/demo"]
    printed.run(["train", "--data", "fashion-mnist-10k", *short], folder)
    return folder


@pytest.mark.slow
def test_the_page(demo: Path) -> None:
    page = printed.DOCS / "docs" / "serve.md"
    lines = [line for block in printed.blocks(page, "sh") for line in printed.commands(block.text)]
    (serve,) = [line for line in lines if line.startswith("mtgan serve")]
    typed = Typed(serve.split()[1:], demo)
    try:
        asked = [line for line in lines if line.startswith("curl ")]
        assert len(asked) == 4
        for line in asked:
            words = line.replace("localhost:8000", f"localhost:{typed.port}")
            done = subprocess.run(
                words.replace("curl", "curl --fail", 1), shell=True, cwd=demo, capture_output=True
            )
            assert done.returncode == 0, (line, done)
        assert (demo / "bag.png").read_bytes().startswith(b"\x89PNG")
        with np.load(demo / "shoes.npz") as arrays:
            assert arrays["images"].shape == (16, 28, 28, 1)
            shoes = arrays["class_names_coarse"].tolist().index("shoes")
            assert (arrays["labels"][:, 1] == shoes).all()
        assert len(json.loads(done.stdout)["samples"]) == 4
    finally:
        typed.end()


@pytest.mark.slow
def test_the_pages_token(demo: Path) -> None:
    typed = Typed(["serve", "runs/demo", "--host", "0.0.0.0"], demo, **{TOKEN: "0123456789abcdef"})
    try:
        assert typed.get("/models")[0] == 401
        assert typed.get("/models", Authorization="Bearer 0123456789abcdef")[0] == 200
        assert "0123456789abcdef" not in typed.line
    finally:
        typed.end()
