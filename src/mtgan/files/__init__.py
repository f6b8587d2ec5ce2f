"""The one place for reading, strict YAML, whole writes, the cache, locks and downloads.

What goes wrong with a file is a UserError with the path, the reason and the remedy. Downloads are
in `mtgan.files.download`, which is imported where one is due.
"""

from mtgan.files.cache import cache_folder
from mtgan.files.errors import ENVIRONMENT, error_number, reason, write_error, writing
from mtgan.files.lock import hold
from mtgan.files.read import digest, read_json, read_text, require_file
from mtgan.files.write import (
    append,
    flush,
    new_folder,
    remove,
    remove_partial,
    replacing,
    temporary_folder,
    write_bytes,
    write_json,
    write_text,
)
from mtgan.files.yaml import dump_yaml, parse_yaml, read_yaml

__all__ = [
    "ENVIRONMENT",
    "append",
    "cache_folder",
    "digest",
    "dump_yaml",
    "error_number",
    "flush",
    "hold",
    "new_folder",
    "parse_yaml",
    "read_json",
    "read_text",
    "read_yaml",
    "reason",
    "remove",
    "remove_partial",
    "replacing",
    "require_file",
    "temporary_folder",
    "write_bytes",
    "write_error",
    "write_json",
    "write_text",
    "writing",
]
