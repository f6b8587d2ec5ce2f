"""`mtgan doctor`: what there is on this machine."""

from typing import TYPE_CHECKING, Any

from mtgan.cli.app import app, print_json
from mtgan.cli.options import Json

if TYPE_CHECKING:
    from mtgan.doctor import Diagnosis, Extra


@app.command()
def doctor(as_json: Json = False) -> None:
    """Print versions, devices, cores, what each missing extra would give, and the cache."""
    from mtgan.doctor import diagnose
    from mtgan.text import console

    found = diagnose()
    if as_json:
        print_json(found.to_dict())
        return
    console().print(_table(found))


def _table(found: "Diagnosis") -> Any:
    from rich.table import Table

    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_row("versions", ", ".join(f"{name} {v}" for name, v in found.versions.items()))
    table.add_row("system", found.system)
    table.add_row("cores", f"{found.cores}; PyTorch takes {found.threads} threads")
    for name, what in found.devices.items():
        table.add_row(f"--device {name}", what or "not here")
    for name, extra in found.extras.items():
        table.add_row(f"extra {name}", _said(name, extra))
    table.add_row("cache", f"{found.cache}, {found.cache_bytes / 2**20:,.1f} MiB")
    for name, value in found.settings.items():
        table.add_row(name, value)
    return table


def _said(name: str, extra: "Extra") -> str:
    if not extra.missing:
        return ", ".join(f"{package} {v}" for package, v in extra.installed.items())
    missing = ", ".join(extra.missing)
    return f"without {missing}; pip install 'mtgan[{name}]' gives: {extra.gives}"
