"""Strict YAML: a key that stands twice is an error, and a class may be called no."""

import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml

from mtgan.errors import UserError
from mtgan.files.read import read_text

_LARGEST_YAML = 1_000_000  # values in all, each reference counted as what it refers to


def read_yaml(path: str | Path, what: str = "The file", strings: bool = False) -> Any:
    """The value of a YAML file; see parse_yaml."""
    return parse_yaml(read_text(path, what), f"{what} {path}", strings)


def parse_yaml(text: str, what: str, strings: bool = False) -> Any:
    """The value of a YAML text, read strictly.

    A key that stands twice is an error and not overwritten. Of YAML 1.2's core schema: only true
    and false are truth values, so that a class may be called yes or no; numbers with leading
    zeros, dates and 1:30 are text; 1e-4 is a number. strings: every scalar is text as it stands
    (names of classes). Raises UserError that begins with `what`.
    """
    try:
        loader = (_TextLoader if strings else _Loader)(text)
        node = loader.get_single_node()
        if node is None:
            return None
        if _size(node, {}) > _LARGEST_YAML:
            raise yaml.YAMLError("its references unfold to over a million values")
        return loader.construct_document(node)
    except RecursionError as error:
        raise UserError(f"{what} is not valid YAML: it is nested too deeply.") from error
    except (yaml.YAMLError, ValueError) as error:
        raise UserError(f"{what} is not valid YAML: {error}") from error


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """Values below a node, each reference counted as what it refers to."""
    if id(node) in known:
        if known[id(node)] < 0:
            raise yaml.YAMLError("a reference leads back into itself")
        return known[id(node)]
    known[id(node)] = -1
    size = 1
    if isinstance(node, yaml.SequenceNode):
        size += sum(_size(item, known) for item in node.value)
    elif isinstance(node, yaml.MappingNode):
        size += sum(_size(key, known) + _size(value, known) for key, value in node.value)
    known[id(node)] = size
    return size


class _StrictLoader(yaml.SafeLoader):
    """YAML's safe loader, but a key that stands twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.YAMLError(f"a key should be one value, found {key!r}")
            if key in seen:
                raise yaml.YAMLError(
                    f"it names {key!r} twice (line {key_node.start_mark.line + 1})"
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


class _TextLoader(_StrictLoader):
    """Every scalar is text."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012


class _Loader(_StrictLoader):
    """YAML 1.2's core schema, decimal numbers alone."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012


class _Dumper(yaml.SafeDumper):
    """Quotes text that either version of YAML would read as something else."""


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    (
        "float",
        r"[-+]?((\.[0-9]+|(0|[1-9][0-9]*)\.[0-9]*)([eE][-+]?[0-9]+)?|(0|[1-9][0-9]*)[eE][-+]?[0-9]+"
        r"|\.(inf|Inf|INF))|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
):
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(
            f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first)
        )


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # Unquoted, line ends of other alphabets would be read as blanks.
    style = '"' if any(mark in text for mark in "\x85\u2028\u2029\ufeff") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _represent_text)


def dump_yaml(values: Mapping[str, Any]) -> str:
    """Values as YAML that parse_yaml reads as the same values, in this order of keys."""
    return yaml.dump(dict(values), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
