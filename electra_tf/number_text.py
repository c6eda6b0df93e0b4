"""Numbers as people read them."""

import math

_PREFIXES = (
    (1e18, "E"),
    (1e15, "P"),
    (1e12, "T"),
    (1e9, "G"),
    (1e6, "M"),
    (1e3, "k"),
)
_UNITS_OF_TIME = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def exact(value: float | None) -> str:
    """Four significant digits: `0.7854`, `12,345`, `1e-06`; None is a dash."""
    if value is None:
        return "–"
    if not math.isfinite(value):
        return str(value)
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def short(value: float) -> str:
    """For axes: `250k`, `1.5M`, `0.02`."""
    for size, prefix in _PREFIXES:
        if abs(value) >= size:
            return f"{value / size:.4g}{prefix}"
    return f"{value:.4g}"


def scaled(value: float, unit: str) -> str:
    """`1.23 TFLOPs`, `845 FLOPs`."""
    for size, prefix in _PREFIXES:
        if abs(value) >= size:
            return f"{value / size:.3g} {prefix}{unit}"
    return f"{value:.3g} {unit}"


def percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f} %"


def duration(seconds: float) -> str:
    """`5 min 32 s`, `3 d 4 h`: the two largest units."""
    rest = round(seconds)
    parts = []
    for size, unit in _UNITS_OF_TIME:
        count, rest = divmod(rest, size)
        if count or parts:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"
