"""Real images that training has not seen, as if a perfect generator had made them: how much there
is to win. A planted "yes"."""

import numpy as np

from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.studies.additions import ADDITIONS, AdditionRequest
from mtgan.training.seeds import mix_seed


@ADDITIONS.register("held-back")
def held_back(request: AdditionRequest) -> Dataset:
    """As many as are wanted of each class; UserError where there are fewer."""
    random = np.random.default_rng(mix_seed(request.seed, "held back"))
    labels, chosen = request.rest.labels_of(request.level), []
    for k, count in enumerate(request.wanted):
        rows = random.permutation(np.flatnonzero(labels == k))
        if len(rows) < count:
            name = request.rest.taxonomy.classes[request.level][k]
            raise UserError(
                f"Of the class {name!r} {len(rows)} real images are held back, and {count} are "
                "wanted; take a smaller real.share or added.rule."
            )
        chosen.append(rows[:count])
    return request.rest.select(np.concatenate(chosen))
