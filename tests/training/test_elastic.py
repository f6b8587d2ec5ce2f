"""Domains one after the other, and weights that hold what was learned: by hand, and over resume."""

import pytest
import torch
from torch import nn

from mtgan.data import load_dataset
from mtgan.errors import UserError
from mtgan.objectives.elastic import ElasticWeights
from mtgan.recipes.load import load_recipe
from mtgan.training import train
from mtgan.training.aggregate import weighted_sum
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.elastic import ImportanceStep
from mtgan.training.mixture import DomainMixture, Move, domain_at, firsts
from mtgan.training.requests import Requests
from mtgan.training.train import prepare
from toys import make_domains, small_recipe

IN_TURN = {"training__steps": 8, "elastic": {"weight": 10.0, "batches": 2}}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("domains")
    return make_domains(folder)


def elastic_recipe(**overrides):
    return small_recipe("multidomain-elastic", **{**IN_TURN, **overrides})


@pytest.mark.parametrize(("domains", "steps"), [(2, 8), (2, 9), (3, 10), (4, 4)])
def test_every_domain_has_its_share_of_the_iterations(domains, steps):
    found = [domain_at(i, domains, steps) for i in range(steps)]
    assert found == sorted(found)
    counts = [found.count(d) for d in range(domains)]
    assert max(counts) - min(counts) <= 1
    assert firsts(domains, steps) == [found.index(d) for d in range(1, domains)]
    assert domain_at(steps, domains, steps) == domains - 1  # drawn once the training is over


def test_batches_and_what_is_asked_for_are_of_the_iterations_domain(data):
    info = DatasetInfo.of(data)
    mixture = DomainMixture(Requests(info), "sequence", 0, steps=6)
    for iteration in range(6):
        move, expected = Move("x", 11, iteration), int(iteration >= 3)
        assert mixture.shares(move, 8) == [(expected, 8)]
        rows = mixture.draw_labels(move, 8, torch.Generator().manual_seed(0))
        assert rows[:, 1].tolist() == [expected] * 8


def set_to(module, values):
    for name, value in values.items():
        module.get_buffer(name).copy_(value)


def test_importance_anchor_and_distance_by_hand():
    network = nn.Linear(2, 1, bias=False)
    network.weight.data = torch.tensor([[1.0, 2.0]])
    elastic = ElasticWeights(network, batches=2)
    network.weight.data = torch.tensor([[3.0, 5.0]])
    assert elastic.distance().item() == 0  # nothing is held yet
    squares = [torch.tensor([[4.0, 1.0]]), torch.tensor([[2.0, 3.0]])]
    set_to(elastic, elastic.moved(squares[:1]))
    assert elastic.distance().item() == 0
    set_to(elastic, elastic.moved(squares[1:]))  # importance 3 and 2, held at 3 and 5
    assert elastic.distance().item() == 0
    network.weight.data = torch.tensor([[4.0, 3.0]])
    assert elastic.distance().item() == 3 * 1 + 2 * 4
    elastic.distance().backward()
    assert network.weight.grad.tolist() == [[2 * 3 * 1, 2 * 2 * -2]]
    for _ in range(2):  # a second task: importances add up, and the weights are held as they are
        set_to(elastic, elastic.moved([torch.tensor([[1.0, 1.0]])]))
    assert elastic.distance().item() == 0
    network.weight.data = torch.tensor([[5.0, 3.0]])
    assert elastic.distance().item() == 4


def test_importance_is_the_squared_gradient_of_the_generators_own_loss(data, tmp_path):
    trainer = prepare(elastic_recipe(), data, tmp_path / "run", device="cpu")
    game = trainer.game
    phase = next(p for p in game.phases if p.name == "elastic")
    assert sorted(phase.at) == [2, 3]
    step, generator = phase.step, game.networks["generator"]
    assert isinstance(step, ImportanceStep)
    drawn = trainer.draw(phase, 2, 0)
    before = [b.clone() for b in (*generator.buffers(), *game.networks["discriminator"].buffers())]
    for parameter in generator.parameters():
        parameter.requires_grad_(False)
    torch.manual_seed(0)  # tokens are drawn within the generator
    result = step(*drawn)
    after = (*generator.buffers(), *game.networks["discriminator"].buffers())
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert not any(p.requires_grad for p in generator.parameters())
    generator.requires_grad_(True)
    torch.manual_seed(0)
    weighted_sum(step.step(*drawn).terms).backward()  # the pull on it is 0 so far
    for i, parameter in enumerate(generator.parameters()):
        grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        found = next(
            v for kept, v in result.state if kept is step.weights.get_buffer(f"squares{i}")
        )
        torch.testing.assert_close(found, 8 * grad.square(), msg=str(i))  # a batch of 8


def test_weights_are_held_from_the_second_domain_on_and_resume_is_exact(data, tmp_path):
    recipe = elastic_recipe(training__checkpoint_every=3)
    whole = train(recipe, data, tmp_path / "whole", quiet=True, device="cpu")
    pulls = [
        line["values"].get("generator/elastic")
        for line in whole.metrics()
        if line["kind"] == "train"
    ]
    assert pulls[:4] == [0, 0, 0, 0]
    assert pulls[4] == 0  # the first update of the second domain begins where the first one ended
    assert all(pull > 0 for pull in pulls[5:])
    stopped = train(
        recipe,
        data,
        tmp_path / "parts",
        quiet=True,
        device="cpu",
        callbacks=[lambda step, values: step >= 4],
    )
    assert stopped.iteration() == 4
    again = train(recipe, data, tmp_path / "parts", quiet=True, device="cpu", resume=True)
    first, second = (run.game().tensors() for run in (whole, again))
    assert first.keys() == second.keys()
    assert any("elastic/generator/anchor" in name for name in first)
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


@pytest.mark.parametrize(
    ("keys", "wrong"),
    [
        (
            {"schedule__domains": "mixed"},
            r"schedule\.domains=mixed ends none; set schedule\.domains=seq",
        ),
        ({"twins": ["class", "domain"]}, "elastic holds the weights of one generator, and twins"),
    ],
)
def test_what_elastic_weights_do_not_go_with(keys, wrong):
    with pytest.raises(UserError, match=wrong):
        elastic_recipe(**keys)


def test_too_few_iterations_or_one_domain(data, tmp_path):
    with pytest.raises(
        UserError, match=r"elastic\.batches=2 .* 3 iterations over 2 domains.*at least 4"
    ):
        train(elastic_recipe(training__steps=3), data, tmp_path / "a", quiet=True)
    alone = load_dataset(data.spec["name"].split("+")[0], "all")
    with pytest.raises(UserError, match="8 iterations over 1 domains; take domains with"):
        train(elastic_recipe(), alone, tmp_path / "b", quiet=True)
    assert not (tmp_path / "a").exists()


def test_the_recipe_says_it():
    from mtgan.recipes.players import cast_of

    (generator,) = (
        row for row in cast_of(load_recipe("multidomain-elastic")).phases if row.name == "generator"
    )
    assert "5000 x elastic weights" in generator.losses
