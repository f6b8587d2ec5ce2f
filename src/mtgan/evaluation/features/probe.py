"""Linear probes of features: of classes, fitted in milliseconds since a card needs hundreds, and of
numbers."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import softmax

SAMPLES = 10_000
"""A probe learns from at most so many samples."""

RIDGE = 1e-6
"""Added to the standardized covariance, which collapsed samples leave at zero."""


@dataclass(frozen=True, eq=False)
class LinearProbe:
    """Linear discriminant: Gaussian classes with one covariance, shrunk towards equal variances.

    The covariance within classes is that of standardized features, shrunk as Ledoit & Wolf 2004,
    "A well-conditioned estimator for large-dimensional covariance matrices", so that fewer samples
    than features are no obstacle.

    Attributes:
        classes: int64 [K], the classes it has seen at least twice.
        weights: float64 [D, K].
        offsets: float64 [K].
    """

    classes: np.ndarray
    weights: np.ndarray
    offsets: np.ndarray

    @classmethod
    def fit(cls, features: np.ndarray, labels: np.ndarray, seed: int = 0) -> "LinearProbe":
        """Learn from features [N, D] with labels int64 [N]; -1 and lone samples are left out."""
        from sklearn.covariance import ledoit_wolf  # slow to import

        counts = np.bincount(labels[labels >= 0])
        known = np.flatnonzero((labels >= 0) & np.isin(labels, np.flatnonzero(counts > 1)))
        known = known[some(len(known), seed)]
        points = features[known].astype(np.float64)
        classes, place = np.unique(labels[known], return_inverse=True)
        members = np.eye(len(classes))[place]
        means = members.T @ points / members.sum(axis=0)[:, None]
        within = points - means[place]
        scale = within.std(axis=0)
        scale[scale == 0] = 1.0
        covariance, _ = ledoit_wolf(within / scale, assume_centered=True)
        covariance[np.diag_indices_from(covariance)] += RIDGE
        weights = cho_solve(cho_factor(covariance), (means / scale).T) / scale[:, None]
        offsets = np.log(members.mean(axis=0)) - (means * weights.T).sum(axis=1) / 2
        return cls(classes, weights, offsets)

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Log probabilities but for a constant, float64 [N, K]."""
        return features.astype(np.float64) @ self.weights + self.offsets

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """float64 [N, K], in the order of `classes`."""
        return softmax(self.logits(features), axis=1)

    def predict(self, features: np.ndarray) -> np.ndarray:
        """The most probable class of each sample, int64 [N]."""
        return self.classes[self.logits(features).argmax(axis=1)]


STRENGTHS = np.logspace(-2, 6, 17)
"""Of the ridge, among which a number's probe chooses."""


@dataclass(frozen=True, eq=False)
class NumberProbe:
    """Ridge regression of a number on features, of the strength with the least generalized
    cross-validation (Golub, Heath & Wahba 1979, equation 1.4).

    Features are centered, and all scaled alike: each by its own deviation, those that hardly vary
    among real images would decide about generated ones, where they do.

    All strengths are had of one eigendecomposition of the features' covariance, a tenth of the time
    of a singular value decomposition of the features.

    Attributes:
        weights: float64 [D].
        offset: What is said of features that are all 0.
        low, high: The range of the numbers it has learned, beyond which it says nothing: pictures
            unlike any it has seen would be far outside.
        strength: The one that was chosen.
    """

    weights: np.ndarray
    offset: float
    low: float
    high: float
    strength: float = 0.0

    @classmethod
    def fit(cls, features: np.ndarray, numbers: np.ndarray, seed: int = 0) -> "NumberProbe":
        """Learn from features [N, D] with numbers [N]; those that are nan are left out.

        Of fewer than three it says the mean, nan of none.
        """
        known = np.flatnonzero(~np.isnan(numbers))
        known = known[some(len(known), seed)]
        points, wanted = features[known].astype(np.float64), numbers[known].astype(np.float64)
        mean = float(wanted.mean()) if len(known) else float("nan")
        if len(known) < 3:
            return cls(np.zeros(features.shape[1]), mean, mean, mean)
        ends = float(wanted.min()), float(wanted.max())
        middle = points.mean(axis=0)
        scale = float(np.sqrt(points.var(axis=0).mean())) or 1.0
        points, wanted = (points - middle) / scale, wanted - mean
        squares, axes = np.linalg.eigh(points.T @ points)
        squares = squares.clip(min=0.0)
        along = axes.T @ (points.T @ wanted)
        strength = _best_strength(squares, along, float(wanted @ wanted), len(known))
        weights = axes @ (along / (squares + strength)) / scale
        return cls(weights, mean - float(middle @ weights), *ends, strength)

    def predict(self, features: np.ndarray) -> np.ndarray:
        """float64 [N], of features [N, D]."""
        said = features.astype(np.float64) @ self.weights + self.offset
        return said.clip(self.low, self.high)


def _best_strength(squares: np.ndarray, along: np.ndarray, total: float, count: int) -> float:
    """The strength whose residuals are least for their degrees of freedom.

    squares: eigenvalues [D] of X'X; along: X'y in its eigenvectors [D]; total: y'y.
    """
    shrunk = squares + STRENGTHS[:, None]
    left = total - (2 * along**2 / shrunk - squares * (along / shrunk) ** 2).sum(axis=1)
    freedom = count - 1 - (squares / shrunk).sum(axis=1)
    return float(STRENGTHS[np.argmin(left.clip(min=0.0) / freedom.clip(min=1e-9) ** 2)])


def some(count: int, seed: int) -> np.ndarray:
    """At most `SAMPLES` of `count` rows, sorted."""
    return np.sort(np.random.default_rng(seed).permutation(count)[:SAMPLES])
