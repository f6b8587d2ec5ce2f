"""A validation error of a recipe as one sentence: where, what it should be, what was found."""

import difflib
import types
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

_WORDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    type(None): "null",
}


def sentence(error: ValidationError, schema: type[BaseModel]) -> str:
    """The first of pydantic's complaints; the nearest key where one is unknown."""
    first = error.errors()[0]
    where, wanted = _place(schema, first["loc"])
    if first["type"] == "extra_forbidden":
        return _unknown_key(schema, first["loc"])
    if first["type"] == "missing":
        return f"{where} is missing; it should be {wanted}."
    if first["type"] in {"value_error", "assertion_error"}:  # of our own validators
        return f"{where}: {first['msg'].split(', ', 1)[-1].rstrip('.?')}{_end(first['msg'])}"
    return f"{where} should be {wanted}; found {_short(first['input'])}."


def _end(text: str) -> str:
    return "?" if text.endswith("?") else "."


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _place(schema: type[BaseModel], location: tuple[int | str, ...]) -> tuple[str, str]:
    """The dotted key, and what belongs there, in words; parts of unions are left out."""
    path: list[str] = []
    annotation: Any = schema
    for part in location:
        inner = _inside(annotation, part)
        if inner is None:
            break
        path.append(str(part))
        annotation = inner
    return ".".join(path) or "it", _wanted(annotation)


def _inside(annotation: Any, part: int | str) -> Any:
    """The type of one key or position of a type, or None where it has none of that name."""
    for candidate in _alternatives(annotation):
        origin, arguments = get_origin(candidate), get_args(candidate)
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            if part in candidate.model_fields:
                return candidate.model_fields[str(part)].rebuild_annotation()
        elif isinstance(part, int) and origin in {list, tuple} and arguments:
            return arguments[min(part, len(arguments) - 1)]
        elif isinstance(part, str) and isinstance(origin, type) and issubclass(origin, Mapping):
            return arguments[1]
    return None


def _alternatives(annotation: Any) -> list[Any]:
    """The members of a union, without what is annotated to them."""
    if get_origin(annotation) is Annotated:
        return _alternatives(get_args(annotation)[0])
    if get_origin(annotation) in {Union, types.UnionType}:
        return [kind for member in get_args(annotation) for kind in _alternatives(member)]
    return [annotation]


def _wanted(annotation: Any) -> str:
    """A type with its range, in words."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return f"{_wanted(arguments[0])}{_range(arguments[1:])}"
    if origin in {Union, types.UnionType}:
        return " or ".join(map(_wanted, arguments))
    if origin is Literal:
        *others, last = map(str, arguments)
        return f"{', '.join(others)} or {last}" if others else last
    if origin is tuple and arguments[-1] is not Ellipsis:
        return f"[{', '.join(map(_wanted, arguments))}]"
    if origin in {list, tuple}:
        return f"a list of: {_wanted(arguments[0])}"
    return _WORDS.get(annotation, "keys with values" if _is_mapping(annotation) else "a value")


def _is_mapping(annotation: Any) -> bool:
    origin = get_origin(annotation) or annotation
    return isinstance(origin, type) and issubclass(origin, BaseModel | Mapping)


def _range(annotated: Iterable[Any]) -> str:
    """' from 1 to 8', ' above 0, at most 1', ..."""
    limits: dict[str, Any] = {}
    for note in annotated:
        for one in note.metadata if isinstance(note, FieldInfo) else [note]:
            limits |= {
                key: getattr(one, key)
                for key in ("ge", "gt", "le", "lt", "min_length")
                if getattr(one, key, None) is not None
            }
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    if {"ge", "le"} <= limits.keys():
        return f" from {limits['ge']:,} to {limits['le']:,}"
    found = [f"{words[key]} {limits[key]:,}" for key in words if key in limits]
    if "min_length" in limits:
        found.append(f"at least {limits['min_length']} of them")
    return f" {', '.join(found)}" if found else ""


def _unknown_key(schema: type[BaseModel], location: tuple[int | str, ...]) -> str:
    where = ".".join(str(part) for part in location)
    annotation: Any = schema
    for part in location[:-1]:
        annotation = _inside(annotation, part) or annotation
    model = next(
        kind
        for kind in (*_alternatives(annotation), schema)
        if isinstance(kind, type) and issubclass(kind, BaseModel)
    )
    names = list(model.model_fields)
    close = difflib.get_close_matches(str(location[-1]), names, n=1, cutoff=0.4)
    hint = f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(names)}."
    return f"there is no key {where!r}: {hint}"
