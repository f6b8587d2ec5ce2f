"""What `mtgan bench train` prints: a table per device, and what was compared where."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.train import GRAPHS, KINDS, LOADED
from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table

Results = Sequence[Mapping[str, Any]]


def table(results: Results, about: Mapping[str, Any]) -> Group:
    """The comparisons, the machine under them, and where our time goes."""
    if about["device"] != "cpu":
        return Group(_loops(results), *_notes(results, about))
    return Group(
        _pairs(results),
        *_notes(results, about),
        "",
        "where our time goes:",
        _profiles(results),
        "our loop by CPU threads, wall-clock milliseconds (times as fast as one), and how many\n"
        "times as fast one thread is on half a batch, the most that two cores sharing it can win:",
        _threads(results),
    )


def _columns(*left: str, right: Sequence[str]) -> Table:
    shown = Table(box=SIMPLE_HEAD, padding=0, pad_edge=False)
    for heading in left:
        shown.add_column(heading)
    for heading in right:
        shown.add_column(heading, justify="right")
    return shown


def _pairs(results: Results) -> Table:
    """A row per comparison, of our loop and the plain one."""
    pairs = ("ms", "images/s", "GFLOP", "of ceiling", "launches")
    headings = ["ratio", "rounds", *(f"{heading}\nours / plain" for heading in pairs)]
    shown = _columns("recipe", "scale", right=headings)
    for each in results:
        sides = each["ours"], each["plain"]
        shown.add_row(
            each["recipe"],
            each["scale"],
            f"{each['ratio']:.2f}",
            "{:.2f}-{:.2f}".format(*each["ratio_range"]),
            " / ".join(f"{1000 * side['seconds']:,.0f}" for side in sides),
            " / ".join(f"{side['images_per_second']:,.0f}" for side in sides),
            " / ".join(f"{side['flops'] / 1e9:.1f}" for side in sides),
            " / ".join(f"{side['share_of_ceiling']:.0%}" for side in sides),
            " / ".join(f"{side['launches']:,.0f}" for side in sides),
        )
    return shown


def _loops(results: Results) -> Table:
    """A row per loop on a GPU."""
    right = ("it/s", "ratio", "rounds", "images/s", "GFLOP", "of ceiling", "launches", "host")
    shown = _columns("recipe", "scale", "loop", right=right)
    for each in results:
        for name in (name for name in ("ours", GRAPHS, "plain", LOADED) if name in each):
            side = each[name]
            shown.add_row(
                each["recipe"],
                each["scale"],
                name,
                f"{1 / side['seconds']:,.1f}",
                f"{side['ratio']:.2f}",
                "{:.2f}-{:.2f}".format(*side["ratio_range"]),
                f"{side['images_per_second']:,.0f}",
                f"{side['flops'] / 1e9:.1f}",
                f"{side['share_of_ceiling']:.0%}",
                f"{side['launches']:,.0f}",
                f"{each['host'][name]:.0%}",
            )
    return shown


def _threads(results: Results) -> Table:
    counts = [str(count) for count in results[0]["threads"]]
    shown = _columns("recipe", "scale", right=[*counts, "half a batch"])
    for each in results:
        times = (f"{1000 * t['seconds']:,.0f} ({t['ratio']:.2f})" for t in each["threads"].values())
        halves = each["halves"]
        spread = "{:.2f}-{:.2f}".format(*halves["ratio_range"])
        shown.add_row(each["recipe"], each["scale"], *times, f"{halves['ratio']:.2f} ({spread})")
    return shown


def _profiles(results: Results) -> Table:
    shown = _columns("recipe", "scale", right=(*KINDS, "rest"))
    for each in results:
        parts = (f"{share:.0%}" for share in each["shares"].values())
        shown.add_row(each["recipe"], each["scale"], *parts)
    return shown


def _notes(results: Results, about: Mapping[str, Any]) -> list[str]:
    first = results[0]
    ceilings = [
        statistics.median(each[side]["ceiling_flops_per_second"] for each in results)
        for side in ("ours", "plain")
    ]
    apart = [max(each["differences"][kind] for each in results) for kind in ("loss", "gradient")]
    on_gpu = about["device"] != "cpu"
    cpu_seconds = about["threads"] == 1 and not on_gpu
    notes = [
        f"ours in {first['precision']}, plain in 32; {first['rounds']} rounds; "
        + ("CPU seconds of one thread" if cpu_seconds else "wall-clock seconds"),
        f"machine: {about['processor']}, {about['threads']} of {about['cores']} cores, "
        f"{about['vectors']}, bf16 in hardware: {'yes' if about['bf16_in_hardware'] else 'no'}, "
        f"PyTorch {about['torch']}; ceiling {ceilings[0] / 1e9:,.0f} GFLOP/s, "
        f"of float32 {ceilings[1] / 1e9:,.0f}",
        f"same results: losses differ by {apart[0]:.0e} at most, gradients by {apart[1]:.0e}",
    ]
    if on_gpu:
        rounded = [kind for kind, tf32 in about["tf32"].items() if tf32]
        notes += [
            f"device: {about['device']}; in TF32: {' and '.join(rounded) or 'nothing'}",
            f"{LOADED}: without its DataLoader, on one batch that lies on the device; host: share "
            "of the time that the host takes to ask for the work",
        ]
    return notes
