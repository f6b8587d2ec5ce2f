"""Weights carried to other classes, layers and resolutions."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mtgan.data import Dataset, Taxonomy
from mtgan.nets import Discriminator, Generator
from mtgan.nets.heads.projection import Projection
from mtgan.nets.initialization import settle
from mtgan.parts import HEAD_LOSSES
from mtgan.recipes.task import Task
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.game import Game
from mtgan.training.hierarchies import with_hierarchies
from mtgan.training.transfer import transfer
from toys import ZOO, Instruments, make_bars, make_data, small_recipe


def game_of(recipe: str, data: Dataset, seed: int = 0, **keys: object) -> Game:
    return Game(small_recipe(recipe, **keys), DatasetInfo.of(data), seed)


def randomized(game: Game) -> Game:
    """With weights that no initialization gives, the averaged generators' apart."""
    random = torch.Generator().manual_seed(5)
    modules = nn.ModuleList([*game.networks.values(), *game.average.values()])
    with torch.no_grad():
        for tensor in modules.parameters():
            tensor.copy_(0.3 * torch.randn(tensor.shape, generator=random))
    settled(game)
    return game


def settled(game: Game) -> None:
    for network in (*game.networks.values(), *game.average.values()):
        network.eval()
        for module in network.modules():
            for _ in range(4):
                settle(module)


def reordered(data: Dataset) -> Dataset:
    """The same samples under a taxonomy that has the classes of every level in another order."""
    old = data.taxonomy
    orders = {
        level: np.random.default_rng(len(level)).permutation(len(names))[::-1]
        for level, names in old.classes.items()
    }
    places = {level: np.argsort(order) for level, order in orders.items()}
    taxonomy = Taxonomy(
        old.levels,
        {level: tuple(old.classes[level][i] for i in order) for level, order in orders.items()},
        {
            level: (above, tuple(int(places[above][index[i]]) for i in orders[level]))
            for level, (above, index) in old.parents.items()
        },
    )
    columns = [places[level][data.labels[:, i]] for i, level in enumerate(old.levels)]
    return replace(data, taxonomy=taxonomy, labels=np.stack(columns, axis=1))


def said(game: Game, data: Dataset) -> dict[str, np.ndarray]:
    """What every network says of the data's samples and labels, and of their classes by name."""
    info = game.dataset_info
    random = torch.Generator().manual_seed(1)
    rows = np.concatenate(
        [data.labels, np.arange(len(data))[:, None] % np.ones((1, len(info.codes)), int)], axis=1
    )
    labels = {level: torch.tensor(rows[:, i]) for i, level in enumerate(info.taxonomy.levels)}
    latents = torch.randn(len(data), game.recipe.latent.dim, generator=random)
    pictures = torch.tensor(data.samples).float() / 127.5 - 1
    found: dict[str, Tensor] = {}
    with torch.no_grad():
        for name, network in {
            **game.networks,
            **{f"mean {k}": v for k, v in game.average.items()},
        }.items():
            if isinstance(network, Generator):
                found[name] = network(latents, labels)
            elif isinstance(network, Discriminator):
                output = network(pictures, labels)
                found[f"{name} score"] = output.score
                for task, head in output.heads.items():
                    found[f"{name} {task}"] = head.logits
                    if head.twin is not None:
                        found[f"{name} {task} twin"] = head.twin.logits
            else:
                found[name] = network(pictures)
    return {name: value.numpy() for name, value in found.items()}


def order_of(task: Task, game: Game, source: Game, count: int) -> np.ndarray:
    """Of each of a head's logits where the source's head has it."""
    if task.transform is not None:
        return np.arange(count)
    names = (task.labels, *task.head.levels)
    levels = [game.dataset_info.level(name, "the test") for name in names]
    if HEAD_LOSSES.capability(task.head.loss, "multilabel"):
        blocks = levels
    else:
        blocks = levels[:1] * (count // game.dataset_info.taxonomy.num_classes(levels[0]))
    found: list[int] = []
    for level in blocks:
        theirs = source.dataset_info.taxonomy.classes[level]
        start = len(found)
        found += [start + theirs.index(n) for n in game.dataset_info.taxonomy.classes[level]]
    return np.array([*found, *range(len(found), count)])


def check(recipe: str) -> None:
    """Networks that were carried to another order of classes say the same of each class."""
    data = make_data(12, (3, 16, 16), three_levels=True)
    hierarchy = small_recipe(recipe).hierarchy
    data = with_hierarchies(data, hierarchy, Instruments().confusion)
    other = reordered(data)
    assert other.taxonomy.classes["fine"] != data.taxonomy.classes["fine"]
    source, game = randomized(game_of(recipe, data)), game_of(recipe, other, seed=1)
    before = {name: tensor.clone() for name, tensor in source.tensors().items()}
    found = transfer(game, source)
    assert all(torch.equal(before[name], tensor) for name, tensor in source.tensors().items())
    assert not any(network.fresh for network in found.networks.values())
    settled(game)
    theirs, mine = said(source, data), said(game, other)
    assert mine.keys() == theirs.keys()
    tasks = {task.labels: task for task in game.recipe.tasks}
    for name, right in theirs.items():
        player, *rest = name.split(" ")
        own = tasks.get(rest[0] if rest else player.removeprefix("classifier/"))
        if own is not None:
            right = right[:, order_of(own, game, source, right.shape[1])]
        np.testing.assert_allclose(mine[name], right, atol=2e-3 * np.abs(right).max(), err_msg=name)


# One for each place in which classes have rows: columns of the first layer, tables, embeddings,
# columns of heads and layers, logits of every kind of head, networks of their own, twins.
KINDS = (
    *("cwgan-b", "cwgan-every-layer", "mtl-wgan-projection", "labeled-images", "tree-wgan-b"),
    *("omni-gan-b", "reac-gan", "tac-wgan-b", "sc-wgan-b", "resnet-released", "infogan", "r3gan"),
)


@pytest.mark.parametrize("recipe", KINDS)
def test_networks_say_the_same_of_classes_in_another_order(recipe: str) -> None:
    check(recipe)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", sorted({*ZOO} - {*KINDS}))
def test_so_do_those_of_the_whole_zoo(recipe: str) -> None:
    check(recipe)


# Other classes


FEW = Taxonomy(
    ("fine", "coarse"),
    {"fine": ("new", "b", "strange"), "coarse": ("x", "z")},
    {"fine": ("coarse", (0, 0, 1))},
)


def few_data(count: int = 12) -> Dataset:
    """Samples of a known class, of a new one in a known superclass, of one in a new superclass."""
    fine = np.arange(count) % 3
    labels = np.stack([fine, np.array([0, 0, 1])[fine]], axis=1)
    return replace(make_data(count, (3, 16, 16)), taxonomy=FEW, labels=labels)


def carried(recipe: str, data: Dataset | None = None, **keys: object) -> tuple[Game, Game]:
    """A game on few_data, and that on four classes (a, b in x; c, d in y) which it was filled
    from."""
    source = randomized(game_of(recipe, make_data(16, (3, 16, 16)), **keys))
    game = game_of(recipe, few_data() if data is None else data, seed=1, **keys)
    transfer(game, source)
    return game, source


def tensor(game: Game, name: str) -> np.ndarray:
    return game.tensors()[name].detach().numpy()


def means(rows: np.ndarray) -> np.ndarray:
    """Rows [4, ...] of a, b, c, d as those of new, b, strange."""
    return np.stack([(rows[0] + rows[1]) / 2, rows[1], rows.mean(axis=0)])


def coarse_means(rows: np.ndarray) -> np.ndarray:
    """Rows [2, ...] of x, y as those of x, z."""
    return np.stack([rows[0], rows.mean(axis=0)])


def test_new_classes_begin_as_the_mean_of_their_superclass_or_of_all() -> None:
    game, source = carried("labeled-images", condition_on="fine")
    for name in (
        "networks/generator/layers.0.linear.weight",
        "average/generator/layers.0.linear.weight",
    ):
        mine, theirs = tensor(game, name), tensor(source, name)
        np.testing.assert_array_equal(mine[:, :6], theirs[:, :6])  # of the latent
        np.testing.assert_allclose(mine[:, 6:].T, means(theirs[:, 6:].T), rtol=1e-5)
    name = "networks/discriminator/adversarial.embed.parametrizations.weight.original"
    np.testing.assert_allclose(tensor(game, name).T, means(tensor(source, name).T), rtol=1e-5)
    for place, rows, count in (("0", means, 4), ("1", coarse_means, 2)):
        for part in ("weight", "bias"):  # real and generated halves
            name = f"networks/discriminator/heads.{place}.linear.{part}"
            theirs = tensor(source, name)
            right = np.concatenate([rows(theirs[:count]), rows(theirs[count:])])
            np.testing.assert_allclose(tensor(game, name), right, rtol=1e-5, atol=1e-6)
    name = "average/generator/layers.1.upsample.weight"
    np.testing.assert_array_equal(tensor(game, name), tensor(source, name))
    live = name.replace("average", "networks")
    assert not np.array_equal(tensor(source, name), tensor(source, live))
    np.testing.assert_array_equal(tensor(game, live), tensor(source, live))


def test_tables_and_embeddings_have_rows_by_name_too() -> None:
    game, source = carried("resnet-released")
    name = "networks/generator/layers.1.first_norm.gain.weight"
    np.testing.assert_allclose(tensor(game, name), means(tensor(source, name)), rtol=1e-5)
    game, source = carried("biggan-small", generator__attention=None, discriminator__attention=None)
    name = next(n for n in game.tensors() if n.startswith("networks/generator/embedding"))
    fine = means(tensor(source, name)[:, :4].T)
    np.testing.assert_allclose(tensor(game, name)[:, :3].T, fine, rtol=1e-5)


def test_a_class_that_was_never_seen_is_none_to_begin_from() -> None:
    data = make_data(16, (3, 16, 16))
    source = randomized(
        game_of("labeled-images", data.select(np.flatnonzero(data.labels[:, 0] != 1)))
    )
    game = game_of("labeled-images", few_data(), seed=1)
    found = transfer(game, source).levels["fine"]
    assert (found.source, found.by_name) == ("fine", 0)
    assert found.others == {"new": ("a",), "b": ("a",), "strange": ("a", "c", "d")}
    name = "networks/generator/layers.0.linear.weight"
    theirs = tensor(source, name)[:, 6:10].T
    right = np.stack([theirs[0], theirs[0], theirs[[0, 2, 3]].mean(axis=0)])
    np.testing.assert_allclose(tensor(game, name)[:, 6:9].T, right, rtol=1e-5)


def test_labels_that_the_other_was_not_told_begin_anew() -> None:
    data = make_data(16, (3, 16, 16))
    source, game = randomized(game_of("wgan-gp", data)), game_of("cwgan-projection", few_data())
    fresh = tensor(game, "networks/generator/layers.0.linear.weight").copy()
    found = transfer(game, source)
    name = "networks/generator/layers.0.linear.weight"
    np.testing.assert_array_equal(tensor(game, name)[:, :6], tensor(source, name))
    np.testing.assert_array_equal(tensor(game, name)[:, 6:], fresh[:, 6:])
    assert "score: embed.weight" in found.networks["discriminator"].fresh


def test_twins_are_filled_from_a_single_pair_and_shared_layers_once() -> None:
    data = make_data(16, (3, 16, 16))
    source, game = randomized(game_of("labeled-images", data)), game_of("mtl-wgan", few_data())
    found = transfer(game, source)
    assert {network.source for network in found.networks.values()} == {"generator", "discriminator"}
    for twin in ("fine", "coarse"):
        name = f"generator/{twin}"
        weight = game.networks[name].layers[1].upsample.weight
        assert torch.equal(weight, source.networks["generator"].layers[1].upsample.weight)


def test_numbers_go_by_the_name_of_their_level() -> None:
    source, game = (game_of("ccgan", make_bars(), seed=seed) for seed in (0, 1))
    randomized(source)
    found = transfer(game, source).networks
    assert not any(network.fresh or network.mapped for network in found.values())
    other = replace(make_bars(), numbers={"angle": make_bars().numbers["place"]})
    found = transfer(game_of("ccgan", other), source).networks
    name = "score: embed.parametrizations.weight.original"
    assert found["discriminator"].fresh == [name]


def test_a_part_that_does_not_say_where_it_has_classes_is_taken_for_the_same_ones(
    monkeypatch,
) -> None:
    monkeypatch.delattr(Projection, "label_axes")
    data = make_data(16, (3, 16, 16))
    source = randomized(game_of("cwgan-projection", data))
    same, other = (game_of("cwgan-projection", d, seed=1) for d in (data, reordered(data)))
    assert not transfer(same, source).networks["discriminator"].fresh
    fresh = transfer(other, source).networks["discriminator"].fresh
    assert fresh == ["score: embed.weight", "score: linear.weight", "score: linear.bias"]


# Other layers


def test_at_another_resolution_layers_that_fit_are_taken() -> None:
    keys = {"generator__width": 8, "discriminator__width": 8}
    source = randomized(game_of("resnet-released", make_data(16, (3, 16, 16)), **keys))
    game = game_of("resnet-released", make_data(16, (3, 32, 32)), seed=1, **keys)
    found = transfer(game, source).networks
    # 4 to 8, 8 to 16, and the image as they were; the block from 16 to 32 is new.
    assert found["generator"].in_words() == "1, 2, 3, 5 taken; 4 fresh"
    for mine, theirs in ((0, 0), (1, 1), (2, 2), (4, 3)):
        for own, other in zip(
            game.networks["generator"].layers[mine].parameters(),
            source.networks["generator"].layers[theirs].parameters(),
            strict=True,
        ):
            assert torch.equal(own, other)
    assert not any(name.startswith("score") for name in found["discriminator"].fresh)


def test_another_number_of_channels_leaves_what_does_not_depend_on_it() -> None:
    source = randomized(game_of("labeled-images", make_data(16, (1, 16, 16))))
    game = game_of("labeled-images", make_data(16, (3, 16, 16)), seed=1)
    found = transfer(game, source).networks
    assert {name for name, ways in found["generator"].layers.items() if "fresh" in ways} == {"3"}
    assert {name for name, ways in found["discriminator"].layers.items() if "fresh" in ways} == {
        "1"
    }
