"""Checks that configurations make of their own fields."""

import dataclasses
import re
import typing


def check_types(config):
    """Raises ValueError for a field whose value is not of its type."""
    hints = typing.get_type_hints(type(config))
    for field in dataclasses.fields(config):
        value, hint = getattr(config, field.name), hints[field.name]
        if not _is_instance(value, hint):
            raise ValueError(
                f"{field.name} must be {_type_name(hint)}, got {value!r}."
            )


def _is_instance(value, hint) -> bool:
    if typing.get_origin(hint) is typing.Literal:
        return value in typing.get_args(hint)
    if args := typing.get_args(hint):  # A union, `float | None`.
        return any(_is_instance(value, arg) for arg in args)
    if hint is float:
        hint = (int, float)
    is_bool = isinstance(value, bool)
    return is_bool if hint is bool else isinstance(value, hint) and not is_bool


def _type_name(hint) -> str:
    if typing.get_origin(hint) is typing.Literal:
        return "one of " + ", ".join(map(repr, typing.get_args(hint)))
    return getattr(hint, "__name__", str(hint))


def check_pattern(config, name: str):
    """Raises ValueError for a field that is no regular expression."""
    value = getattr(config, name)
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(
            f"{name} must be a regular expression, got {value!r}: {error}."
        ) from error


def check_range(config, *, at_least_1="", at_least_0="", positive="", share=""):
    """Raises ValueError for a field out of its range; names are spaced."""
    rules = (
        (at_least_1, "at least 1", lambda value: value >= 1),
        (at_least_0, "at least 0", lambda value: value >= 0),
        (positive, "above 0", lambda value: value > 0),
        (share, "in [0, 1)", lambda value: 0 <= value < 1),
    )
    for names, text, is_valid in rules:
        for name in names.split():
            if not is_valid(getattr(config, name)):
                raise ValueError(
                    f"{name} must be {text}, got {getattr(config, name)}."
                )


def parse_steps(name: str, text: str) -> tuple[int, int] | None:
    """The first and the last step that a text such as "10,20" names.

    None for "". Raises ValueError for any other text.
    """
    if not text:
        return None
    match = re.fullmatch(r"\s*(\d+)\s*,\s*(\d+)\s*", text)
    steps = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= steps[0] <= steps[1]:
        raise ValueError(
            f"{name} must be two steps, counted from 1, the first of them not "
            f"after the other, such as '10,20', got {text!r}."
        )
    return steps
