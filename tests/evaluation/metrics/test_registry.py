"""The registry of metrics, and the parts of theirs that are easily known."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from mtgan.errors import UserError
from mtgan.evaluation import evaluate
from mtgan.evaluation.calibration.corruptions import corrupt_images
from mtgan.evaluation.metrics import METRICS, Outcome, Output, chosen_metrics, register_metric
from mtgan.evaluation.metrics.mode_diversity import within_class_distances
from mtgan.evaluation.metrics.mode_imbalance import class_shares
from mtgan.evaluation.metrics.spectrum_distance import band_powers, log_power_spectrum
from mtgan.evaluation.scorecard.tables import SIGNS
from mtgan.testing import check_metric


@pytest.mark.parametrize("item", [item for _, item in METRICS.items()], ids=lambda item: item.name)
def test_contract(item):
    check_metric(dataclasses.replace(item, name="unregistered"))  # values: all at once, below
    assert all(item.output(f"{output.name}/fine") is output for output in item.outputs)
    assert not (item.slow and item.resampled)


def test_values_lie_in_their_ranges(tiny):
    card = evaluate(tiny, tiny, features="pixels", metrics="all", protocol="training")
    items = [item for _, item in METRICS.items()]
    for key, value in card.items():
        (output,) = [found for item in items if (found := item.output(key))]
        low, high = output.range
        assert low <= value <= high, key


def metric_row(item):
    """The row of a metric in docs/evaluation.md."""
    outputs = [
        f"`{output.name}` {SIGNS[output.better]}{in_words(output)}" for output in item.outputs
    ]
    return f"| `{item.name}` | {item.source} | {', '.join(outputs)} | {', '.join(item.needs)} |"


def in_words(output):
    low, high = output.range
    return (
        "" if math.isinf(low) else f" {low} to {high:g}" if math.isfinite(high) else f" from {low}"
    )


def test_the_docs_have_every_metric():
    lines = Path("docs/evaluation.md").read_text().splitlines()
    rows = [metric_row(item) for _, item in METRICS.items()]
    missing = [row for row in rows if row not in lines]
    assert not missing, "\n".join(missing)


def test_output_names_are_unique():
    names = [output.name for _, item in METRICS.items() for output in item.outputs]
    assert len(names) == len(set(names))


def test_groups():
    everything = {item.name for item in chosen_metrics(["all"])}
    default = {item.name for item in chosen_metrics(["default"])}
    assert default < everything
    assert "geometry_score" in everything - default
    both = [item.name for item in chosen_metrics(["prd_curve", "default", "prd_curve"])]
    assert set(both) == default | {"prd_curve"}
    assert len(both) == len(set(both))
    with pytest.raises(UserError, match="no metric 'fad'"):
        chosen_metrics(["fad"])


def test_one_function_adds_a_metric(digits, unseen):
    @register_metric("brightness", Output("brightness", "like real", "fidelity", "two-sided"))
    def brightness(comparison):
        """Mean grey level."""
        return Outcome({"brightness": float(comparison.generated.images.mean())})

    try:
        card = evaluate(
            unseen.samples, digits, metrics="brightness", n=100, resamples=2, corruptions=False
        )
        assert card.entries["brightness"].score == pytest.approx(1, abs=0.3)
        assert card.entries["brightness"].floor > 1.2 * card["brightness"], "noise is brighter"
        with pytest.raises(ValueError, match="registered twice"):
            register_metric("brightness", Output("brightness", "lower"))(brightness)
    finally:
        del METRICS._entries["brightness"]


def test_class_shares_see_a_missing_class_through_a_weak_classifier():
    """Two overlapping Gaussians: hard predictions find a third of a class that is not there."""
    random = np.random.default_rng(0)
    only_first = random.normal(0, 1, (4000, 1))
    densities = np.stack([multivariate_normal(c, 1).pdf(only_first) for c in (0, 1)], axis=1)
    posterior = densities / densities.sum(axis=1, keepdims=True)
    assert np.mean(posterior.argmax(axis=1) == 1) > 0.25
    shares = class_shares(posterior, np.array([0.5, 0.5]))
    assert shares[1] < 0.05
    mixed = np.concatenate([only_first[:1000], random.normal(1, 1, (3000, 1))])
    densities = np.stack([multivariate_normal(c, 1).pdf(mixed) for c in (0, 1)], axis=1)
    posterior = densities / densities.sum(axis=1, keepdims=True)
    assert class_shares(posterior, np.array([0.5, 0.5]))[1] == pytest.approx(0.75, abs=0.04)


def test_class_shares_of_certain_predictions_are_counts():
    """Also where the reference never shows a class that the samples do."""
    shown = np.repeat([0, 1, 2], [50, 30, 20])
    certain = np.eye(4)[shown]
    np.testing.assert_allclose(class_shares(certain, np.full(4, 0.25)), [0.5, 0.3, 0.2, 0])
    strange = class_shares(certain, np.array([0.6, 0.4, 0, 0]))
    np.testing.assert_allclose(strange, [0.625, 0.375, 0, 0])


def test_within_class_distances_of_known_gaussians():
    random = np.random.default_rng(0)
    classes = np.repeat([0, 1, 3], [500, 500, 1])
    features = random.normal(0, 1, (1001, 50)) * np.where(classes == 1, 3, 1)[:, None]
    found = within_class_distances(features, classes, 4)
    assert found[0] == pytest.approx(np.sqrt(2 * 50), rel=0.02)
    assert found[1] == pytest.approx(3 * found[0], rel=0.02)
    assert np.isnan(found[2:]).all()


def test_spectrum_of_white_noise_is_flat_and_falls_with_blur():
    images = np.random.default_rng(0).integers(0, 256, (400, 1, 32, 32), dtype=np.uint8)
    spectrum = log_power_spectrum(band_powers(images))
    np.testing.assert_allclose(np.exp(spectrum), (256**2 - 1) / 12, rtol=0.05)
    blurred = log_power_spectrum(band_powers(corrupt_images("blur", images, 0.3)))
    gap = spectrum - blurred
    assert (np.diff(gap[:8]) > 0).all(), "higher frequencies lose more"


def test_old_names_work_and_say_the_new_ones():
    from mtgan.evaluation.damages import damage_images
    from mtgan.evaluation.measures import measure

    images = np.random.default_rng(0).integers(0, 256, (4, 1, 8, 8), dtype=np.uint8)
    with pytest.warns(DeprecationWarning, match="corrupt_images"):
        np.testing.assert_array_equal(
            damage_images("noise", images, 0.5), corrupt_images("noise", images, 0.5)
        )
    with pytest.warns(DeprecationWarning, match="register_metric"):
        decorate = measure(Output("old_way", "lower"), needs=[lambda comparison: "it never can"])
    try:
        decorate(_old_way)
        assert METRICS.get("_old_way").missing(None) == "it never can"
    finally:
        del METRICS._entries["_old_way"]


def _old_way(comparison):
    """A metric as it was registered before."""
    return Outcome({"old_way": 0.0})
