"""A run is judged by what it recorded."""

import json
from pathlib import Path

import numpy as np
import pytest

import mtgan
from mtgan.cli import main
from mtgan.data import load_dataset
from mtgan.errors import UserError
from mtgan.evaluation.scorecard import read_card
from mtgan.runs import evaluate_run, store
from mtgan.training import Run, train
from studies.conftest import fake_study
from toys import Instruments, make_data, small_recipe

OPTIONS = {"features": "pixels", "protocol": "training", "n": 60}


def saved(folder: Path, shift: int = 0) -> Path:
    data = make_data(count=100)
    images = np.moveaxis(data.samples, 1, -1) + np.uint8(shift)
    np.savez(folder / "set.npz", images=images, labels=data.labels[:, 0])
    return folder / "set.npz"


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("judge")
    taxonomy = {"kind": {"0": "a", "1": "a", "2": "b", "3": "b"}}
    data = load_dataset(saved(folder), size=(12, 20), taxonomy=taxonomy, subset=70)
    train(small_recipe("ac-wgan-b"), data, folder / "run", quiet=True)
    return folder


def test_a_run_brings_data_size_part_and_taxonomy(place: Path) -> None:
    card = mtgan.evaluate(Run.open(place / "run"), **OPTIONS)
    assert card.protocol.images == "uint8 1x12x20"
    assert card.protocol.generated == 60
    assert "newest checkpoint" in card.protocol.checkpoint
    whole = Run.open(place / "run").load_data(whole=True)  # and not the 70 that it learned from
    spelled = evaluate_run(Run.open(place / "run"), whole, **OPTIONS)
    assert dict(spelled) == dict(card)


def test_samples_of_a_run_keep_the_labels_that_were_asked_for(place: Path) -> None:
    run = Run.open(place / "run")
    options = {**OPTIONS, "metrics": "conditional_accuracy,train_on_generated,kernel_distance"}
    card = mtgan.evaluate(run.sample(60, seed=0), reference=run.load_data(whole=True), **options)
    assert dict(card) == dict(mtgan.evaluate(run, **options))
    assert "train_on_generated/fine" in card


def test_the_command_keeps_the_card_in_the_run(place: Path, capsys) -> None:
    arguments = [str(place / "run"), "--features", "pixels", "--protocol", "training", "--n", "60"]
    with pytest.raises(SystemExit) as end:
        main(["evaluate", *arguments])
    assert not end.value.code
    assert f"kept in {place / 'run' / 'evaluation.json'}" in capsys.readouterr().out
    kept = json.loads((place / "run" / "evaluation.json").read_text())
    assert kept["protocol"]["generated"] == 60


def test_other_data_under_the_same_name_are_refused(place: Path) -> None:
    path = saved(place, shift=1)
    try:
        with pytest.raises(UserError, match=r"trained on other samples or labels .* --data"):
            mtgan.evaluate(Run.open(place / "run"), **OPTIONS)
    finally:
        saved(path.parent)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["digits"], "Name the real data by --data; a run alone brings its own."),
        (["RUN", "--root", "x"], "--root says how to read --data, and none is named"),
    ],
)
def test_what_is_missing_is_said(place: Path, capsys, arguments, sentence: str) -> None:
    with pytest.raises(SystemExit) as end:
        main(["evaluate", *(str(place / "run") if word == "RUN" else word for word in arguments)])
    assert end.value.code == 2
    assert sentence in capsys.readouterr().err
    with pytest.raises(UserError, match="Samples are judged against real data"):
        mtgan.evaluate(make_data())


def test_another_checkpoint_is_judged_and_kept_under_its_own_name(place: Path, capsys) -> None:
    run = Run.open(place / "run")
    first, last = run.steps[0], run.steps[-1]
    assert first < last
    page = run.path / "evaluation.json"
    before = page.read_text() if page.exists() else None
    card = mtgan.evaluate(run, step=first, **OPTIONS)
    assert card.protocol.checkpoint == "chosen checkpoint, EMA weights"
    assert f"samples of iteration {first} of {last}" in card.notes
    spelled = mtgan.evaluate(
        run.sample(60, seed=0, step=first), run.load_data(whole=True), **OPTIONS
    )
    assert dict(card) == dict(spelled)
    assert dict(card) != dict(mtgan.evaluate(run, **OPTIONS))
    options = ("--features", "pixels", "--protocol", "training", "--n", "60")
    with pytest.raises(SystemExit) as end:
        main(["evaluate", str(run.path), "--step", str(first), *options])
    assert not end.value.code
    kept = run.path / f"evaluation-step-{first}.json"
    assert f"kept in {kept}" in capsys.readouterr().out
    assert json.loads(kept.read_text())["protocol"]["checkpoint"].startswith("chosen")
    assert (page.read_text() if page.exists() else None) == before
    with pytest.raises(UserError, match=r"leave labels out"):
        mtgan.evaluate(run, labels=np.zeros((60, 2), int), **OPTIONS)
    with pytest.raises(UserError, match="checkpoint"):
        mtgan.evaluate(run, step=999, **OPTIONS)


def test_a_run_over_domains_is_judged_kept_and_shown(tmp_path: Path, capsys) -> None:
    words = tmp_path / "words.txt"
    random = np.random.default_rng(0)
    letters = random.choice(list("abcdefgh"), size=(400, 6))
    words.write_text("".join(f"{''.join(word)}\n" for word in letters))
    data = load_dataset(f"image=digits+text={words}")
    recipe = small_recipe("multidomain-gp", training__steps=1)
    run = train(recipe, data, tmp_path / "run", quiet=True)
    with pytest.raises(SystemExit) as end:
        main(["evaluate", str(run.path), "--features", "pixels", "--n", "70", "--no-corruptions"])
    assert not end.value.code
    assert "kept in" in capsys.readouterr().out
    card = read_card((run.path / "evaluation.json").read_text())
    assert {part.protocol.generated for part in card.parts.values()} == {70}
    assert "image/conditional_accuracy/class" in card
    assert card.parts["text"].axes.keys() >= {"distribution", "diversity", "authenticity"}
    judged = run.sample_domain(70, "text", seed=0)
    spelled = mtgan.evaluate({"text": judged}, data, n=70, corruptions=False)
    assert dict(spelled) == dict(card.parts["text"])
    page = mtgan.report(run).read_text()
    for shown in ("Evaluation, image", "Evaluation, text", "ngram distance/2", 'alt="Scorecard"'):
        assert shown in page


class Judge(Instruments):
    """Takes down the samples that it is shown; those after iteration 2 are the best."""

    def __init__(self) -> None:
        self.shown: list[np.ndarray] = []

    def __call__(self, samples: np.ndarray, labels: np.ndarray | None) -> dict[str, float]:
        self.shown.append(samples)
        return {"frechet_distance": float(abs(len(self.shown) - 3))}


@pytest.fixture(scope="module")
def best(tmp_path_factory) -> tuple[Run, Judge]:
    folder, judge = tmp_path_factory.mktemp("best"), Judge()
    keys = {"training__evaluate_every": 1, "training__keep_checkpoints": 9}
    recipe = small_recipe("wgan-gp", training__checkpoint_every=1, **keys)
    data = load_dataset(saved(folder))
    return train(recipe, data, folder / "run", quiet=True, instruments=judge), judge


def test_the_best_step_is_judged_by_other_samples_than_those_that_chose_it(best, tmp_path) -> None:
    run, judge = best
    assert (run.best.step, run.best.frechet_distance) == (2, 0.0)
    card = mtgan.evaluate(run, step="best", **OPTIONS)
    assert dict(card) == dict(mtgan.evaluate(run, step=2, **OPTIONS))
    chosen_by = {image.tobytes() for image in judge.shown[2]}
    assert len(chosen_by) == 8
    assert chosen_by.isdisjoint(image.tobytes() for image in run.sample(60, seed=0, step="best"))
    said = "the best of 5 evaluations during training, by its Frechet distance of 0 there"
    assert any(said in note for note in card.notes)


def test_the_page_of_a_step_shows_its_samples_and_its_evaluation(best) -> None:
    run, _ = best
    card = mtgan.evaluate(run, step=1, **OPTIONS)
    store(run, card, 1)
    page = mtgan.report(run, step=1)
    assert page == run.path / "report-step-1.html"
    text = page.read_text()
    assert "Drawn from the averaged generator after 1 iterations" in text
    assert "4 of 4; this page is of 1" in text
    assert f"{card['frechet_distance']:.4g}"[:4] in text
    assert mtgan.report(run.path, step="best").name == "report-step-2.html"
    with pytest.raises(SystemExit) as end:
        main(["report", str(run.path), "--step", "2", "--quiet"])
    assert not end.value.code
    with pytest.raises(UserError, match="no checkpoint of step 9; there are 0, 1, 2, 3, 4"):
        mtgan.report(run, step=9)


def test_a_study_has_no_page_of_a_step(tmp_path: Path) -> None:
    result = fake_study(tmp_path / "s", {"a": {"frechet_distance": [1.0]}})
    with pytest.raises(UserError, match="is a study, whose page is of no one step"):
        mtgan.report(result, step=1)
    with pytest.raises(UserError, match="no page of int"):
        mtgan.report(3)
