"""How torch's callers call a function: by NumPy's names for `dim` and `keepdim`, and at times with what is no Tensor.

Owns that face of the functions which do not look at every argument themselves. Knows no function in particular.
"""

import inspect

from ..primitive import not_a_tensor

NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim"}


def as_called(function):
    """The function, taking `axis` for `dim`, `keepdims` for `keepdim` and its sizes or dims by name, as torch's do, and
    raising torch's TypeError where a Tensor belongs and something else was given."""
    code, function.__qualname__ = function.__code__, function.__name__
    count = code.co_argcount + code.co_kwonlyargcount
    names = code.co_varnames[:count]
    several = code.co_varnames[count] if code.co_flags & inspect.CO_VARARGS and code.co_argcount else None
    renamed = {numpys: torchs for numpys, torchs in NUMPY_NAMES.items() if torchs in names and numpys not in names}

    def call(*args, **keywords):
        if keywords:
            if several in keywords:  # x.permute(dims=(1, 0))
                args = (*(args or (keywords.pop(names[0]),)), keywords.pop(several))
            for numpys, torchs in renamed.items():
                if numpys in keywords and torchs not in keywords:
                    keywords[torchs] = keywords.pop(numpys)
        try:
            return function(*args, **keywords)
        except AttributeError as error:
            raise not_a_tensor(error, function.__name__, [*zip(names, args), *keywords.items()]) from None

    # functools.wraps by hand, in a third of its time: importing minigrad makes more than two hundred of these.
    call.__name__ = call.__qualname__ = function.__name__
    call.__doc__, call.__module__, call.__wrapped__ = function.__doc__, function.__module__, function
    return call
