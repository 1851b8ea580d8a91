"""Settings of torch's that change nothing here: what a program stores, it can ask for.

Owns their values, which are torch's defaults. Every result is deterministic, and no product of matrices is rounded.
"""

_deterministic = {"mode": False, "warn_only": False}
_precision = {"float32_matmul": "highest"}


def use_deterministic_algorithms(mode, *, warn_only=False):
    """Stores both; all algorithms are deterministic."""
    for position, (name, value) in enumerate((("mode", mode), ("warn_only", warn_only)), 1):
        if not isinstance(value, bool):
            raise TypeError(
                f"_set_deterministic_algorithms(): argument '{name}' (position {position}) must be bool, not "
                f"{type(value).__name__}"
            )
    _deterministic.update(mode=mode, warn_only=warn_only)


def are_deterministic_algorithms_enabled():
    """What `use_deterministic_algorithms` was told."""
    return _deterministic["mode"]


def is_deterministic_algorithms_warn_only_enabled():
    """What `use_deterministic_algorithms` was told of warn_only."""
    return _deterministic["warn_only"]


def set_float32_matmul_precision(precision):
    """Stores "highest", "high" or "medium"; every product is computed at the highest."""
    if not isinstance(precision, str):
        raise RuntimeError(f"set_float32_matmul_precision expects a str, but got {type(precision).__name__}")
    if precision in ("highest", "high", "medium"):  # of others torch warns, and keeps what it has
        _precision["float32_matmul"] = precision


def get_float32_matmul_precision():
    """What `set_float32_matmul_precision` was told."""
    return _precision["float32_matmul"]
