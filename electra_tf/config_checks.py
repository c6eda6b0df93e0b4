"""Checks that configurations make of their own fields."""

import dataclasses
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
