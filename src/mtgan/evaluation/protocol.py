"""How a number was made: the stamp that every card carries, and the usual ways by name.

The same WGAN-GP has been published at a Frechet distance of 26, 37 and 54 within one library:
sample sizes, the reference split and the resizing decide as much as the model does. Numbers made
in different ways are therefore never put beside each other here.
"""

from dataclasses import asdict, dataclass, fields

from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.evaluation.features import FeatureExtractor
from mtgan.parts import PROTOCOLS

UNKNOWN_CHECKPOINT = "as given"


@dataclass(frozen=True)
class ProtocolRule:
    """A usual way of measuring, before the data are known.

    Attributes:
        generated: Number of generated samples; fewer are an error when `exact`, else a limit; None
            for all that there are.
        reference: Number of reference samples, "equal" (as many as generated) or "all".
        split: Split of the reference; None for the training split, or all
            where there are no splits.
        features: The feature space, or "auto".
        calibrated: Whether ceiling, floors and axes are measured (needs equal N throughout).
        exact: Whether the sizes are part of the protocol's meaning.
        metrics: Measures computed unless others are asked for ("all", "default", or names).
        inception_splits: Of the inception score; None for one per 5,000 samples.
        about: What it is and where it comes from.
    """

    generated: int | None
    reference: int | str
    split: str | None
    features: str
    calibrated: bool
    exact: bool
    metrics: tuple[str, ...]
    about: str
    inception_splits: int | None = None

    def reference_split(self, wanted: str | None) -> str:
        """The split of the reference that is read: the one asked for, or the rule's."""
        return wanted or self.split or "train"


PROTOCOLS.register("default")(
    ProtocolRule(
        generated=5_000,
        reference="equal",
        split="train",
        features="auto",
        calibrated=True,
        exact=False,
        metrics=("default",),
        about="equal N = min(5000, the sizes of all sets), training split, calibrated scorecard",
    )
)
PROTOCOLS.register("plain")(
    ProtocolRule(
        generated=None,
        reference="all",
        split=None,
        features="auto",
        calibrated=False,
        exact=False,
        metrics=("frechet_distance", "kernel_distance", "inception_score"),
        about="all samples against all real images that are given (the training split where there "
        "are splits), as clean-fid and torch-fidelity do: no ceiling, no scores",
    )
)
PROTOCOLS.register("fid-50k-train")(
    ProtocolRule(
        generated=50_000,
        reference="all",
        split="train",
        features="inception",
        calibrated=False,
        exact=True,
        metrics=("frechet_distance", "kernel_distance", "inception_score"),
        inception_splits=10,
        about="50,000 generated against the whole training split on the 2015 Inception network",
    )
)
PROTOCOLS.register("fid-10k-test")(
    ProtocolRule(
        generated=10_000,
        reference="all",
        split="test",
        features="inception",
        calibrated=False,
        exact=True,
        metrics=("frechet_distance", "kernel_distance", "inception_score"),
        about="10,000 generated against the whole test split on the 2015 Inception network",
    )
)
PROTOCOLS.register("thesis")(
    ProtocolRule(
        generated=5_000,
        reference="all",
        split="train",
        features="inception",
        calibrated=False,
        exact=True,
        metrics=("frechet_distance", "inception_score"),
        inception_splits=10,
        about="5,000 generated against the training split, as in the thesis of 2017, section 4.0.6",
    )
)
PROTOCOLS.register("training")(
    ProtocolRule(
        generated=1_000,
        reference="equal",
        split="train",
        features="auto",
        calibrated=False,
        exact=False,
        metrics=("frechet_distance", "inception_score"),
        about="equal N = min(1000, the sizes), training split: watches a run, proves nothing",
    )
)


def protocol_rule(name: str) -> ProtocolRule:
    """The rule of that name; `UserError` names the known ones."""
    if not PROTOCOLS.takes(name):
        known = ", ".join(PROTOCOLS.names())
        raise UserError(f"there is no protocol {name!r}: choose one of {known}")
    return PROTOCOLS.get(name)


@dataclass(frozen=True)
class Protocol:
    """All that decides a number besides the samples themselves.

    Attributes:
        name: Name of the rule.
        generated: Generated samples that were measured.
        reference: Reference samples that they were compared with.
        dataset: Name of the reference dataset.
        split: Its split.
        data: Hash of the reference's content.
        features: The feature space.
        extractor: Hash of the extractor's weights and preprocessing.
        preprocess: Resize and scaling in words.
        images: Shape and quantization of the samples, "uint8 1x28x28".
        checkpoint: Which checkpoint the samples came from ("as given" when unknown).
        seed: Seed of every random draw.
        inception_splits: Of the inception score, where the rule says how many.
    """

    name: str
    generated: int
    reference: int
    dataset: str
    split: str
    data: str
    features: str
    extractor: str
    preprocess: str
    images: str
    checkpoint: str = UNKNOWN_CHECKPOINT
    seed: int = 0
    inception_splits: int | None = None

    @classmethod
    def of(
        cls,
        name: str,
        reference: Dataset,
        extractor: FeatureExtractor,
        *,
        generated: int,
        compared: int,
        checkpoint: str = UNKNOWN_CHECKPOINT,
        seed: int = 0,
    ) -> "Protocol":
        """The stamp of `generated` samples, measured against `compared` of a reference."""
        shape = "x".join(map(str, reference.samples.shape[1:]))
        return cls(
            name=name,
            generated=generated,
            reference=compared,
            dataset=reference.name,
            split=reference.split,
            data=reference.fingerprint[:16],
            features=extractor.name,
            extractor=extractor.fingerprint,
            preprocess=extractor.preprocess,
            images=f"uint8 {shape}",
            checkpoint=checkpoint,
            seed=seed,
            inception_splits=protocol_rule(name).inception_splits,
        )

    def as_dict(self) -> dict[str, str | int]:
        """Plain values for JSON, without what the rule does not say."""
        return {key: value for key, value in asdict(self).items() if value is not None}

    @classmethod
    def from_dict(cls, values: dict[str, str | int]) -> "Protocol":
        """The inverse of `as_dict`; unknown keys are an error."""
        return cls(**values)  # type: ignore[arg-type]

    def differences(self, other: "Protocol") -> list[str]:
        """What differs, in phrases of the form "features: classifier and pixels".

        Samples whose checkpoint rule is unknown may be compared with any rule. Seeds are
        replicates of one protocol, not a difference of protocols.
        """
        pairs = {f.name: (getattr(self, f.name), getattr(other, f.name)) for f in fields(self)}
        del pairs["seed"]
        if UNKNOWN_CHECKPOINT in pairs["checkpoint"]:
            del pairs["checkpoint"]
        return [f"{name}: {a} and {b}" for name, (a, b) in pairs.items() if a != b]

    def sentence(self) -> str:
        """One line to print under a table."""
        weights = f"@{self.extractor[:8]}" if self.extractor else ""
        return (
            f"{self.generated:,} generated against {self.reference:,} of {self.dataset} "
            f"({self.split} split), features {self.features}{weights}, "
            f"protocol {self.name}, seed {self.seed}"
        )
