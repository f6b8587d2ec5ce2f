"""Samples of a generator that has learned from the real training images alone."""

import hashlib
import json
from dataclasses import replace

from mtgan.augmenting import Judged, generated_for
from mtgan.data import Dataset
from mtgan.files import hold
from mtgan.runs import train
from mtgan.studies.additions import ADDITIONS, AdditionRequest
from mtgan.studies.identity import GAN, identity_of
from mtgan.training import Run


@ADDITIONS.register("generated")
def generated(request: AdditionRequest) -> Dataset:
    """As many as are wanted, or as the filter lets through."""
    keep = None
    if request.filter is not None:
        keep = Judged.of(request.real, request.level, request.filter, request.device)
    made = generated_for(
        generator_of(request),
        request.real,
        request.level,
        request.wanted,
        keep=keep,
        seed=request.seed,
        device=request.device,
    )
    return made.data


def generator_of(request: AdditionRequest) -> Run:
    """The run of the generator, trained now, gone on with, or found; all arms that learn from the
    same images by the same recipe and seed have the same one."""
    recipe, real = request.generator, request.real
    identity = json.dumps([identity_of(recipe, GAN), real.fingerprint], sort_keys=True)
    name = f"{recipe.name}-s{request.seed}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"
    folder = request.place / "generators" / name
    data = replace(real, spec={})  # which would name more images than these
    lock = hold(folder.with_name(f".{name}"), "training in", timeout_seconds=-1)
    try:
        return train(
            recipe,
            data,
            folder,
            seed=request.seed,
            resume=True,
            device=request.device,
            quiet=True,
        )
    finally:
        lock.release()
