"""The command at the end of `mtgan data info`: a shell and a recipe read it as it is meant."""

import shlex
from pathlib import Path

import numpy as np

from mtgan.cli.begin import NamedData, beginning
from mtgan.data import Dataset
from mtgan.recipes import load_recipe
from mtgan.recipes.load import parse_overrides
from toys import make_data

LEVELS = ["animal", "tone: dark", "yes", "12", "Größe", "a,b", 'quoted "name"', "[x]"]
TASKS = [
    {"labels": level, "classifier": "discriminator-head", "weight": 0.5, "generated": False}
    for level in LEVELS
]


def words_of(source: NamedData, data: Dataset, settings: dict) -> tuple[list[str], dict]:
    """The words of the command, and what its --set say."""
    words = shlex.split(beginning(source, data, settings).command)
    sets = [words[i + 1] for i, word in enumerate(words) if word == "--set"]
    return words, parse_overrides(sets)


def test_every_setting_comes_out_as_it_went_in() -> None:
    settings = {"recipe": "ac-wgan-b-real", "condition_on": LEVELS, "tasks": TASKS}
    _, sets = words_of(NamedData("x"), make_data(48), settings)
    assert (sets["condition_on"], sets["tasks"]) == (LEVELS, TASKS)


def test_what_was_said_of_the_data_is_said_again() -> None:
    source = NamedData("it's here", Path("a b"), "32", 1, Path("own taxonomy.yaml"))
    words, sets = words_of(source, make_data(48), {"recipe": "wgan-gp", "condition_on": None})
    for option, value in (
        ("data", "it's here"),
        ("root", "a b"),
        ("taxonomy", "own taxonomy.yaml"),
    ):
        assert words[words.index(f"--{option}") + 1] == value
    assert (sets["data.size"], sets["data.channels"]) == (32, 1)
    assert "condition_on" not in sets


def test_what_the_recipe_says_already_is_not_repeated() -> None:
    own = load_recipe("ac-wgan-b-real", scale="tiny")
    settings = {"recipe": "ac-wgan-b-real", "condition_on": own.condition_on, "latent.dim": 128}
    many = make_data(48)
    many = many.select(np.zeros(5_000, dtype=np.int64))
    words, _ = words_of(NamedData("x"), many, settings)
    assert " ".join(words) == "mtgan train ac-wgan-b-real --data x --scale tiny"
