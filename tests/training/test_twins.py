"""Twins are asked, pictured, measured and read one by one."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import mtgan
from mtgan.analysis import ANALYSES, Options, analyze_run, losses, neighbors
from mtgan.data import Dataset, load_dataset
from mtgan.errors import UserError
from mtgan.recipes import Recipe
from mtgan.reports import write_comparison, write_report
from mtgan.runs import store
from mtgan.training import Run, train
from mtgan.training.generation import generate
from mtgan.training.twins import own_lines
from toys import Instruments, make_data, small_recipe

TWINS = ("fine", "coarse")


class Brightness(Instruments):
    """The mean pixel as the distance; remembers at which levels the samples had labels."""

    def __init__(self) -> None:
        self.told: list[list[bool]] = []

    def __call__(self, samples: np.ndarray, labels: np.ndarray | None) -> dict[str, float]:
        assert labels is not None
        self.told.append((labels >= 0).any(axis=0).tolist())
        return {"frechet_distance": float(samples.mean())}


def recipe(**keys: object) -> Recipe:
    changed = {"training__evaluate_every": 2, "schedule__discriminator_steps": 1, **keys}
    changed |= {"sharing__0__layers": 1, "sharing__1__layers": 1}  # the digits' critic has one
    return small_recipe("mtl-wgan-projection", **changed)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_dataset("digits", subset=200)


@pytest.fixture(scope="module")
def trained(digits: Dataset, tmp_path_factory) -> tuple[Run, Brightness, list[tuple[int, dict]]]:
    """A run with twins, what measured it, and what its callback was called with."""
    measures, called = Brightness(), list[tuple[int, dict]]()
    run = train(
        recipe(training__steps=8),
        digits,
        tmp_path_factory.mktemp("runs") / "twins",
        quiet=True,
        instruments=measures,
        callbacks=[lambda step, values: called.append((step, dict(values)))],
    )
    return run, measures, called


@pytest.fixture(scope="module")
def run(trained) -> Run:
    return trained[0]


# Asking


def test_each_twin_obeys_its_own_labels_and_no_others(run: Run) -> None:
    assert run.twins == TWINS
    fine, coarse = (run.sample(6, seed=3, twin=name) for name in TWINS)
    assert np.array_equal(fine, run.sample(6, seed=3)), "the first is asked by default"
    assert np.array_equal(fine.latents, coarse.latents)
    assert not np.array_equal(fine, coarse)
    assert (fine.labels >= 0).tolist() == [[True, True]] * 6  # the coarse class follows
    assert (coarse.labels >= 0).tolist() == [[False, True]] * 6
    game = run.game()
    rows = torch.tensor([[0, 0], [1, 0], [0, 1]])
    latents = torch.randn(1, run.recipe.latent.dim).repeat(3, 1)
    same, other_fine, other_coarse = generate(game, latents, rows, twin="coarse")
    assert np.array_equal(same, other_fine)
    assert not np.array_equal(same, other_coarse)
    same, other_fine, other_coarse = generate(game, latents, rows, twin="fine")
    assert not np.array_equal(same, other_fine)
    assert np.array_equal(same, other_coarse)


def test_a_twin_is_asked_for_its_own_classes(run: Run) -> None:
    classes = run.dataset_info.taxonomy.classes
    name, level = classes["coarse"][1], run.dataset_info.taxonomy.levels[1]
    found = run.twin("coarse").sample(5, {level: name}, seed=0)
    assert found.labels is not None
    assert found.labels.tolist() == [[-1, 1]] * 5
    with pytest.raises(UserError, match=r"not told 'fine'.* can be asked for 'coarse'"):
        run.sample(1, {"fine": classes["fine"][0]}, twin="coarse")


def test_the_level_of_a_twin_names_it_too(tmp_path: Path) -> None:
    """Where the recipe speaks of fine and coarse, and the data of something else."""
    run = Run(tmp_path, recipe(), mtgan.training.dataset_info.DatasetInfo.of(make_data()))
    info = run.dataset_info
    renamed = info.taxonomy.to_dict()
    text = json.dumps(renamed).replace("coarse", "kind").replace("fine", "animal")
    values = {**info.to_dict(), "taxonomy": json.loads(text)}
    run.dataset_info = type(info).from_dict(values, "data.json")
    assert run.twin("kind").twin_name == run.twin("coarse").twin_name == "coarse"


def test_no_such_twin(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^Recipe mtl-wgan-projection has no twin 'coarce': did "):
        run.sample(1, twin="coarce")
    plain = train(small_recipe(training__steps=1), make_data(), tmp_path / "a", quiet=True)
    assert plain.twins == ()
    assert plain.twin().twin_name is None
    for ask in (
        lambda: plain.sample(1, twin="fine"),
        lambda: mtgan.evaluate(plain, make_data(), twin="fine"),
        lambda: analyze_run("losses", plain, options=Options(twin="fine")),
    ):
        with pytest.raises(UserError, match=r"^Recipe wgan-gp trains no twins, .* 'fine' to ask"):
            ask()
    with pytest.raises(UserError, match="twin is asked of a run, and samples have none"):
        mtgan.evaluate(make_data(), make_data(), twin="fine")


# While it is trained


def test_every_twin_is_measured_pictured_and_told(trained) -> None:
    run, measures, called = trained
    evaluations = [line for line in run.metrics() if line["kind"] == "evaluation"]
    assert [line["step"] for line in evaluations] == [0, 2, 4, 6, 8]
    assert measures.told == [[True, True], [False, True]] * 5
    last = evaluations[-1]["values"]
    assert list(last) == ["frechet_distance", "coarse/frechet_distance"]
    assert (8, last) in called
    for place in (run.path / "samples", run.path / "twins" / "coarse" / "samples"):
        assert [file.name for file in sorted(place.iterdir())][-1] == "step-00000008.png"
    pictures = [sorted(run.twin(name).folder.glob("samples/*8.png"))[0] for name in TWINS]
    assert pictures[0].read_bytes() != pictures[1].read_bytes()


def test_each_has_its_best_step(digits: Dataset, tmp_path: Path) -> None:
    left = [9.0, 9.0, 1.0, 5.0, 2.0, 3.0, 4.0, 2.0, 5.0, 6.0]

    class Told(Instruments):
        def __call__(self, samples: np.ndarray, labels: np.ndarray | None) -> dict[str, float]:
            return {"frechet_distance": left.pop(0)}

    keys = {"training__evaluate_every": 1, "training__checkpoint_every": 1}
    for steps, resume in ((3, False), (4, True)):
        again = recipe(**keys, training__steps=steps, training__keep_checkpoints=1)
        run = train(again, digits, tmp_path / "a", quiet=True, resume=resume, instruments=Told())
    assert (run.best_step, run.twin("fine").best_step, run.twin("coarse").best_step) == (1, 1, 3)
    assert run.steps == [1, 3, 4]
    made = run.sample(2, seed=0, step="best", twin="coarse")
    assert np.array_equal(made, run.sample(2, seed=0, step=3, twin="coarse"))


# What was logged


def log(first: str, second: str) -> list[dict]:
    """Of twins whose estimates fall (fine) and rise (coarse) while the distances fall and rise."""
    values = {"fine": (9.0, 7.0, 4.0, 3.0), "coarse": (1.0, 2.0, 2.5, 6.0)}
    lines = list[dict]()
    for i in range(4):
        for twin in (first, second):
            name = f"discriminator/{twin}/distance_estimate"
            both = {name: values[twin][i], f"log_loss_ratio/{twin}": 0.5}
            lines.append({"kind": "train", "step": 10 * (i + 1), "values": both})
        found = {
            "frechet_distance": (90, 80, 30, 25)[i],
            "coarse/frechet_distance": (5, 7, 6, 9)[i],
        }
        lines.append({"kind": "evaluation", "step": 10 * (i + 1), "values": found})
    return lines


def test_the_correlation_is_that_of_a_twin_whichever_was_logged_first() -> None:
    for lines in (log("fine", "coarse"), log("coarse", "fine")):
        fine, coarse = (losses(own_lines(lines, recipe(), name)) for name in TWINS)
        assert fine.correlation == pytest.approx(1)
        assert coarse.correlation == pytest.approx(0.8)  # ranks 1 2 3 4 and 1 3 2 4
        assert list(coarse.estimates) == ["discriminator/distance_estimate"]
        assert coarse.frechet == ([10, 20, 30, 40], [5, 7, 6, 9])
        assert list(coarse.ratios) == ["log_loss_ratio"]
        with pytest.raises(UserError, match=r"of 2 discriminators .*take run.twin\(NAME\).metrics"):
            losses(lines)


def test_names_without_a_twin() -> None:
    """A head and a classifier may be called as a twin is."""
    separate = recipe(
        tasks=[{"labels": "fine"}, {"labels": "coarse", "classifier": "separate"}],
    )
    values = {
        "discriminator/fine/coarse/real": 1.0,
        "discriminator/coarse/fine/real": 2.0,
        "generator/coarse/sharing/generator/fine": 3.0,
        "classifier/coarse/fine/loss": 4.0,
        "classifier/coarse/coarse/loss": 5.0,
        "log_loss_ratio/fine": 6.0,
    }
    line = {"kind": "train", "step": 1, "values": values}
    of_fine, of_coarse = (own_lines([line], separate, name)[0]["values"] for name in TWINS)
    assert of_fine == {
        "discriminator/coarse/real": 1.0,
        "classifier/coarse/loss": 4.0,
        "log_loss_ratio": 6.0,
    }
    assert of_coarse == {
        "discriminator/fine/real": 2.0,
        "generator/sharing/generator/fine": 3.0,
        "classifier/coarse/loss": 5.0,
    }
    before = {"kind": "evaluation", "step": 1, "values": {"frechet_distance": 1.0}}
    assert own_lines([before], separate, "fine") == [before]
    assert own_lines([before], separate, "coarse") == [], "earlier versions measured the first"


def test_a_run_as_of_a_twin_has_its_log(run: Run) -> None:
    lines = run.twin("coarse").metrics()
    names = {name for line in lines for name in line["values"]}
    assert {"frechet_distance", "discriminator/distance_estimate", "generator/loss"} <= names
    assert not any("fine" in name.split("/")[:2] for name in names)


# Analyses, pages, judgments


def test_every_analysis_of_players_takes_a_twin() -> None:
    takes = {name for name in ANALYSES.names() if "twin" in ANALYSES.get(name).takes}
    assert takes == {*ANALYSES.names()} - {"weights"}, "which is of all networks at once"


def test_answers_are_of_a_twin_and_lie_in_its_folder(run: Run) -> None:
    result, files = analyze_run("losses", run, options=Options(twin="coarse"))
    assert files[1] == run.path / "twins" / "coarse" / "analysis" / "losses.json"
    assert json.loads(files[1].read_text())["twin"] == "coarse"
    main, files = analyze_run("losses", run)
    assert files[1] == run.path / "analysis" / "losses.json"
    assert json.loads(files[1].read_text())["twin"] == "fine"
    assert main.to_dict()["estimates"] != result.to_dict()["estimates"]
    with pytest.raises(UserError, match="weights takes no --twin"):
        analyze_run("weights", run, options=Options(twin="coarse"))


def test_the_players_of_a_twin_are_probed(run: Run, monkeypatch) -> None:
    game, seen = run.game(), []
    module = sys.modules["mtgan.analysis.probe"]
    monkeypatch.setattr(module, "probe", lambda critic, *_, **__: seen.append(critic))
    for name in TWINS:
        ANALYSES.get("probe").ask(run.twin(name), Options())
        assert seen[-1] == list(game.twin(name).discriminator.layers)
    found = [neighbors(run.twin(name), n=20, features="pixels").pictures for name in TWINS]
    assert not np.array_equal(*found)
    for name in TWINS:
        step, made = 8, run.sample(4, seed=0, twin=name)
        evolved = ANALYSES.get("evolution").ask(run.twin(name), Options(n=4))
        assert evolved.steps[-1] == step
        rows, z = torch.from_numpy(made.labels), torch.from_numpy(made.latents)
        assert np.array_equal(made, generate(game, z, rows, twin=name))


def test_evaluations_of_twins_stand_apart_on_the_page(run: Run, tmp_path: Path) -> None:
    run = Run.open(shutil.copytree(run.path, tmp_path / "run"))
    options = {"features": "pixels", "protocol": "training", "n": 60}
    cards = {name: mtgan.evaluate(run, twin=name, **options) for name in TWINS}
    assert cards["coarse"].notes[-1] == "samples of the twin 'coarse'"
    assert cards["fine"]["frechet_distance"] != cards["coarse"]["frechet_distance"]
    kept = [store(run.twin(name), cards[name]) for name in TWINS]
    assert kept == [
        run.path / "evaluation.json",
        run.path / "twins" / "coarse" / "evaluation.json",
    ]
    analyze_run("losses", run, options=Options(twin="coarse"))
    page = write_report(run).read_text()
    _, fine, coarse = page.split("Twin ")[:3]
    assert fine.startswith("fine</h2>")
    assert coarse.startswith("coarse</h2>")
    for section, level in ((fine, "fine"), (coarse, "coarse")):
        assert f'alt="Samples by {level}"' in section
        assert section.count("<h2>Over training</h2>") == 1
        assert "<h2>Evaluation</h2>" in section
    assert 'alt="Losses"' in coarse.partition("Analyses")[2]
    assert f"mtgan sample {run.path} --twin coarse --n 1000 --out samples-coarse.npz" in page
    assert f"mtgan evaluate {run.path} --twin coarse" in page
    compared = write_comparison([run], tmp_path / "c.html").read_text()
    assert "run, twin fine and run, twin coarse" in compared
    assert "frechet distance ↓" in compared
    assert compared.count("mtgan report") == 1
    with pytest.raises(UserError, match="the same run twice"):
        write_comparison([run.twin("fine"), run], tmp_path / "c.html")
    with pytest.raises(UserError, match="2 to 8 runs; found 1"):
        write_comparison([run.twin("fine")], tmp_path / "c.html")


def test_a_folder_of_before_stays_readable(run: Run, tmp_path: Path) -> None:
    """One in which the main twin alone was measured and pictured."""
    folder = shutil.copytree(run.path, tmp_path / "run")
    shutil.rmtree(folder / "twins")
    for file in folder.glob("checkpoints/*/state.json"):
        state = json.loads(file.read_text())
        del state["twins_best"]
        file.write_text(json.dumps(state))
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    for line in lines:
        line["values"].pop("coarse/frechet_distance", None)
    (folder / "metrics.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    old = Run.open(folder)
    assert np.array_equal(old.sample(2, seed=0), run.sample(2, seed=0))
    assert old.best_step == run.best_step
    assert len(old.sample(2, twin="coarse")) == 2
    assert losses(old.twin("coarse").metrics()).frechet is None
    with pytest.raises(UserError, match="was not evaluated while it was trained"):
        old.sample(2, step="best", twin="coarse")
    assert "Twin coarse" in write_report(old).read_text()
    more = recipe(training__steps=10)
    again = train(more, old.load_data(), folder, resume=True, quiet=True, instruments=Brightness())
    assert again.twin("coarse").best_step == 10
