"""JSON that runs and studies keep, read strictly: somebody may have edited it."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from mtgan.errors import UserError
from mtgan.files import read_json
from mtgan.recipes.load import sentence


class Record(BaseModel):
    """What a file holds, with the type of each value. Keys of later versions are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def read_record(path: Path, schema: type[Record], remedy: str) -> dict[str, Any]:
    """The values of a JSON file as plain ones, each of the type that `schema` gives it.

    remedy: what to do about a file that is something else. Raises UserError that names the file,
    the key and the remedy.
    """
    return validated(read_json(path), schema, path, remedy)


def validated(values: Any, schema: type[Record], path: Path, remedy: str) -> dict[str, Any]:
    """Values that were read from a file, each of the type that `schema` gives it; see
    read_record."""
    try:
        return schema.model_validate(values).model_dump()
    except ValidationError as error:
        raise UserError(
            f"{path} does not hold what was written there: "
            f"{sentence(error, schema).removesuffix('.')}; {remedy}."
        ) from error
