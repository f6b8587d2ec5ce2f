"""Order, noise and labels: functions of seed and iteration."""

import numpy as np
import pytest
import torch

from mtgan.training.batches import BatchLoader, LabeledShare, draw_inputs
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.mixture import Move
from mtgan.training.requests import Requests
from mtgan.training.seeds import mix_seed
from toys import make_data

CPU = torch.device("cpu")


def loader(**other) -> BatchLoader:
    data = make_data(20)
    return BatchLoader(
        data, Requests(DatasetInfo.of(data)), CPU, seed=other.get("seed", 0), flip=False
    )


def test_a_stream_visits_every_sample_once_per_epoch() -> None:
    f = loader()
    seen = np.concatenate([f.indices("d", turn, 8) for turn in range(5)])  # 40 = two epochs of 20
    assert sorted(seen[:20]) == list(range(20))
    assert sorted(seen[20:]) == list(range(20))
    assert seen[:20].tolist() != seen[20:].tolist()


def test_a_batch_depends_on_its_turn_alone() -> None:
    later = loader().indices("d", 7, 8)
    f = loader()
    for turn in range(7):
        f.indices("d", turn, 8)
    assert np.array_equal(later, f.indices("d", 7, 8))
    assert not np.array_equal(later, loader().indices("other", 7, 8))
    assert not np.array_equal(later, loader(seed=1).indices("d", 7, 8))


def few_labels(share: float) -> BatchLoader:
    data = make_data(20)
    data.labels[4:] = -1
    info = DatasetInfo.of(data)
    labeled = LabeledShare("fine", share)
    return BatchLoader(data, Requests(info), CPU, 0, False, labeled=labeled)


@pytest.mark.parametrize(("share", "least"), [(0.5, 4), (0.25, 2), (1.0, 8)])
def test_so_much_of_each_batch_has_labels(share: float, least: int) -> None:
    f = few_labels(share)
    batches = [f.batch(Move("d", turn), 8, torch.Generator()) for turn in range(10)]
    counts = [int((batch.labels["fine"] >= 0).sum()) for batch in batches]
    assert all(count >= least for count in counts)
    assert share == 1 or 0 < sum(counts) - 10 * least < 30  # a few of the others, by chance
    where = np.array([(batch.labels["fine"] >= 0).numpy() for batch in batches])
    assert share == 1 or 0 < where[:, :4].sum() < where.sum()  # not all in one half
    again = few_labels(share).batch(Move("d", 9), 8, torch.Generator())
    assert torch.equal(again.samples, batches[9].samples)


def test_a_batch_larger_than_the_set_goes_round() -> None:
    assert len(loader().indices("d", 0, 50)) == 50


def test_samples_are_scaled_and_keep_their_labels() -> None:
    data = make_data(20)
    f = loader()
    batch = f.batch(Move("d", 0), 20, torch.Generator())
    index = f.indices("d", 0, 20)
    assert batch.samples.min() >= -1
    assert batch.samples.max() <= 1
    expected = torch.from_numpy(data.samples[index]).float() / 127.5 - 1
    torch.testing.assert_close(batch.samples, expected)
    assert batch.labels["fine"].tolist() == data.labels[index, 0].tolist()
    assert batch.labels["coarse"].tolist() == data.labels[index, 1].tolist()


def test_memory_maps_give_the_same_samples(tmp_path) -> None:
    data = make_data(20)
    np.save(tmp_path / "x.npy", data.samples)
    mapped = make_data(20)
    mapped.samples = np.load(tmp_path / "x.npy", mmap_mode="r")
    info = DatasetInfo.of(data)
    plain = BatchLoader(data, Requests(info), CPU, 0, False).batch(
        Move("d", 3), 8, torch.Generator()
    )
    there = BatchLoader(mapped, Requests(info), CPU, 0, False).batch(
        Move("d", 3), 8, torch.Generator()
    )
    # read in the order of the disk: the same samples with the same labels, sorted
    assert sorted(x.sum().item() for x in plain.samples) == sorted(
        x.sum().item() for x in there.samples
    )
    by_sum = {round(x.sum().item(), 3): int(y) for x, y in zip(*_pair(plain), strict=True)}
    for x, y in zip(*_pair(there), strict=True):
        assert by_sum[round(x.sum().item(), 3)] == int(y)


def _pair(batch):
    return batch.samples, batch.labels["fine"]


def test_flips_mirror_about_half_of_the_samples() -> None:
    data = make_data(400)
    info = DatasetInfo.of(data)
    plain = BatchLoader(data, Requests(info), CPU, 0, False).batch(
        Move("d", 0), 400, torch.Generator()
    )
    flipped = BatchLoader(data, Requests(info), CPU, 0, True).batch(
        Move("d", 0), 400, torch.Generator().manual_seed(0)
    )
    same = (plain.samples == flipped.samples).flatten(1).all(1)
    mirrored = (plain.samples.flip(3) == flipped.samples).flatten(1).all(1)
    assert (same ^ mirrored).all()
    assert 0.4 < mirrored.float().mean() < 0.6


def test_dequantized_pixels_are_spread_over_their_last_bit() -> None:
    data = make_data(400)
    info = DatasetInfo.of(data)
    plain = BatchLoader(data, Requests(info), CPU, 0, False).batch(
        Move("d", 0), 400, torch.Generator()
    )
    loader = BatchLoader(data, Requests(info), CPU, 0, False, dequantize=True)
    batch = loader.batch(Move("d", 0), 400, torch.Generator().manual_seed(1))
    stored = (plain.samples.double() + 1) * 127.5
    noise = (batch.samples.double() + 1) * 128 - stored
    assert noise.min() > -1e-4
    assert noise.max() < 1 + 1e-4
    assert noise.mean().item() == pytest.approx(0.5, abs=0.01)
    assert noise.var().item() == pytest.approx(1 / 12, abs=0.01)
    again = loader.batch(Move("d", 0), 400, torch.Generator().manual_seed(1))
    assert torch.equal(batch.samples, again.samples)


def test_noise_follows_its_distribution_and_the_labels_of_the_data() -> None:
    data = make_data(40)
    info = DatasetInfo.of(data.select(np.flatnonzero(data.labels[:, 0] != 1)))
    inputs = draw_inputs(3000, 4, "normal", Requests(info), torch.Generator().manual_seed(0), CPU)
    assert abs(inputs.latents.std().item() - 1) < 0.05
    assert set(inputs.labels["fine"].tolist()) == {0, 2, 3}
    assert (inputs.labels["coarse"] == inputs.labels["fine"] // 2).all()
    assert inputs.epsilon.min() >= 0
    assert inputs.epsilon.max() < 1
    uniform = draw_inputs(3000, 4, "uniform", Requests(info), torch.Generator().manual_seed(0), CPU)
    assert -1 <= uniform.latents.min() < -0.99
    assert 0.99 < uniform.latents.max() <= 1


def test_rows_with_a_missing_label_are_not_drawn() -> None:
    data = make_data(40)
    data.labels[data.labels[:, 0] == 2, 0] = -1
    rows = Requests(DatasetInfo.of(data)).draw(500, torch.Generator().manual_seed(0))
    assert set(rows[:, 0].tolist()) == {0, 1, 3}


def test_facts_survive_the_trip_through_plain_values() -> None:
    info = DatasetInfo.of(make_data(40))
    again = DatasetInfo.from_dict(info.to_dict())
    assert again.shape == info.shape
    assert again.taxonomy == info.taxonomy
    assert np.array_equal(again.label_rows, info.label_rows)
    assert np.array_equal(again.label_counts, info.label_counts)


def test_levels_are_found_by_name_and_by_position() -> None:
    info = DatasetInfo.of(make_data(40))
    assert info.level("coarse", "x") == "coarse"
    renamed = make_data(40)
    taxonomy = renamed.taxonomy.with_hierarchy({"genus": dict(zip("abcd", "xxyy", strict=True))})
    other = DatasetInfo.of(renamed.with_taxonomy(taxonomy))
    assert other.level("coarse", "x") == "genus"


def test_seeds_are_mixed_from_all_their_parts() -> None:
    seeds = {mix_seed(s, name, i) for s in range(5) for name in ("a", "b") for i in range(5)}
    assert len(seeds) == 50
    assert mix_seed(1, "a", 2) == mix_seed(1, "a", 2)
