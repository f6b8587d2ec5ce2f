"""Who plays, who is told what, and the picture of it."""

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from mtgan.recipes import list_recipes, load_recipe
from mtgan.recipes.diagram import diagram
from mtgan.recipes.players import Cast, cast_of


def cast(name: str, **keys: object) -> Cast:
    return cast_of(load_recipe(name, {k.replace("__", "."): v for k, v in keys.items()}))


def phases(found: Cast) -> list[tuple[str, str, tuple[str, ...], str]]:
    return [(p.name, p.when, p.moves, " + ".join(p.losses)) for p in found.phases]


def test_the_original_gan() -> None:
    found = cast("gan")
    ((generator, discriminator),) = found.pairs
    assert (generator.levels, discriminator.levels) == ((), ())
    assert discriminator.says == ("real or generated?",)
    assert not found.reads_labels
    assert phases(found) == [
        ("discriminator", "1 x", ("discriminator",), "non-saturating"),
        ("generator", "1 x", ("generator",), "non-saturating"),
    ]


def test_labels_that_enter_and_labels_that_are_told() -> None:
    ((generator, critic),) = cast("cwgan-b").pairs
    assert (generator.levels, generator.by) == (("fine",), "concat")
    assert (critic.levels, critic.by) == (("fine",), "dense")
    ((generator, critic),) = cast("ac-wgan-b").pairs
    assert critic.levels == ()
    assert critic.says == (
        "critic's score",
        "fine? of real and generated",
        "coarse? of real and generated",
    )
    assert phases(cast("ac-wgan-b"))[0] == (
        "discriminator",
        "5 x",
        ("discriminator",),
        "wasserstein + 10 x gradient penalty + 0.5 x fine + 0.5 x coarse",
    )


def test_a_separate_classifier_moves_with_the_generator() -> None:
    found = cast("sc-wgan-b")
    assert [player.name for player in found.classifiers] == ["classifier/fine"]
    assert phases(found) == [
        (
            *("discriminator", "5 x", ("discriminator",)),
            "wasserstein + 10 x gradient penalty + 0.1 x l2 to classifier/fine",
        ),
        ("generator", "1 x", ("generator",), "wasserstein"),
        (
            *("classifier/fine", "every 2nd", ("classifier/fine", "generator")),
            "fine + 0.1 x l2 to discriminator",
        ),
    ]
    assert phases(cast("sc-wgan-c"))[-1][1] == "every 2nd, 1 of 2 drawn"


def test_twins_codes_transforms_and_heads_alone() -> None:
    twins = cast("mtl-wgan-projection")
    assert [pair[1].levels for pair in twins.pairs] == [("fine",), ("coarse",)]
    assert phases(twins)[2][:2] == ("discriminator/coarse", "5 x, 1 of 2 pairs drawn")
    codes = cast("infogan")
    assert codes.pairs[0][1].says[1] == "code? of generated"
    assert not codes.reads_labels
    turned = cast("ss-gan")
    assert not turned.reads_labels
    assert phases(turned)[1][3] == "hinge + 0.2 x rotation"
    alone = cast("omni-gan")
    assert alone.pairs[0][1].says == ("real-fake omni fine? of real and generated",)
    assert phases(alone)[0][3] == "fine"
    clipped = cast("wgan")
    assert phases(clipped)[0][3] == "wasserstein + clip at 0.01"
    every = cast("sc-wgan-a", schedule__classifier_every=11)
    assert phases(every)[-1][1] == "every 11th"


def test_every_recipe_has_a_cast_whose_networks_are_those_that_move() -> None:
    for entry in list_recipes():
        found = cast_of(entry.recipe)
        players = {p.name for pair in found.pairs for p in pair}
        players |= {p.name for p in found.classifiers}
        assert players == {name for phase in found.phases for name in phase.moves}


DRAWN = ("gan", "cgan-a", "ac-wgan-c", "sc-wgan-c", "mtl-wgan-projection", "multidomain-gp")


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_has_its_players_and_all_words_on_the_page(name: str) -> None:
    recipe = load_recipe(name)
    figure = diagram(recipe)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    (axes,) = figure.axes
    words = {text.get_text() for text in axes.texts}
    for player in (p for pair in cast_of(recipe).pairs for p in pair):
        kind, _, level = player.name.partition("/")
        assert f"{kind.capitalize()} {level}".strip() in words
    boxes = [text.get_window_extent(canvas.get_renderer()) for text in axes.texts]
    width, height = figure.bbox.size
    for box in boxes:
        assert 0 <= box.x0 < box.x1 <= width
        assert 0 <= box.y0 < box.y1 <= height
    for i, one in enumerate(boxes):  # no word lies on another
        assert not any(one.overlaps(other) for other in boxes[i + 1 :]), axes.texts[i]
