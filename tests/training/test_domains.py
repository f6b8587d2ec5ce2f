"""Training over several domains: mixtures of batches, runs that remember how to decode."""

from functools import lru_cache

import numpy as np
import pytest
import torch

from mtgan.data import load_dataset
from mtgan.errors import UserError
from mtgan.evaluation.scorecard import read_card
from mtgan.training import Run, train
from mtgan.training.batches import BatchLoader, LabeledShare
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.mixture import DomainMixture, Move
from mtgan.training.requests import Requests
from toys import make_domains, small_recipe

RECIPES = ["multidomain-conv1d", "multidomain-conv2d", "multidomain-hybrid", "multidomain-gp"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("domains")
    return make_domains(folder)


@pytest.fixture(scope="module")
def runs(data, tmp_path_factory):
    """One run of each recipe, trained when it is asked for."""

    @lru_cache
    def run(name: str) -> Run:
        folder = tmp_path_factory.mktemp(name) / "run"
        recipe = small_recipe(name, training__steps=1)
        return train(recipe, data, folder, quiet=True)

    return run


@pytest.mark.parametrize("name", RECIPES)
def test_each_recipe_trains_and_its_run_alone_gives_back_both_domains(name, data, runs):
    opened = Run.open(runs(name).path)
    assert opened.dataset_info.domains == data.domains
    assert (opened.path / "domains" / "image" / "step-00000001.png").is_file()
    assert len((opened.path / "domains/text/step-00000001.txt").read_text().splitlines()) == 50
    strings = opened.sample_domain(12, "text")
    assert len(strings) == 12
    assert set("".join(strings)) <= set("abcdexyzwv")
    images = opened.sample_domain(5, "image", seed=1)
    assert images.shape == (5, 1, 9, 8)
    assert images.dtype == np.uint8
    with pytest.raises(UserError, match="no domain 'txt': did you mean 'text'"):
        opened.sample_domain(1, "txt")


def test_domain_and_class_together_condition_ours(runs):
    run = runs("multidomain-gp")
    game = run.game()
    generator = game.networks["generator"]
    labels = {"class": torch.tensor([1, 2]), "domain": torch.tensor([0, 1])}
    vector = generator.label_vector(labels, torch.zeros(2))
    assert vector.tolist() == [[0, 1, 0, 1, 0], [0, 0, 1, 0, 1]]
    assert len(run.sample_domain(3, "image", {"class": 1})) == 3
    with pytest.raises(UserError, match="exclude each other"):
        run.sample_domain(3, "text", {"class": 1})


def test_by_domain_needs_to_be_told_the_domain(data, tmp_path):
    recipe = small_recipe(
        "multidomain-gp",
        generator__conditioning="none",
        discriminator__conditioning="none",
        tasks=[],
    )
    with pytest.raises(UserError, match="tells the generator no domain"):
        train(recipe, data, tmp_path / "run", quiet=True)


def loader(data, kind, flip=False, **more):
    requests = Requests(DatasetInfo.of(data))
    return BatchLoader(data, requests, torch.device("cpu"), 0, flip, kind, **more)


def domains(data, kind, turns=6, size=8):
    random = torch.Generator().manual_seed(0)
    served = loader(data, kind)
    return [
        served.batch(Move("x", turn), size, random).labels["domain"].tolist()
        for turn in range(turns)
    ]


def test_mixed_batches_hold_equal_shares_and_turns_one_domain_each(data):
    assert domains(data, "mixed") == [[0] * 4 + [1] * 4] * 6
    assert domains(data, "turns") == [[0] * 8, [1] * 8] * 3
    drawn = domains(data, "random", turns=20)
    assert all(len(set(batch)) == 1 for batch in drawn)
    assert {batch[0] for batch in drawn} == {0, 1}
    assert len(set(map(str, domains(data, "as-found")))) > 1


@pytest.mark.parametrize("kind", ["mixed", "turns", "random"])
def test_labels_to_generate_by_are_of_the_batchs_domains(kind, data):
    info = DatasetInfo.of(data)
    mixture = DomainMixture(Requests(info), kind, 0)
    for turn, expected in enumerate(domains(data, kind)):
        rows = mixture.draw_labels(Move("x", turn), 8, torch.Generator().manual_seed(turn))
        assert rows[:, 1].tolist() == expected


def test_mixed_batches_pass_over_every_sample_of_each_domain(data):
    served = loader(data, "mixed")
    seen = np.concatenate([served.indices("x", turn, 5, 1) for turn in range(5)])
    assert sorted(seen) == list(range(30, 55))


def test_one_domain_is_served_as_any_other_data(data):
    info = DatasetInfo.of(data)
    assert DomainMixture(Requests(info), "as-found", 0).shares(Move("x", 3), 8) == [(None, 8)]
    alone = load_dataset(data.spec["name"].split("+")[1], "all")
    requests = Requests(DatasetInfo.of(alone))
    assert DomainMixture(requests, "mixed", 0).shares(Move("x", 3), 8) == [(None, 8)]


def test_canvases_are_not_mirrored(data):
    with pytest.raises(UserError, match=r"data\.flip=true would mirror"):
        loader(data, "mixed", flip=True)


def test_a_domain_may_have_no_labels_to_draw_by(data):
    with pytest.raises(UserError, match=r"data\.labeled_share is about samples of one kind"):
        loader(data, "mixed", labeled=LabeledShare("class", 0.5))


def test_the_command_line_writes_strings_and_images(runs, tmp_path):
    from mtgan.cli import main

    run = runs("multidomain-gp")

    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["sample", str(run.path), "--quiet", *map(str, arguments)])
        return ended.value.code or 0

    assert call("--domain", "text", "--n", 5, "--out", tmp_path / "x.smi") == 0
    assert len((tmp_path / "x.smi").read_text().splitlines()) == 5
    assert call("--domain", "text", "--out", tmp_path / "x.smi") == 2
    assert call("--domain", "text", "--out", tmp_path / "x.png") == 2
    assert call("--domain", "image", "--n", 5, "--out", tmp_path / "x.npz") == 0
    assert np.load(tmp_path / "x.npz")["images"].shape == (5, 9, 8, 1)


def test_the_command_line_judges_each_domain(runs, data, tmp_path, capsys):
    from mtgan.cli import main

    run = runs("multidomain-gp")

    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["evaluate", str(run.path), "--data", data.spec["name"], *map(str, arguments)])
        return ended.value.code or 0

    assert call("--n", 20, "--features", "pixels", "--json", tmp_path / "x.json") == 0
    assert "ngram_distance/4" in capsys.readouterr().out
    cards = read_card((tmp_path / "x.json").read_text()).parts
    assert cards["image"]["frechet_distance"] > 0
    assert cards["text"].entries["uniqueness"].better == "higher"
    assert call("--metrics", "novelty,inception_score", "--protocol", "thesis") == 2
    assert "measures exactly 5,000 generated samples" in capsys.readouterr().err
