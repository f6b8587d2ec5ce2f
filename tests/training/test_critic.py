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


def test_a_twins_features_are_those_of_its_own_discriminator(tmp_path) -> None:
    data = make_data(24)
    recipe = small_recipe("mtl-wgan-projection", sharing=[], training__steps=1)
    run = train(recipe, data, tmp_path / "run", quiet=True)
    images = torch.from_numpy(np.asarray(data.samples[:5]))
    for name in run.twins:
        critic = run.game().twin(name).discriminator
        x = (images.float() / 127.5) - 1
        with torch.no_grad():
            for layer in critic.layers:
                x = layer(x)
        torch.testing.assert_close(load_critic_features(run.twin(name))(images), x.flatten(1))
    main, other = (load_critic_features(run.twin(name))(images) for name in run.twins)
    assert not torch.allclose(main, other)
