"""Where what can be made or fetched anew is kept."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Where downloads and derived files are kept: $MTGAN_CACHE, else the user's cache folder."""
    from platformdirs import user_cache_path

    given = os.environ.get("MTGAN_CACHE")
    return Path(given) if given else user_cache_path("mtgan", appauthor=False)
