"""What real held-out images get in the instruments of `mtgan bench quality`: the line to reach.

    python -m benchmarks.quality fashion-mnist-10k

Held-out images stand in the place of generated ones: all of them, and where an instrument compares
with one half of them, the other half.
"""

import argparse
from pathlib import Path

from mtgan import load_dataset
from mtgan.studies.load import load_study, on_data
from mtgan.studies.measure import HALVES, measured_by, reference_of
from mtgan.studies.plan import make_plan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--root", type=Path)
    args = parser.parse_args()
    study = on_data(load_study("quality"), args.data, args.root)
    loading = make_plan(study).cells[0].data
    held_out = load_dataset(args.data, "test", root=args.root)
    for name, instrument in {"": study.evaluation, **study.evaluation.beside}.items():
        reference = reference_of(loading, instrument.split, instrument.half)
        samples = held_out
        if instrument.half:
            [other] = {*HALVES} - {instrument.half}
            samples = reference_of(loading, "test", other)
        found = measured_by(samples, reference, instrument.model_dump(), "cpu")
        for key, entry in found.values.items():
            print(f"{name + '/' if name else ''}{key}: {entry['value']:.4g}")


if __name__ == "__main__":
    main()
