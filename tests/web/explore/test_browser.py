"""The page in headless Chromium, from its file and from a server: its pictures are run.sample's."""

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from mtgan.analysis.paths import slerp
from mtgan.data import load_dataset
from mtgan.data.images import MARK_GENERATED, is_marked
from mtgan.training import Run, train
from mtgan.web.explore import static
from mtgan.web.explore.facts import facts_of
from mtgan.web.explore.static import write_page
from needed import chromium
from toys import small_recipe
from web.explore.browser import Page, assert_same
from web.explore.conftest import ODD, array

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def files(browser, tree: Run, bars: Run, odd: Run, tmp_path_factory) -> dict[str, str]:
    """Addresses of pages by name."""
    folder: Path = tmp_path_factory.mktemp("pages")
    patch = pytest.MonkeyPatch()
    patch.setattr(static, "graph_of", cache(static.graph_of))  # of a run once
    models = {"tree": {"tree": tree}, "bars": {"bars": bars}, "odd": {"odd": odd}}
    models["two"] = {"tree": tree, "again": tree}
    pages = {name: write_page(m, folder / f"{name}.html").as_uri() for name, m in models.items()}
    patch.undo()
    return pages


@pytest.fixture(scope="module")
def digits_run(tmp_path_factory) -> Run:
    """A run on a data set that can be loaded anew, with checkpoints 0, 2 and 4."""
    folder = tmp_path_factory.mktemp("explore") / "digits"
    recipe = small_recipe("ac-wgan-b", training__steps=4, data__size=None)
    return train(recipe, load_dataset("digits"), folder, quiet=True)


@pytest.fixture
def address(digits_run: Run) -> Iterator[str]:
    """Of a server that shows one model under two names."""
    runs = [str(digits_run.path), f"again={digits_run.path}"]
    command = [sys.executable, "-m", "mtgan", "explore", *runs, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        yield re.search(r"http://\S+", running.stdout.readline())[0]
        running.terminate()


def test_a_server_has_checkpoints_and_training_images(browser, address, digits_run) -> None:
    page = Page(browser, address)
    assert_same(page.pictures(), digits_run.sample(64, seed=0)[:16])
    page.choose("#labels", "fine", "7")
    page.move("#models", 0, 1)
    assert_same(page.pictures(), digits_run.sample(64, {"fine": "7"}, seed=0, step=2)[:16])
    page.menu("#latents", "seed").fill("5")
    page.menu("#latents", "seed").press("Tab")
    page.settle()
    assert_same(page.pictures(), digits_run.sample(64, {"fine": "7"}, seed=5, step=2)[:16])
    page.page.get_by_role("button", name="Nearest training images").click()
    page.page.wait_for_selector(".near img")
    assert page.page.locator(".near figcaption").count() == 6
    assert "images of digits, by the Euclidean distance" in page.page.inner_text(".near")
    page.choose("#models", "beside it, of the same latents", "again")
    right = digits_run.sample(64, {"fine": "7"}, seed=5)[:16]
    assert_same(page.pictures()[16:], right)
    assert page.errors == []
    page.context.close()


@pytest.fixture
def page(browser, files) -> Iterator[Page]:
    opened = Page(browser, files["tree"])
    opened.choose("#latents", "pictures", "64")
    yield opened
    assert opened.errors == []
    opened.context.close()


def test_its_pictures_are_those_of_run_sample_and_nothing_is_fetched(page: Page, tree: Run) -> None:
    assert_same(page.pictures(), tree.sample(64, seed=0))
    outside = [url for url in page.requests if not url.startswith(("file:", "blob:", "data:"))]
    assert outside == []
    assert len([url for url in page.requests if url.startswith("file:")]) == 1  # itself


def test_a_class_is_chosen_and_the_pictures_are_others(page: Page, tree: Run) -> None:
    before = page.pictures()
    page.choose("#labels", "fine", "c")
    after = page.pictures()
    assert (after != before).any()
    assert_same(after, tree.sample(64, {"fine": "c"}, seed=0))
    assert "Picture 1, c, y, w" in page.page.inner_text("#picked")


def test_a_superclass_leaves_its_classes_alone(page: Page, tree: Run) -> None:
    page.choose("#labels", "fine", "a")
    page.choose("#labels", "top", "w")
    assert page.options("#labels", "fine") == ["as in the data", "c", "d"]
    assert page.options("#labels", "coarse") == ["as in the data", "y"]
    names = page.page.locator(".grid button").evaluate_all("b => b.map(each => each.title)")
    assert set(names) == {"c, y, w", "d, y, w"}
    # Those that had such a class anyway kept it.
    right = tree.sample(64, seed=0)
    kept = np.flatnonzero(right.labels[:, 2] == 1)
    assert_same(page.pictures()[kept], right[kept])


def test_a_slider_moves_along_its_direction(page: Page, tree: Run) -> None:
    facts = facts_of("tree", tree)
    vector = array(facts["directions"][1]["vector"], "<f4", 6)
    plain = tree.sample(64, seed=0)
    page.move("#directions", 1, 2.0)
    labels = plain.labels
    assert_same(page.pictures(), tree.sample(64, labels, latents=plain.latents + 2 * vector))
    page.page.get_by_role("button", name="All to 0").click()
    page.settle()
    assert_same(page.pictures(), plain)


def test_a_morph_between_labels_and_between_latents(page: Page, tree: Run) -> None:
    plain = tree.sample(64, seed=0)
    page.choose("#morph", "of the chosen picture", "to other labels")
    page.choose("#morph", "fine", "d")
    page.move("#morph", 0, 1.0)
    goal = tree.sample(1, {"fine": "d"}, latents=plain.latents[:1])
    strip = page.pictures(".strip")
    assert_same(strip[[0, 8]], np.stack([plain[0], goal[0]]))
    assert_same(page.pictures("#picked"), goal)
    page.choose("#morph", "of the chosen picture", "to another latent")
    page.menu("#morph", "to picture").fill("5")
    page.menu("#morph", "to picture").press("Enter")
    page.settle()
    z = slerp(*torch.from_numpy(plain.latents[[0, 4]]), torch.linspace(0, 1, 9))
    right = tree.sample(9, plain.labels[:1].repeat(9, axis=0), latents=z)
    assert_same(page.pictures(".strip"), right)


def test_other_seeds_are_drawn_by_their_law(page: Page, tree: Run) -> None:
    """They are no numpy's or PyTorch's; the same seed draws the same."""
    first = page.pictures()
    page.page.get_by_role("button", name="Next seed").click()
    page.settle()
    other = page.pictures()
    assert (other != first).any()
    page.menu("#latents", "seed").fill("0")
    page.menu("#latents", "seed").press("Tab")
    page.settle()
    assert_same(page.pictures(), tree.sample(64, seed=0))


def test_all_by_the_keyboard(browser, files, tree: Run) -> None:
    page = Page(browser, files["tree"])
    press, focused = page.page.keyboard.press, "document.activeElement"
    press("Tab")
    assert page.page.evaluate(f"{focused}.getAttribute('aria-label')").startswith("Picture 1: ")
    for key in ("ArrowRight", "ArrowRight", "End", "Home", "ArrowRight", "ArrowRight"):
        press(key)
    page.settle()
    assert page.page.evaluate(f"{focused}.getAttribute('aria-pressed')") == "true"
    assert "Picture 3, " in page.page.inner_text("#picked")
    assert_same(page.pictures("#picked"), tree.sample(64, seed=0)[2:3])
    for _ in range(3):  # top, coarse, fine
        press("Tab")
    assert page.page.evaluate(f"{focused}.parentElement.innerText").startswith("fine")
    for _ in range(2):
        press("ArrowDown")
    page.settle()
    assert page.menu("#labels", "fine").evaluate("s => s.selectedOptions[0].text") == "b"
    assert_same(page.pictures(), tree.sample(64, {"fine": "b"}, seed=0)[:16])
    names = page.page.locator("select, input, button").evaluate_all(
        "all => all.map(e => (e.labels?.[0]?.innerText || e.ariaLabel || e.innerText).trim())"
    )
    assert all(names)
    page.context.close()


def test_a_narrow_page_and_a_dark_one(browser, files) -> None:
    page = Page(browser, files["tree"], viewport={"width": 400, "height": 800})
    page.choose("#morph", "of the chosen picture", "to other labels")
    assert page.page.evaluate("document.documentElement.scrollWidth") == 400
    inside = "all => all.every(e => e.getBoundingClientRect().right <= 400)"
    assert page.page.locator("select, input, button, canvas, table").evaluate_all(inside)
    page.context.close()
    lights = {}
    for scheme in ("light", "dark"):
        page = Page(browser, files["tree"], color_scheme=scheme)
        style = "getComputedStyle(document.body)"
        for part in ("color", "backgroundColor"):
            text = page.page.evaluate(f"{style}.{part}")
            lights[scheme, part] = sum(map(int, text[4:-1].split(", "))) / 3
        page.context.close()
    assert lights["light", "backgroundColor"] > 240 > 50 > lights["light", "color"]
    assert lights["dark", "backgroundColor"] < 50 < 200 < lights["dark", "color"]


def test_names_of_classes_do_nothing(browser, files, odd: Run) -> None:
    page = Page(browser, files["odd"])
    assert page.options("#labels", "fine")[1:] == ODD
    for name in ODD:
        page.choose("#labels", "fine", name)
        assert_same(page.pictures(), odd.sample(64, {"fine": name}, seed=0)[:16])
        assert name in page.page.inner_text("#picked figcaption")
    page.choose("#labels", "tone", "dark")
    assert "No training sample has these labels together" in page.page.inner_text("#labels")
    asked = {"fine": ODD[-1], "tone": "dark"}
    assert_same(page.pictures(), odd.sample(64, asked, seed=0)[:16])
    assert page.page.evaluate("window.hacked") is None
    assert page.errors == []
    page.context.close()


def test_a_number_is_chosen(browser, files, bars: Run) -> None:
    page = Page(browser, files["bars"])
    assert_same(page.pictures(), bars.sample(64, seed=0)[:16])
    page.move("#labels", 0, 45.0)
    assert_same(page.pictures(), bars.sample(64, {"place": 45.0}, seed=0)[:16])
    page.context.close()


def test_two_models_side_by_side(browser, files, tree: Run) -> None:
    page = Page(browser, files["two"])
    page.choose("#models", "beside it, of the same latents", "again")
    page.choose("#labels", "fine", "b")
    both = page.pictures()
    assert len(both) == 32
    assert_same(both, np.concatenate([tree.sample(64, {"fine": "b"}, seed=0)[:16]] * 2))
    page.context.close()


def test_a_picture_is_downloaded(page: Page, tree: Run) -> None:
    with page.page.expect_download() as waiting:
        page.page.get_by_role("button", name="Download picture").click()
    content = Path(waiting.value.path()).read_bytes()
    assert waiting.value.suggested_filename == "tree-seed0-1.png"
    with Image.open(io.BytesIO(content)) as picture:
        picture.verify()
        assert is_marked(picture, MARK_GENERATED)
    with Image.open(io.BytesIO(content)) as picture:
        assert_same(
            np.asarray(picture.convert("RGB")).transpose(2, 0, 1), tree.sample(64, seed=0)[0]
        )
