"""Models of a hub, by huggingface_hub: the one place that reaches for the network."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mtgan.errors import UserError, import_extra
from mtgan.exporting.base import Export
from mtgan.exporting.config import CARD, CONFIG, WEIGHTS
from mtgan.exporting.folder import write_model
from mtgan.training.model import Model

_NAME = re.compile(r"[\w.-]+/[\w.-]+")


def fetch(name: str, **options: Any) -> Path:
    """The folder into which the files of the model OWNER/NAME were fetched; nothing else of it is.

    UserError where there is neither such a folder nor such a model, or the hub cannot be reached.
    """
    if not _NAME.fullmatch(name):
        raise UserError(
            f"There is no folder {name}; mtgan.load takes a folder, or OWNER/NAME of a hub's model."
        )
    hub: Any = import_extra(
        "huggingface_hub", "hub", f"There is no folder {name}, and to fetch it from a hub mtgan"
    )

    def download(file: str) -> str:
        return str(_reached(f"fetched {name}", lambda: hub.hf_hub_download(name, file, **options)))

    config, *_ = [download(file) for file in (CONFIG, WEIGHTS, CARD)]
    return Path(config).parent


def push(model: Model, name: str, **options: Any) -> str:
    """Upload a model's folder as OWNER/NAME; UserError where that fails."""
    hub: Any = import_extra("huggingface_hub", "hub", "push_to_hub")

    class ModelFolder(hub.ModelHubMixin):
        """What the mixin uploads: a folder as `write_model` has it."""

        def _save_pretrained(self, save_directory: Path) -> None:
            license = getattr(model, "license", None)
            write_model(Export(model, license=license), save_directory)

    return str(_reached(f"uploaded {name}", lambda: ModelFolder().push_to_hub(name, **options)))


def _reached(what: str, call: Callable[[], Any]) -> Any:
    """The result of a call that needs the network, where errors of many kinds may come from."""
    try:
        return call()
    except UserError:
        raise
    except Exception as error:
        first = str(error).strip().splitlines()[:1] or [type(error).__name__]
        raise UserError(f"The hub has not {what} ({type(error).__name__}: {first[0]}).") from error
