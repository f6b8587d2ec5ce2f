"""Questions to a finished or running training, each a picture, a JSON file and a function.

One file per analysis, registered by its presence in this folder: a function on arrays or a run, the
dataclass that it returns, and one adapter under the decorator `analysis`.
"""

from mtgan.analysis.base import ANALYSES, Options, Result, analysis
from mtgan.analysis.conditioning import Conditioning, conditioning
from mtgan.analysis.diagnose import Diagnosis, diagnose, findings_of
from mtgan.analysis.distance import Distance, distance, exact_distance
from mtgan.analysis.evidence import Evidence
from mtgan.analysis.evolution import Evolution, evolution
from mtgan.analysis.folder import Answer, analyze_run, answers_in, print_result
from mtgan.analysis.interpolate import Interpolation, interpolate
from mtgan.analysis.losses import Losses, losses
from mtgan.analysis.neighbors import Neighbors, neighbors
from mtgan.analysis.probe import Probe, probe
from mtgan.analysis.weights import Weights, weights
from mtgan.renamed import renamed_in

__all__ = [
    "ANALYSES",
    "Answer",
    "Conditioning",
    "Diagnosis",
    "Distance",
    "Evidence",
    "Evolution",
    "Interpolation",
    "Losses",
    "Neighbors",
    "Options",
    "Probe",
    "Result",
    "Weights",
    "analysis",
    "analyze_run",
    "answers_in",
    "conditioning",
    "diagnose",
    "distance",
    "evolution",
    "exact_distance",
    "findings_of",
    "interpolate",
    "losses",
    "neighbors",
    "print_result",
    "probe",
    "weights",
]

__getattr__ = renamed_in(__name__, {"judge": "mtgan.analysis.findings_of"})
