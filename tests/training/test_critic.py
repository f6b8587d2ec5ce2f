"""A run's discriminator as a feature space."""

import numpy as np
import torch

from mtgan.runs import train
from mtgan.training import load_critic_features
from toys import make_data, small_recipe


def test_features_are_what_the_heads_are_given(tmp_path) -> None:
    data = make_data(24)
    run = train(small_recipe("ac-wgan-b", training__steps=1), data, tmp_path / "run", quiet=True)
    images = torch.from_numpy(np.asarray(data.samples[:5]))
    found = load_critic_features(run.path)(images)
    critic = run.game().twins[0].discriminator
    labels = {level: torch.zeros(5, dtype=torch.long) for level in data.taxonomy.levels}
    with torch.no_grad():
        wanted = critic((images.float() / 127.5) - 1, labels).features
    torch.testing.assert_close(found, wanted)
