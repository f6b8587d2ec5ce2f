"""Writing a model folder."""

import json
from pathlib import Path

from mtgan.exporting.base import Export
from mtgan.exporting.config import CARD, CONFIG, WEIGHTS, config_of
from mtgan.exporting.facts import card_of, portable
from mtgan.exporting.model_card import Shown, model_card
from mtgan.exporting.weights import save_weights
from mtgan.files import write_json, write_text
from mtgan.training.pictures import picture_of, previews


def write_model(asked: Export, folder: Path) -> None:
    """config.json, model.safetensors, samples and the model card README.md into a folder."""
    model = asked.model
    game, card = model.game(asked.step), card_of(model, asked.step)
    save_weights(game, folder / WEIGHTS)
    config = config_of(
        {
            "step": model.iteration(asked.step),
            "recipe": portable(model.recipe),
            "data": model.dataset_info.to_dict(),
            "scorecard": None if card is None else json.loads(card.to_json()),
            "license": asked.license,
        },
        folder / WEIGHTS,
    )
    write_json(folder / CONFIG, config)
    shown = _pictures(asked, folder)
    write_text(folder / CARD, model_card(asked, config["recipe"], card, shown))


def _pictures(asked: Export, folder: Path) -> Shown:
    """Write a few samples, and say what was written: titles to names of files, or to lines."""
    game, twin = asked.model.game(asked.step), asked.model.twin_name
    shown: Shown = {}
    if not asked.model.dataset_info.domains:
        picture_of(game, 0, twin).save(folder / "samples.png")
        return {"Samples": "samples.png"}
    for name, preview in previews(game, 0, twin):
        if preview.picture is None:
            shown[name] = preview.lines
        else:
            file = f"samples-{len(shown)}.png"
            preview.picture.save(folder / file)
            shown[name] = file
    return shown
