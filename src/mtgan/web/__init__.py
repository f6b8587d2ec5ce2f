"""Models and pages over HTTP: `mtgan serve` and what stands on it.

Only `require_packages` can be had without the extra `web`; the other modules import FastAPI.
"""

from mtgan.errors import import_extra


def require_packages(asked_by: str) -> None:
    """UserError that says what to install where the extra `web` is missing.

    asked_by: begins the sentence, as "mtgan serve".
    """
    for module in ("fastapi", "uvicorn"):
        import_extra(module, "web", asked_by)
