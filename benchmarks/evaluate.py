"""Every measure against the reference packages, one after another, on the same features.

Both sides of a case take turns in one process, so that whatever else the machine does falls on
both. What counts is CPU seconds of all threads, features already taken. A case whose packages are
not installed is left out and named.

Where a measure has no package of its own, its published procedure is written here plainly on the
library that its authors used.

Legend: N samples of each set, D features, k neighbors.
"""

import contextlib
import importlib.util
import io
import itertools
import statistics
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from threadpoolctl import threadpool_limits

from mtgan.evaluation.metrics.authenticity import authenticity_from_pass
from mtgan.evaluation.metrics.density_coverage import density_coverage_from_pass
from mtgan.evaluation.metrics.frechet_infinity import frechet_infinity
from mtgan.evaluation.metrics.geometry_score import geometry_score
from mtgan.evaluation.metrics.inception_score import inception_score
from mtgan.evaluation.metrics.kernel_distance import kernel_distance_from_pass
from mtgan.evaluation.metrics.memorization_fid import memorization_distance_from_pass
from mtgan.evaluation.metrics.ms_ssim import ms_ssim_pairs
from mtgan.evaluation.metrics.prd_curve import prd_curve
from mtgan.evaluation.metrics.precision_recall import precision_recall_from_pass
from mtgan.evaluation.metrics.vendi_score import vendi_score
from mtgan.evaluation.pairwise.neighbors import nearest
from mtgan.evaluation.pairwise.pairs import pairwise_pass

Values = Mapping[str, float]
CLASSES, LATENT = 10, 64
GEOMETRY_DRAWS = 100  # as the suite takes them
PUBLISHED_DRAWS = 1_000
PRD_RUNS = 10
SIMILARITY_PAIRS, SIMILARITY_SIDE = 100, 192
NEIGHBOR_TASK = (10_000, 50_000, 3_072)


@dataclass(frozen=True)
class Sets:
    """What every case works on: float32 features [N, D] of both sets, logits, pairs of images."""

    samples: np.ndarray
    reference: np.ndarray
    logits: np.ndarray
    images: tuple[np.ndarray, np.ndarray]

    @classmethod
    def make(cls, count: int, width: int, seed: int = 0) -> "Sets":
        """Features as networks have them: classes in few directions, rectified, many zeros."""
        random = np.random.default_rng(seed)
        centers = 2 * random.standard_normal((CLASSES, LATENT))
        mixing = random.standard_normal((LATENT, width)) / LATENT**0.5

        def draw(spread: float) -> tuple[np.ndarray, np.ndarray]:
            latent = centers[random.integers(0, CLASSES, count)]
            latent = latent + spread * random.standard_normal(latent.shape)
            noise = 0.3 * random.standard_normal((count, width))
            return np.maximum(latent @ mixing + noise, 0).astype(np.float32), latent

        (samples, latent), (reference, _) = draw(1.1), draw(1.0)
        shape = (SIMILARITY_PAIRS, 3, SIMILARITY_SIDE, SIMILARITY_SIDE)
        one = random.integers(0, 256, shape, dtype=np.uint8)
        other = (0.5 * one + 0.5 * random.integers(0, 256, shape)).astype(np.uint8)
        return cls(samples, reference, (latent @ centers.T / 10).astype(np.float32), (one, other))


@dataclass(frozen=True)
class Case:
    """One comparison.

    Attributes:
        name: What is measured.
        source: What it is compared with.
        packages: What must be importable for that.
        ours: Numbers of this library.
        theirs: The same numbers of the reference.
    """

    name: str
    source: str
    packages: tuple[str, ...]
    ours: Callable[[Sets], Values]
    theirs: Callable[[Sets], Values]

    @property
    def missing(self) -> list[str]:
        """Packages that are not installed."""
        return [name for name in self.packages if importlib.util.find_spec(name) is None]


@dataclass
class Turns:
    """CPU seconds, growth of the memory and numbers of one side of a case."""

    seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)
    values: dict[str, float] = field(default_factory=dict)

    def take(self, side: Callable[[], Values]) -> None:
        """Run one side once."""
        before = _resident(reset_peak=True)
        start = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # those of the reference packages
            values = side()
        self.seconds.append(time.process_time() - start)
        after = _resident(peak=True)
        self.values = {name: float(value) for name, value in values.items()}
        if before is not None and after is not None:
            self.megabytes.append(after - before)

    def summary(self) -> dict[str, Any]:
        """Median seconds, largest growth of memory, numbers."""
        return {
            "cpu_seconds": statistics.median(self.seconds),
            "peak_megabytes": max(self.megabytes, default=None),
            "values": self.values,
        }


def _resident(*, peak: bool = False, reset_peak: bool = False) -> float | None:
    """Megabytes that this process holds, or held at most; None where the system does not say."""
    try:
        if reset_peak:
            Path("/proc/self/clear_refs").write_text("5")
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    label = "VmHWM:" if peak else "VmRSS:"
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(label)), None)


def compare(
    count: int,
    width: int,
    rounds: int,
    threads: int,
    *,
    progress: Callable[[str], None] = lambda message: None,
) -> dict[str, Any]:
    """Measure all cases alternately.

    Args:
        count: N.
        width: D.
        rounds: How often both sides take turns; medians are reported.
        threads: CPU threads of either side.
        progress: Called with the name of each case.

    Returns:
        A dictionary for JSON: settings, `cases`, `left_out`, the `total` ratio, `neighbors`.
    """
    torch.set_num_threads(threads)
    with threadpool_limits(threads):
        sets = Sets.make(count, width)
        cases, left_out = [], []
        for case in CASES:
            progress(case.name)
            if case.missing:
                left_out.append({"name": case.name, "needs": case.missing})
            else:
                cases.append(_measure(case, sets, rounds))
        del sets
        progress("nearest neighbors")
        neighbors = neighbor_task(*NEIGHBOR_TASK)
    sums = [sum(case[side]["cpu_seconds"] for case in cases) for side in ("ours", "theirs")]
    return {
        "samples": count,
        "features": width,
        "threads": threads,
        "rounds": rounds,
        "cases": cases,
        "left_out": left_out,
        "total": {"ours": sums[0], "theirs": sums[1], "ratio": sums[1] / sums[0]},
        "neighbors": neighbors,
    }


def table(result: Mapping[str, Any]) -> Group:
    """A rich table of what `compare` returns, and sentences under it."""
    shown = Table(box=SIMPLE_HEAD, padding=0, pad_edge=False)
    shown.add_column("measure")
    shown.add_column("compared with")
    for heading in ("ours s", "theirs s", "ratio", "ours MB", "theirs MB"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for case in result["cases"]:
        sides = case["ours"], case["theirs"]
        shown.add_row(
            case["name"],
            case["reference"],
            *(f"{side['cpu_seconds']:.2f}" for side in sides),
            f"{case['ratio']:.1f}",
            *(_megabytes(side) for side in sides),
        )
    shown.add_section()
    total, task = result["total"], result["neighbors"]
    shown.add_row(
        "together",
        "one after another",
        *(f"{total[side]:.1f}" for side in ("ours", "theirs")),
        f"{total['ratio']:.1f}",
    )
    lines = [
        f"{result['samples']:,} against {result['samples']:,} samples of {result['features']:,} "
        f"features, CPU seconds, threads {result['threads']}, rounds {result['rounds']}; "
        "MB is what memory grew by at most",
        f"nearest neighbors of {task['samples']:,} in {task['training']:,} x "
        f"{task['features']:,}: {task['cpu_seconds']:.1f} CPU seconds, {_megabytes(task)} MB",
    ]
    lines += [
        f"left out, {' and '.join(each['needs'])} not installed: {each['name']}"
        for each in result["left_out"]
    ]
    return Group(shown, *lines)


def _megabytes(side: Mapping[str, Any]) -> str:
    return "–" if side["peak_megabytes"] is None else f"{side['peak_megabytes']:,.0f}"


def _measure(case: Case, sets: Sets, rounds: int) -> dict[str, Any]:
    ours, theirs = Turns(), Turns()
    for _ in range(rounds):
        ours.take(partial(case.ours, sets))
        theirs.take(partial(case.theirs, sets))
    ratios = [b / a for a, b in zip(ours.seconds, theirs.seconds, strict=True)]
    return {
        "name": case.name,
        "reference": case.source,
        "ours": ours.summary(),
        "theirs": theirs.summary(),
        "ratio": statistics.median(ratios),
    }


def neighbor_task(samples: int, training: int, width: int) -> dict[str, Any]:
    """Nearest neighbors of many samples in all training images, by pixels."""
    random = np.random.default_rng(0)
    points = random.random((samples, width), dtype=np.float32)
    others = random.random((training, width), dtype=np.float32)
    turns, start = Turns(), time.perf_counter()
    turns.take(lambda: {"mean": float(nearest(points, others)[0].mean())})
    wall = time.perf_counter() - start
    shape = {"samples": samples, "training": training, "features": width}
    return shape | turns.summary() | {"wall_seconds": wall}


# The same numbers, by this library and by others -------------------------------------------------


def neighbor_measures(sets: Sets) -> Values:
    """One pass over all pairs; the reference is the training data."""
    passed = pairwise_pass(sets.samples, sets.reference, (3, 5), kernel=True, cosine=True)
    at_3 = precision_recall_from_pass(passed)
    at_5 = density_coverage_from_pass(passed)
    return {
        "precision": at_3.precision,
        "recall": at_3.recall,
        "density": at_5.density,
        "coverage": at_5.coverage,
        "kernel distance": kernel_distance_from_pass(passed),
        "authenticity": authenticity_from_pass(passed),
        "memorization distance": memorization_distance_from_pass(passed),
    }


def neighbor_packages(sets: Sets) -> Values:
    """prdc once for each k, the kernel distance over 100 subsets of 1,000, full matrices."""
    from prdc import compute_prdc
    from torchmetrics.image.kid import KernelInceptionDistance
    from torchmetrics.image.mifid import _compute_cosine_distance

    with contextlib.redirect_stdout(io.StringIO()):
        at_3, at_5 = (compute_prdc(sets.reference, sets.samples, nearest_k=k) for k in (3, 5))
    size = min(1000, len(sets.samples))
    kid = KernelInceptionDistance(torch.nn.Identity(), subsets=100, subset_size=size)
    kid.real_features = [torch.from_numpy(sets.reference)]
    kid.fake_features = [torch.from_numpy(sets.samples)]
    both = [torch.from_numpy(each) for each in (sets.samples, sets.reference)]
    memorized = _compute_cosine_distance(*both, cosine_distance_eps=2)  # none is set to 1
    return {
        "precision": at_3["precision"],
        "recall": at_3["recall"],
        "density": at_5["density"],
        "coverage": at_5["coverage"],
        "kernel distance": float(kid.compute()[0]),
        "authenticity": sklearn_authenticity(sets),
        "memorization distance": float(memorized),
    }


def sklearn_authenticity(sets: Sets) -> float:
    """Distances to, and among, the training points; authentic are those that lie farther off."""
    from sklearn.metrics import pairwise_distances

    own = pairwise_distances(sets.reference)
    np.fill_diagonal(own, np.inf)
    theirs = pairwise_distances(sets.samples, sets.reference)
    closest = theirs.argmin(axis=1)
    return float((theirs.min(axis=1) > own.min(axis=1)[closest]).mean())


def scipy_frechet(samples: np.ndarray, reference: np.ndarray) -> float:
    """The Frechet distance with a matrix square root, as FID was published."""
    from scipy.linalg import sqrtm

    a, b = samples.astype(np.float64), reference.astype(np.float64)
    one, other = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = sqrtm(one @ other)
    shift = ((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum()
    return float(shift + np.trace(one) + np.trace(other) - 2 * np.trace(root).real)


def frechet_measures(sets: Sets) -> Values:
    """The last of the distances through which the line goes is that of all samples."""
    found = frechet_infinity(sets.samples, sets.reference, both_sides=False)
    return {"frechet": found.distances[-1], "frechet infinity": found.value}


def scipy_frechet_both(sets: Sets) -> Values:
    """All samples, then fifteen random subsets and a line through their distances."""
    random, count = np.random.default_rng(0), len(sets.samples)
    sizes = np.linspace(max(2, min(5000, count // 10)), count, 15).round().astype(int)
    distances = [
        scipy_frechet(sets.samples[random.permutation(count)[:size]], sets.reference)
        for size in sizes
    ]
    return {
        "frechet": scipy_frechet(sets.samples, sets.reference),
        "frechet infinity": np.polyfit(1 / sizes, distances, 1)[1],
    }


def sklearn_prd(sets: Sets) -> Values:
    """Clusters of the union of all features, ten times."""
    from sklearn.cluster import MiniBatchKMeans

    union, count = np.concatenate([sets.samples, sets.reference]), len(sets.samples)
    curves = []
    for run in range(PRD_RUNS):
        labels = MiniBatchKMeans(20, n_init=10, random_state=run).fit(union).labels_
        q, p = (np.bincount(part, minlength=20) for part in (labels[:count], labels[count:]))
        slopes = np.tan(np.linspace(1e-10, np.pi / 2 - 1e-10, 1001))
        precision = np.minimum(slopes[:, None] * (p / count), q / count).sum(axis=1)
        curves.append((precision, precision / slopes))
    precision, recall = np.mean(curves, axis=0)

    def best(beta: float) -> float:
        weighted = (beta**2 * precision + recall).clip(1e-10)
        return float(((1 + beta**2) * precision * recall / weighted).max())

    return {"prd recall": best(8), "prd precision": best(1 / 8)}


def gudhi_geometry(sets: Sets) -> Values:
    """Witness complexes on full sorted tables of distances."""
    mine, theirs = (_living_times(each) for each in (sets.samples, sets.reference))
    return {"geometry score": ((mine - theirs) ** 2).sum()}


def _living_times(points: np.ndarray, landmarks: int = 64, i_max: int = 100) -> np.ndarray:
    import gudhi
    from scipy.spatial.distance import cdist

    random, total = np.random.default_rng(0), np.zeros(i_max)
    for _ in range(GEOMETRY_DRAWS):
        table = cdist(points, points[random.integers(len(points), size=landmarks)])
        largest = table.max() * len(points) / 5000 / 128
        order = table.argsort(axis=1)
        near = np.take_along_axis(table, order, axis=1)
        rows = [list(zip(i, d, strict=True)) for i, d in zip(order, near, strict=True)]
        tree = gudhi.WitnessComplex(rows).create_simplex_tree(largest, limit_dimension=2)
        tree.compute_persistence(homology_coeff_field=2)
        holes = np.minimum(tree.persistence_intervals_in_dimension(1), largest).reshape(-1, 2)
        marks = np.unique([0.0, largest, *holes.flat])
        for low, high in itertools.pairwise(marks):
            middle = (low + high) / 2
            alive = int(((holes[:, 0] <= middle) & (middle < holes[:, 1])).sum())
            if alive < i_max:
                total[alive] += (high - low) / largest
    return total / GEOMETRY_DRAWS


def vendi_package(sets: Sets) -> Values:
    """The form of vendi-score for more samples than features, else the other one."""
    from vendi_score import vendi

    dual = len(sets.samples) > sets.samples.shape[1]
    wide = sets.samples.astype(np.float64)
    return {"vendi": vendi.score_dual(wide) if dual else vendi.score_X(wide)}


def torchmetrics_inception(sets: Sets) -> Values:
    """One split."""
    from torchmetrics.image.inception import InceptionScore

    oracle = InceptionScore(torch.nn.Identity(), splits=1)
    oracle.features = [torch.from_numpy(sets.logits)]
    return {"inception score": float(oracle.compute()[0])}


def package_ms_ssim(sets: Sets) -> Values:
    """Pairs of color images."""
    from pytorch_msssim import ms_ssim

    one, other = (torch.from_numpy(each).float() for each in sets.images)
    return {"ms-ssim": float(ms_ssim(one, other, data_range=255))}


def our_prd(sets: Sets) -> Values:
    """Largest F_8 and F_1/8."""
    found = prd_curve(sets.samples, sets.reference, repeats=PRD_RUNS)
    return {"prd recall": found.f8, "prd precision": found.f1_8}


CASES = (
    Case(
        "precision, recall, density, coverage, kernel and memorization distance, authenticity",
        "prdc for k = 3 and 5; torchmetrics, 100 subsets of 1,000; scikit-learn, full matrices",
        ("prdc", "torchmetrics"),
        neighbor_measures,
        neighbor_packages,
    ),
    Case(
        "Frechet distance, and at infinity",
        "SciPy sqrtm, and 15 times by the published procedure",
        ("scipy",),
        frechet_measures,
        scipy_frechet_both,
    ),
    Case(
        "Vendi score",
        "vendi-score",
        ("vendi_score",),
        lambda s: {"vendi": vendi_score(s.samples)},
        vendi_package,
    ),
    Case(
        "inception score",
        "torchmetrics",
        ("torchmetrics",),
        lambda s: {"inception score": inception_score(s.logits, splits=1, inputs="logits").value},
        torchmetrics_inception,
    ),
    Case(
        "PRD curve",
        f"published procedure, {PRD_RUNS} times scikit-learn's k-means",
        ("sklearn",),
        our_prd,
        sklearn_prd,
    ),
    Case(
        "geometry score",
        f"published procedure on gudhi, {GEOMETRY_DRAWS} of its {PUBLISHED_DRAWS:,} draws",
        ("gudhi",),
        lambda s: {
            "geometry score": geometry_score(s.samples, s.reference, draws=GEOMETRY_DRAWS).value
        },
        gudhi_geometry,
    ),
    Case(
        "MS-SSIM",
        f"pytorch-msssim, {SIMILARITY_PAIRS} pairs of {SIMILARITY_SIDE} x {SIMILARITY_SIDE}",
        ("pytorch_msssim",),
        lambda s: {"ms-ssim": float(ms_ssim_pairs(*s.images).mean())},
        package_ms_ssim,
    ),
)
