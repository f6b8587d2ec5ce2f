"""Whether two checkouts train the same networks: what a rebuilding must not change.

    git worktree add ../before COMMIT
    python -m benchmarks.weights --before ../before

Every recipe is trained for three iterations, and every recipe for classifiers for one epoch, at a
small size with seed 0, by the code of each checkout on this machine. Printed are those whose
weights or samples differ in any bit; the exit status is 1 where there are some.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import hashlib, json, sys, tempfile, warnings
from pathlib import Path
import numpy as np
import torch
import mtgan
from mtgan.classification import classify
from mtgan.recipes import list_recipes
from toys import NEEDED, SMALL, make_data
from classification.small import small as small_classifier

warnings.simplefilter("ignore")
torch.set_num_threads(1)


def digest(tensors):
    found = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        found.update(name.encode() + tensor.detach().contiguous().cpu().numpy().tobytes())
    return found.hexdigest()[:16]


def domains(folder):
    (folder / "words.txt").write_text("".join(f"{a}{b}{a}\\n" for a in "abcde" for b in "xyzwv"))
    images = np.random.default_rng(0).integers(0, 256, (30, 9, 8, 1), dtype=np.uint8)
    np.savez(folder / "x.npz", images=images, labels=np.arange(30) % 2)
    return mtgan.load_dataset(f"image={folder}/x.npz+text={folder}/words.txt", "all")


with tempfile.TemporaryDirectory() as name:
    folder, found = Path(name), {}
    pictures, canvases = make_data(three_levels=True), domains(folder)
    for entry in list_recipes():
        small = SMALL | NEEDED.get(entry.name, {}) | {"training.generator_batch_size": None}
        recipe = mtgan.load_recipe(entry.name, small | {"training.steps": 3})
        data = canvases if entry.name.startswith("multidomain") else pictures
        run = mtgan.train(recipe, data, folder / entry.name, seed=0, device="cpu", quiet=True)
        found[entry.name] = digest(run.game().tensors())
        samples = torch.from_numpy(np.asarray(run.sample(5, seed=0)))
        found[f"{entry.name}, samples"] = digest({"samples": samples})
    for path in sorted((Path(mtgan.__file__).parent / "recipes" / "classifiers").glob("*.yaml")):
        recipe = small_classifier(path.stem, training__epochs=2)
        if recipe.augmentation.crop:
            recipe = small_classifier(path.stem, training__epochs=2, augmentation__crop=12)
        data, test = make_data(40), make_data(20, seed=1)
        run = classify(recipe, data, folder / path.name, test=test, device="cpu", quiet=True)
        found[f"classifier {path.stem}"] = digest(run.network().state_dict())
print(json.dumps(found))
"""


def weights(checkout: Path) -> dict[str, str]:
    """The hashes of one checkout, by name."""
    paths = os.pathsep.join(str(checkout / folder) for folder in ("src", "tests"))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, required=True, help="another checkout")
    before = weights(parser.parse_args().before.resolve())
    now = weights(Path(__file__).resolve().parent.parent)
    different = [name for name in before if before[name] != now.get(name)]
    print(f"{len(before) - len(different)} of {len(before)} are the same to the bit.")
    for name in different:
        print(f"different: {name}" if name in now else f"gone: {name}")
    sys.exit(bool(different))


if __name__ == "__main__":
    main()
