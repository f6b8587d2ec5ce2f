"""A survey that is planned: counts, sides, names, pictures, and what is refused."""

import hashlib
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.test_commands import SMALL
from cli.test_commands import mtgan as command
from mtgan.errors import UserError
from mtgan.surveys import Survey
from mtgan.surveys.arms import open_arms
from mtgan.surveys.designs import DESIGNS
from mtgan.training import train
from surveys.conftest import make_survey, write_samples
from toys import make_data, small_recipe


def test_a_plan_has_what_was_asked_for(pairs: Survey) -> None:
    plan = pairs.plan
    assert list(plan.seats) == ["r1", "r2", "r3", "r4"]
    assert plan.answers == ("left", "right")
    for trials in plan.seats.values():
        assert Counter(trial.kind for trial in trials) == {"main": 12, "catch": 3, "repeat": 2}
        main = {trial.stimulus: trial for trial in trials if trial.kind == "main"}
        assert len(main) == 12  # none twice
        assert Counter(trial.flipped for trial in main.values()) == {True: 6, False: 6}
        for trial in trials:
            if trial.kind == "repeat":  # with its sides turned
                assert trial.flipped != main[trial.stimulus].flipped
    judged = [pairs.stimulus(t) for own in plan.seats.values() for t in own if t.kind == "main"]
    assert Counter(one.of_class for one in judged) == {"a": 24, "b": 24}
    assert {one.arms for one in judged} == {("one", "two")}
    assert set(Counter(one.images for one in judged).values()) == {3}


def test_catch_trials_know_what_is_right(pairs: Survey) -> None:
    for trial in next(iter(pairs.plan.seats.values())):
        if trial.kind == "catch":
            arms = pairs.stimulus(trial).arms
            assert trial.right == (("left", "right")[arms.index("real")],)


def test_names_tell_nothing(pairs: Survey) -> None:
    names = [image for one in pairs.plan.stimuli.values() for image in one.images]
    assert len(set(names)) == len(names)
    assert {path.name for path in (pairs.path / "images").iterdir()} == set(names)
    ids = [trial.id for own in pairs.plan.seats.values() for trial in own]
    assert len(set(ids)) == len(ids)
    assert not any(word in text for text in (*names, *ids) for word in ("one", "two", "real"))


def test_pictures_are_samples_enlarged_without_interpolation(
    pairs: Survey, sets: dict[str, str]
) -> None:
    assert pairs.settings.scale == 20  # two of 160 pixels stand beside each other on a phone
    with np.load(sets["one"]) as kept:
        known = {image.tobytes() for image in kept["images"]}
    shown = [one.images[0] for one in pairs.plan.stimuli.values() if one.arms[0] == "one"]
    for name in shown:
        pixels = np.asarray(Image.open(pairs.image(name)))
        assert pixels.shape == (160, 160)
        assert (pixels == pixels[::20, ::20].repeat(20, axis=0).repeat(20, axis=1)).all()
        assert pixels[::20, ::20].tobytes() in known


def test_the_same_seed_plans_the_same(tmp_path: Path, sets: dict[str, str], pairs: Survey) -> None:
    again = make_survey(tmp_path / "again", sets)
    assert again.id == pairs.id
    assert make_survey(tmp_path / "other", sets, seed=1).id != pairs.id
    for image in (again.path / "images").iterdir():
        assert image.read_bytes() == pairs.image(image.name).read_bytes()


def test_without_a_seed_nobody_can_compute_what_a_page_hides(
    tmp_path: Path, sets: dict[str, str]
) -> None:
    first, other = (make_survey(tmp_path / name, sets, seed=None) for name in ("first", "other"))
    assert first.settings.seed != other.settings.seed
    assert not {*first.plan.stimuli} & {*other.plan.stimuli}
    again = make_survey(tmp_path / "again", sets, seed=first.settings.seed)
    assert again.id == first.id


@pytest.mark.parametrize("design", DESIGNS.names())
def test_every_design_can_be_planned(design: str, tmp_path: Path, sets: dict[str, str]) -> None:
    made = make_survey(tmp_path / "x", sets, "one two three", design=design)
    shown = Counter(
        arm
        for own in made.plan.seats.values()
        for trial in own
        if trial.kind == "main"
        for arm in made.stimulus(trial).arms
    )
    models = {shown[name] for name in ("one", "two", "three")}
    assert max(models) - min(models) <= 1 + made.design.compares
    if made.design.needs_real:
        assert shown["real"] == sum(shown.values()) / 2
    assert set(made.wording.answers) == set(made.plan.answers)
    assert made.settings.questions == (("one", "two"), ("one", "three"), ("two", "three"))
    for own in made.plan.seats.values():
        for trial in own:
            assert (trial.kind == "catch") == bool(trial.right)
            assert set(trial.right) <= set(made.plan.answers)


def test_a_level_that_is_named_is_asked_for(tmp_path: Path, sets: dict[str, str]) -> None:
    assert "{class}" in make_survey(tmp_path / "a", sets, level="fine").wording.question
    assert "{class}" not in make_survey(tmp_path / "b", sets).wording.question


def test_words_can_be_changed_and_have_a_hash(tmp_path: Path, sets: dict[str, str]) -> None:
    made = make_survey(tmp_path / "x", sets)
    path = made.path / "wording.yaml"
    path.write_text(path.read_text().replace("Left", "Links"))
    changed = Survey.open(made.path)
    assert changed.wording.answers["left"] == "Links"
    assert changed.id == made.id
    assert changed.wording_hash != made.wording_hash
    values = json.dumps(changed.wording.model_dump(mode="json"), sort_keys=True)
    assert changed.wording_hash == hashlib.sha256(values.encode()).hexdigest()[:16]
    path.write_text(path.read_text() + "colour: red\n")
    with pytest.raises(UserError, match=r"no key 'colour'"):
        Survey.open(made.path)
    path.write_text(path.read_text().replace("colour: red", "").replace("  left:", "  lft:"))
    with pytest.raises(UserError, match=r"no word for the answer 'left'; add one"):
        Survey.open(made.path)


def test_a_run_is_asked_for_its_classes(tmp_path: Path) -> None:
    train = ("train", "ac-wgan-b", "--data", "digits", "--steps", "1", "--out", "run", *SMALL)
    assert command(*train, cwd=tmp_path).returncode == 0
    options = ("--raters", "2", "--trials", "4", "--catch", "2", "--repeats", "0", "--with-real")
    done = command("survey", "new", "out", "--from", "run", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "2 raters, 6 answers each (4 main, 2 catch, 0 repeated): 12 answers" in done.stdout
    made = Survey.open(tmp_path / "out")
    assert made.settings.level == "fine"
    assert made.plan.arms["real"] == "digits, test"
    assert {one.of_class for one in made.plan.stimuli.values()} <= set("0123456789")


def test_what_it_takes_is_said_without_a_folder(tmp_path: Path, sets: dict[str, str]) -> None:
    sources = ("--from", sets["one"], sets["two"], "--data", sets["real"])
    cost = ("--detect", "0.6", "--power", "0.8", "--price", "0.01", "--seconds", "6", "--dry-run")
    done = command("survey", "new", "out", *sources, *cost, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["answers"] == found["raters"] * 74
    assert found["hours"] == pytest.approx(found["answers"] * 6 / 3600)
    assert found["money"] == pytest.approx(found["answers"] * 0.01)
    assert 0.8 <= found["power"] < 0.85
    assert not (tmp_path / "out").exists()


REFUSED = {
    "few": (["--trials", "500"], "has 200 samples of the class '.', and the survey shows"),
    "scale": (["--scale", "0"], "scale should be .* from 1 to 64"),
    "question": (["--question", "one"], "--question takes two models as A:B; found 'one'"),
    "who": (["--question", "one:tow"], "did you mean 'two'"),
    "self": (["--question", "one:one"], "names the same twice"),
    "rule": (["--rule", "least_cach=1"], "did you mean 'least_catch'"),
    "level": (["--level", "coarse"], r"a level 'coarse' \(its levels: fine\)"),
    "design": (["--design", "pars"], "did you mean 'pairs'"),
    "detect": (["--detect", "2"], "a share between 0 and 1"),
    "power": (["--detect", "0.6", "--power", "2"], "--power is a probability"),
    "data": (["--data", "nowhere.npz"], "There is no data set 'nowhere.npz'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_said_in_a_sentence(
    case: str, tmp_path: Path, sets: dict[str, str]
) -> None:
    options, sentence = REFUSED[case]
    sources = ("--from", sets["one"], "--from", sets["two"], "--data", sets["real"])
    done = command("survey", "new", "out", *sources, *options, cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    with pytest.raises(AssertionError, match=sentence):
        raise AssertionError(done.stderr)
    assert not list(tmp_path.iterdir())


def test_models_that_cannot_stand_beside_each_other(tmp_path: Path, sets: dict[str, str]) -> None:
    larger = str(write_samples(tmp_path / "larger.npz", side=16))
    with pytest.raises(UserError, match=r"of 1 x 8 x 8 and .* of 1 x 16 x 16"):
        make_survey(tmp_path / "x", {**sets, "two": larger})
    with pytest.raises(UserError, match="Two models are called 'one'"):
        make_survey(tmp_path / "x", sets, "one one")
    with pytest.raises(UserError, match="'real' means something else in a survey"):
        make_survey(tmp_path / "x", sets, "one real")
    with pytest.raises(UserError, match=r"compares, and one is one; name two"):
        make_survey(tmp_path / "x", sets, "one")
    with pytest.raises(UserError, match="There is no run and no set of samples at"):
        make_survey(tmp_path / "x", {**sets, "two": "nowhere"})
    with pytest.raises(UserError, match="is not a survey's folder"):
        Survey.open(tmp_path)


def test_nothing_is_overwritten(pairs: Survey, sets: dict[str, str]) -> None:
    with pytest.raises(UserError, match="exists already; name another folder"):
        make_survey(pairs.path, sets)


def test_twins_are_judged_side_by_side(tmp_path: Path) -> None:
    recipe = small_recipe("mtl-wgan-projection", training__steps=1)
    run = train(recipe, make_data(), tmp_path / "toy", quiet=True)
    arms = open_arms([f"{run.path}:coarse", f"main={run.path}"])
    assert list(arms) == ["toy:coarse", "main"]
    of_class = arms["toy:coarse"].draw("coarse", "x", 2, seed=3)
    assert np.array_equal(of_class, run.twin("coarse").sample(2, {"coarse": "x"}, 3))
    assert not np.array_equal(of_class, arms["main"].draw("coarse", "x", 2, seed=3))
    with pytest.raises(UserError, match=r"no set of samples at .*one.npz:fine"):
        open_arms([f"{write_samples(tmp_path / 'one.npz')}:fine"])
