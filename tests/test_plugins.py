"""Parts of one's own, a file each outside the package, in processes that were not told of them but
by name; and whose names are imported."""

import json
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import printed
from mtgan import plugins
from mtgan.errors import UserError
from mtgan.evaluation.scorecard import read_card

# One file for each part, as docs/extending.md prints them; the package imports them.
PARTS = {
    found[1]: block.text
    for block in printed.blocks(printed.DOCS / "docs" / "extending.md", "python")
    if (found := re.match(r"# wares/(\w+)\.py\n", block.text))
}
RECIPE = {
    "extends": "projection-gan",
    "plugins": ["wares"],
    "objective": "own-loss",
    "penalty": {"kind": "own-penalty"},
    "generator": {"backbone": "own-backbone", "width": 8, "normalization": "own-normalization"},
    # The same from its module, without a name.
    "discriminator": {
        "backbone": "wares.backbone:Backbone",
        "width": 8,
        "conditioning": "own-head",
        "augmentation": ["own-augmentation", "wares.augmentation:negative"],
    },
    "classifier": {"backbone": "own-backbone", "width": 8, "normalization": "none"},
    "hierarchy": [{"kind": "same", "name": "again"}],
    "tasks": [
        {"labels": "fine", "head": {"loss": "own-head-loss"}},
        {"labels": "side", "transform": "own-transform"},
        {"labels": "again", "classifier": "separate"},
    ],
    "aggregator": "own-aggregator",
    "sharing": [
        {"between": ["discriminator", "classifier/again"], "layers": 1, "norm": "own-norm"}
    ],
    "latent": {"dim": 4},
    "data": {"size": None},
    "training": {
        "steps": 2,
        "batch_size": 8,
        "evaluate_every": 0,
        "log_every": 1,
        "initialization": "own-initialization",
    },
}


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with the package and a recipe, far from the sources."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "wares").mkdir()
    for name, text in PARTS.items():
        (folder / "wares" / f"{name}.py").write_text(text)
    (folder / "wares" / "__init__.py").write_text(f"from wares import {', '.join(PARTS)}\n")
    recipe = {**RECIPE, "generator": {**RECIPE["generator"], "conditioning": "concat"}}
    (folder / "own.yaml").write_text(yaml.safe_dump(recipe))
    (folder / "images.own").write_bytes(os.urandom(600 * 64))
    return folder


def fresh(place: Path, *commands: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Commands of `mtgan`, one after another in one new process that stands in `place`."""
    code = (
        "import sys\nfrom mtgan.cli import main\n"
        "for command in sys.argv[1:]:\n"
        "    try: main(command.split())\n"
        "    except SystemExit as stop:\n"
        "        if stop.code: sys.exit(stop.code)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *commands],
        cwd=place,
        env={**os.environ, "PYTHONSAFEPATH": "1", **variables},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def run(place: Path) -> Path:
    """A run of a study, trained and measured by a worker that knew of nothing; beside it `filed`,
    that on the file of a format of one's own."""
    study = {
        "plugins": ["wares"],
        "recipes": ["own.yaml"],
        "datasets": {"own": {"name": "own-source"}, "file": {"name": "images.own"}},
        "evaluation": {"samples": 64, "features": "own-space", "metrics": "own_metric"},
        "measures": ["own_metric"],
    }
    (place / "study.yaml").write_text(yaml.safe_dump(study))
    done = fresh(place, "study study.yaml --out study --quiet")
    assert done.returncode == 0, done.stderr + done.stdout
    for folder in list((place / "study" / "runs").glob("own-s0-*")):
        of_file = "images.own" in (folder / "recipe.yaml").read_text()
        folder.rename(place / ("filed" if of_file else "run"))
    return place / "run"


def test_a_study_takes_its_plugins_to_its_workers(place: Path, run: Path) -> None:
    for folder in (run, place / "filed"):
        values = json.loads((folder / "result.json").read_text())["values"]
        assert values["own_metric"]["value"] > 0
    jobs = [json.loads(job.read_text()) for job in (place / "study" / "logs").glob("*.json")]
    assert [job["plugins"]["wares"] for job in jobs] == [str(place)] * 2
    names = {job["data"]["name"] for job in jobs}
    assert names == {"own-source", "images.own"}


def test_a_run_knows_its_plugins(run: Path) -> None:
    recipe = yaml.safe_load((run / "recipe.yaml").read_text())
    assert recipe["plugins"] == ["wares"]
    assert "wares" in recipe["run"]["plugins"]
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    logged = lines[0]["values"]
    assert "discriminator/drift" in logged
    assert logged["discriminator/own_tasks"] == 2
    assert "discriminator/sharing/classifier/again" in logged


def test_a_run_goes_on_in_another_process(place: Path, run: Path) -> None:
    copy = place / "resumed"
    shutil.copytree(run, copy)
    done = fresh(
        place,
        "train --resume resumed --steps 3 --quiet",
        "train --resume filed --steps 3 --quiet",
        MTGAN_PLUGINS="wares",
    )
    assert done.returncode == 0, done.stderr + done.stdout
    lines = [json.loads(line) for line in (copy / "metrics.jsonl").read_text().splitlines()]
    steps = {line["step"] for line in lines if "discriminator/drift" in line["values"]}
    assert steps == {1, 2, 3}


def test_sample_evaluate_and_report_in_another_process(place: Path, run: Path) -> None:
    done = fresh(
        place,
        "sample run --n 4 --out samples.npz",
        "evaluate run --features own-space --metrics own_metric,wares.metric:own_metric "
        "--protocol training --n 100 --json card.json --quiet",
        "evaluate own-source --data images.own --features own-space "
        "--metrics own_metric,spectrum_distance --n 100 --json other.json --quiet",
        "sample filed --n 4 --out filed.npz",
        "report run --out page.html",
        MTGAN_PLUGINS="wares",
    )
    assert done.returncode == 0, done.stderr
    for card, data in (("card.json", "own-source"), ("other.json", "own")):
        values = json.loads((place / card).read_text())
        assert next(iter(values["entries"])) == "own_metric"
        assert values["protocol"]["dataset"] == data
        assert values["protocol"]["features"].startswith("own-space")
    # The last card has corruption levels, those of one's own too: 10% and 50% darker, which scales
    # the power of every frequency.
    levels = [
        level for level in values["corruption_levels"] if level["corruption"] == "own-corruption"
    ]
    distances = [level["values"]["spectrum_distance"] for level in levels]
    assert distances == pytest.approx([-2 * math.log(0.9), -2 * math.log(0.5)], abs=0.1)
    assert "own-loss" in (place / "page.html").read_text()


def test_a_domain_of_ones_own_is_trained_sampled_judged_and_shown(place: Path) -> None:
    notes = [" ".join(str((first + i) % 8) for i in range(6)) for first in range(400)]
    (place / "x.tones").write_text("\n".join(notes))
    study = {
        "plugins": ["wares"],
        "recipes": ["multidomain-gp"],
        "datasets": {"both": {"name": "image=digits+song=x.tones,transposed=1"}},
        "set": {
            "generator.width": 8,
            "discriminator.width": 8,
            "latent.dim": 40,
            "training.batch_size": 8,
            "training.steps": 1,
        },
        "evaluation": {"samples": 50, "features": "pixels"},
        "measures": ["song/pitch_distance"],
    }
    (place / "both.yaml").write_text(yaml.safe_dump(study))
    done = fresh(place, "study both.yaml --out songs --quiet")
    assert done.returncode == 0, done.stderr + done.stdout
    (result,) = (place / "songs" / "runs").glob("*/result.json")
    measured = json.loads(result.read_text())["values"]
    assert measured["song/pitch_distance"]["better"] == "lower"
    result.parent.rename(place / "both")
    known = json.loads((place / "both" / "data.json").read_text())["domains"]
    assert known[1] == {"type": "melody", "name": "song", "length": 6}
    done = fresh(
        place,
        "train --resume both --steps 2 --quiet",
        "sample both --domain song --n 5 --seed 1 --out five.tones",
        "evaluate both --n 100 --json domains.json --quiet",
        "report both --out both.html",
        MTGAN_PLUGINS="wares",
    )
    assert done.returncode == 0, done.stderr
    shown = next((place / "both" / "domains" / "song").glob("*.txt")).read_text().splitlines()
    for lines, count in (((place / "five.tones").read_text().splitlines(), 5), (shown, 50)):
        assert len(lines) == count
        assert all(len(line.split()) == 6 and set(line) <= set("01234567 ") for line in lines)
    cards = read_card((place / "domains.json").read_text()).parts
    pitch = cards["song"].entries["pitch_distance"]
    assert 0 <= pitch.ceiling < pitch.value <= pitch.floor + 4  # one note over and over is 3.5 off
    assert pitch.interval[0] < pitch.value < pitch.interval[1]
    assert cards["song"].axes["distribution"].score == pytest.approx(pitch.score)
    assert cards["song"].overall is None
    assert cards["image"].entries["frechet_distance"].score is not None
    page = (place / "both.html").read_text()
    headings = ("Evaluation, song", "Evaluation, image", "pitch distance", "Samples, song")
    for shown in headings:
        assert shown in page
    assert "song (melody), on canvases of" in page


def test_a_domain_of_ones_own_is_looked_into_and_begun_with(place: Path) -> None:
    """A data set of that domain alone: no recipe is named, and no word says that it is images."""
    (place / "y.tones").write_text(
        "\n".join(" ".join(f"{(i + j) % 8}" for j in range(8)) for i in range(60))
    )
    done = fresh(
        place,
        "data info y.tones --picture y.png",
        "data prepare y.tones prepared-tones",
        "train --data prepared-tones --out tones --steps 1 --set training.batch_size=8",
        MTGAN_PLUGINS="wares",
    )
    assert done.returncode == 0, done.stderr
    assert "48 training and 12 test samples of melody (melody), on canvases of 8 x 8" in done.stdout
    (begin,) = [line for line in done.stdout.splitlines() if line.startswith("  mtgan train")]
    assert "multidomain-gp --data y.tones" in begin
    assert "mtgan sample tones --domain melody --n 1000 --out melody.tones" in done.stdout
    assert "images" not in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        "sample run --n 4 --out {}.npz",
        "evaluate run --features own-space --metrics own_metric --protocol training --n 100",
        "report run --out {}.html",
        "analyze losses run --out {}",
        "data info own-source --picture {}.png",
        "train own.yaml --data own-source --out {}",
    ],
)
def test_each_verb_in_a_process_of_its_own(place: Path, run: Path, command: str) -> None:
    done = fresh(place, command.format(f"out-{command.split()[0]}"), MTGAN_PLUGINS="wares")
    assert done.returncode == 0, done.stderr
    assert not command.startswith("train") or "--plugins wares" in done.stdout


# Whose names are imported


@pytest.fixture
def here(tmp_path: Path, monkeypatch):
    """The current folder, with the modules `own_one` and `own_two`; all is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    for name in ("_named", "_passed_over"):
        monkeypatch.setattr(plugins, name, {})
    monkeypatch.setattr(plugins, "_trusted", [])
    known = set(sys.modules)
    for name in ("own_one", "own_two"):
        (tmp_path / f"{name}.py").write_text("def thing(): return 1\nother = thing\n")
    yield tmp_path
    for name in set(sys.modules) - known:
        # Not libraries that were first needed meanwhile: numpy cannot be imported twice.
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


def test_what_the_user_names_is_imported_beside_her(here: Path) -> None:
    plugins.use(plugins.split_names(["own_one, own_two"]))
    assert plugins.named() == ["own_one", "own_two"]
    assert plugins.folders(["own_one", "numpy"]) == {"own_one": str(here), "numpy": ""}
    assert plugins.options(["own_one", "numpy"]) == ("--plugins", "own_one")
    assert plugins.versions(["own_one"]) == {"own_one": ""}
    assert plugins.versions(["numpy"])["numpy"][0].isdigit()


def test_what_a_folder_names_is_not(here: Path) -> None:
    with plugins.opening(here / "run"):
        plugins.use(["own_one", "no_such_module", "sqlite3"])
        with pytest.raises(UserError, match=r"run names the module own_two.*--trust"):
            plugins.find("own_two:thing")
    assert not {"own_one", "own_two"} & set(sys.modules)
    assert "--plugins own_one,no_such_module,sqlite3" in plugins.remedy()
    plugins.use(["own_one"])  # now she has named it
    with plugins.opening(here / "run"):
        assert plugins.find("own_one:thing")() == 1
        plugins.trust()
        assert plugins.find("own_two:thing")() == 1


def test_what_is_installed_may_be_named_by_a_folder(here: Path) -> None:
    with plugins.opening(here / "run"):
        plugins.use(["yaml"])
        assert plugins.named() == ["yaml"]
    plugins._named.clear()
    with plugins.opening(here / "run"):
        assert plugins.find("yaml:safe_load") is yaml.safe_load
        for name in ("os:abort", "subprocess:run"):  # of Python itself
            with pytest.raises(UserError, match="only where it is installed"):
                plugins.find(name)


def test_what_an_installed_module_borrows_is_not_taken(here: Path, monkeypatch) -> None:
    monkeypatch.setattr(yaml, "borrowed", os.path.join, raising=False)
    with plugins.opening(here / "run"), pytest.raises(UserError, match="only borrows from posix"):
        plugins.find("yaml:borrowed")


@pytest.mark.parametrize("trusted", [False, True])
def test_nothing_is_imported_from_the_folder_of_a_run(here: Path, trusted: bool) -> None:
    for name in ("recipe.yaml", "data.json"):
        (here / name).write_text("")
    sys.path.append(str(here))
    if trusted:
        plugins.trust()
    with plugins.opening(here):
        plugins.use(["own_one"])
    assert plugins.named() == []
    with pytest.raises(UserError, match="lies in the folder of a run"):
        plugins.use(["own_one"])


def test_no_name_means_the_inside_of_the_package() -> None:
    assert plugins.is_outside("my.module:Thing")
    for name in ("mtgan.plugins:trust", "mtgan:report", "__main__:main", "c:/data", "a=b:c"):
        assert not plugins.is_outside(name)


def test_entry_points_are_imported_and_a_broken_one_is_told_of(here: Path, monkeypatch) -> None:
    package = here / "site" / "theirs-1.2.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.2\n")
    (package / "entry_points.txt").write_text("[mtgan.plugins]\na = theirs\nb = missing_one\n")
    (package / "RECORD").write_text("theirs.py,,\n")
    (here / "site" / "theirs.py").write_text("")
    monkeypatch.syspath_prepend(str(here / "site"))
    monkeypatch.setattr(plugins, "_loading", [])
    monkeypatch.setenv("MTGAN_PLUGINS", "own_one")
    with pytest.warns(UserWarning, match="missing_one of the package theirs cannot be imported"):
        plugins.use_installed()
    assert plugins.named() == ["own_one", "theirs"]
    assert plugins.versions(["theirs"]) == {"theirs": "1.2"}


def test_no_file_of_a_run_or_prepared_folder_names_what_is_imported(here: Path) -> None:
    """Every file that is read of a folder: recipe, facts of the data, the way to the data."""
    from mtgan.data import load_dataset, prepare_dataset
    from mtgan.training import Run, train
    from toys import make_data, small_recipe

    (here / "strings.txt").write_text("ab\nba\nabab\n" * 20)
    prepare_dataset(here / "strings.txt", here / "prepared")
    marks = [p for p in (here / "prepared").iterdir() if '"characters"' in p.read_text("latin-1")]
    for mark in marks:
        mark.write_text(mark.read_text().replace('"characters"', '"own_one:thing"'))
    with pytest.raises(UserError, match="prepared names the module own_one"):
        load_dataset(here / "prepared")
    run = train(small_recipe("gan", training__steps=1), make_data(), here / "run", quiet=True)
    recipe, facts = (run.path / name for name in ("recipe.yaml", "data.json"))
    kept = recipe.read_text(), facts.read_text()
    for old, new in (
        ("objective: non-saturating", "objective: own_one:thing"),
        ("backbone: conv", "backbone: own_one:thing"),
        ("name: toy", "name: own_one:thing"),
    ):
        assert old in kept[0]
        recipe.write_text(kept[0].replace(old, new))
        with pytest.raises(UserError, match="run names the module own_one"):
            Run.open(run.path).load_data()
    recipe.write_text(kept[0])
    domain = {
        "type": "sequence",
        "name": "s",
        "kind": "own_one:thing",
        "tokens": ["|"],
        "length": 2,
    }
    facts.write_text(json.dumps({**json.loads(kept[1]), "domains": [domain]}))
    with pytest.raises(UserError, match="run names the module own_one"):
        Run.open(run.path)
    assert "own_one" not in sys.modules


def test_workers_find_what_a_study_names_by_module(here: Path) -> None:
    from mtgan.studies.plan import make_plan
    from mtgan.studies.schema import Study
    from studies_toys import TINY

    named = {"samples": 64, "features": "own_one:thing", "metrics": "own_two:thing, vendi_score"}
    (job,) = make_plan(Study.model_validate({**TINY, "evaluation": named})).jobs(here)
    assert {"own_one": str(here), "own_two": str(here)}.items() <= job.plugins.items()
