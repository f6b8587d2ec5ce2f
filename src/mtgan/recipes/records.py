"""What runs and studies keep in files, read strictly: somebody may have edited it."""

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from mtgan.errors import UserError
from mtgan.files import read_json
from mtgan.recipes.sentences import sentence


class Record(BaseModel):
    """What a file holds, with the type of each value. Keys of later versions are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


Schema = TypeVar("Schema", bound=Record)


def read_record(path: Path, schema: type[Schema], remedy: str) -> dict[str, Any]:
    """The values of a JSON file as plain ones, each of the type that `schema` gives it.

    remedy: what to do about a file that is something else. Raises UserError that names the file,
    the key and the remedy.
    """
    return validated(schema, read_json(path), str(path), remedy).model_dump()


def validated(
    schema: type[Schema], values: Any, where: str, remedy: str = "mend that, or train anew"
) -> Schema:
    """The values as the schema has them.

    Raises UserError, "WHERE does not hold what it should", that names the first key at fault, what
    was found there, and the remedy.
    """
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        found = sentence(error, schema).removesuffix(".")
        raise UserError(f"{where} does not hold what it should: {found}; {remedy}.") from error
