"""Where ops were called: while somebody wants to know, every recorded node keeps the stack of its call.

Owns the switch, for anomaly mode and `Steps`, and which files are minigrad's own. Off, it costs nothing: the functions
that record are the plain ones.
"""

import os

from .. import primitive
from ..primitive import Plans

_wanted = []  # one entry for each that has asked


def start():
    """Have nodes keep a `trace`, until `stop` was called as often."""
    _wanted.append(True)
    if len(_wanted) == 1:
        _instrument(staticmethod(_with_trace))


def stop():
    """Take back one `start`."""
    _wanted.pop()
    if not _wanted:
        _instrument(None)


def _instrument(wrapper):
    Plans.instrument = wrapper
    for plans in Plans.every:
        plans.renew()


def _with_trace(record):
    def recording(out, *args):
        record(out, *args)
        out._node.attach().trace = stack()

    return recording


def stack():
    """The lines of the stack down to the call of the op, without the frames that record it."""
    import traceback  # here: it is slow to import, and traces are rare

    frames = traceback.extract_stack()
    while frames[-1].filename.startswith("<minigrad") or frames[-1].filename in _RECORDING:
        frames.pop()
    return frames.format()


_RECORDING = (__file__, primitive.__file__, os.path.join(os.path.dirname(__file__), "function.py"))
_OWN = (os.path.dirname(primitive.__file__) + os.sep, "<minigrad")


def is_own(filename):
    """True for minigrad's files and the code that it writes: lines that are not the user's."""
    return filename.startswith(_OWN)
