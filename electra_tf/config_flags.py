"""Dataclass fields as absl flags: one flag a field, with type and help.

The value of a field is that of the preset, unless the file of `--config` has
it, unless its own flag is given.
"""

import dataclasses
import inspect
import json
import re
import typing

from absl import flags

from electra_tf import config as config_lib


def define(config_class, flag_values=flags.FLAGS, *, has_presets=True):
    """Defines a flag for each field of a dataclass, and `--config`.

    The help text is the field's entry in the `Attributes:` section of the
    class docstring; a field without one is a ValueError. It has the default,
    and that presets have others, if the program has presets.
    """
    otherwise = ", or what the preset says" if has_presets else ""
    helps = field_helps(config_class)
    hints = typing.get_type_hints(config_class)
    for field in dataclasses.fields(config_class):
        _define_flag(
            field.name,
            hint=hints[field.name],
            help_text=f"{helps[field.name]} (default: {field.default!r}"
            f"{otherwise})",
            flag_values=flag_values,
        )
    flags.DEFINE_string(
        "config",
        None,
        "JSON file with values of these flags; a flag given on the command "
        "line goes before the file"
        + (", the file before the preset." if has_presets else "."),
        flag_values=flag_values,
    )


def override(base, flag_values=flags.FLAGS):
    """Returns `base` with the fields of `--config` and of the flags given.

    Raises:
        flags.Error: a file that is no configuration, an unknown field, or a
            value that the configuration refuses.
    """
    values = _read_file(flag_values["config"].value)
    for field in dataclasses.fields(base):
        if flag_values[field.name].present:
            values[field.name] = flag_values[field.name].value
    try:
        merged = config_lib.to_dict(base) | values
        return config_lib.from_dict(type(base), merged)
    except ValueError as error:
        raise flags.Error(str(error)) from error


def given(name: str, flag_values=flags.FLAGS) -> bool:
    """Whether a field was set by its flag or by the file of `--config`."""
    in_file = name in _read_file(flag_values["config"].value)
    return in_file or bool(flag_values[name].present)


def field_helps(config_class) -> dict[str, str]:
    """The text of each entry under `Attributes:` in the class docstring.

    Fields of base classes have theirs in the docstrings of those.
    """
    helps = {}
    for documented in reversed(config_class.__mro__):
        if dataclasses.is_dataclass(documented):
            doc = inspect.cleandoc(documented.__doc__)
            section = doc.partition("Attributes:\n")[2]
            entries = re.findall(
                r"^    (\w+): (.*(?:\n        .*)*)",
                section,
                flags=re.MULTILINE,
            )
            helps |= {name: " ".join(text.split()) for name, text in entries}
    names = [field.name for field in dataclasses.fields(config_class)]
    if sorted(helps) != sorted(names):
        wrong = sorted(set(helps) ^ set(names))
        raise ValueError(
            f"The Attributes: of {config_class.__name__} and its fields "
            f"differ in {', '.join(wrong)}."
        )
    return helps


def _read_file(path: str | None) -> dict:
    if path is None:
        return {}
    # Here, so that configurations and --help do not wait for TensorFlow.
    import tensorflow as tf

    try:
        with tf.io.gfile.GFile(path) as file:
            values = json.load(file)
    except (tf.errors.OpError, json.JSONDecodeError) as error:
        raise flags.Error(f"Cannot read --config={path}: {error}") from error
    if not isinstance(values, dict):
        raise flags.Error(f"--config={path} holds no JSON object.")
    # A model folder's config.json wraps the configuration.
    return values.get("config", values)


def _define_flag(name, *, hint, help_text, flag_values):
    if typing.get_origin(hint) is typing.Literal:
        flags.DEFINE_enum(
            name,
            None,
            list(typing.get_args(hint)),
            help_text,
            flag_values=flag_values,
        )
        return
    value_type = _value_type(hint)
    define_flag = {
        bool: flags.DEFINE_boolean,
        int: flags.DEFINE_integer,
        float: flags.DEFINE_float,
        str: flags.DEFINE_string,
    }[value_type]
    define_flag(name, None, help_text, flag_values=flag_values)


def _value_type(hint):
    """`float` for both `float` and `float | None`."""
    alternatives = [a for a in typing.get_args(hint) if a is not type(None)]
    return alternatives[0] if alternatives else hint
