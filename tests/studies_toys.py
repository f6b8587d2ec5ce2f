"""The keys of a study that trains in a second."""

from typing import Any

TINY: dict[str, Any] = {
    "name": "toy",
    "recipes": ["gan"],
    "datasets": {"digits": {"name": "digits"}},
    "budget": {"steps": 4},
    "set": {
        "generator.width": 8,
        "discriminator.width": 8,
        "latent.dim": 6,
        "training.batch_size": 8,
        "training.log_every": 1,
        "training.checkpoint_every": 2,
        "training.sample_every": 4,
        "data.size": None,
    },
    "evaluation": {"samples": 64, "features": "pixels"},
}
