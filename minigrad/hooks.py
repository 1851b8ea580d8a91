"""Handles by which a registered hook is taken away again. Knows nothing of what the hook is for."""

import itertools
import weakref

_ids = itertools.count()


class RemovableHandle:
    """Takes one hook out of the dict it was put in: by `remove()`, or at the end of a `with` block.

    `extra_dict`: further dicts (or a list of them) that hold notes about the hook under the same id.
    """

    def __init__(self, hooks_dict, *, extra_dict=None):
        self.id = next(_ids)
        self._hooks = weakref.ref(hooks_dict) if hasattr(hooks_dict, "__weakref__") else (lambda: hooks_dict)
        extra = extra_dict if isinstance(extra_dict, list) else [] if extra_dict is None else [extra_dict]
        self._extra = extra

    @property
    def hooks_dict_ref(self):
        """A callable that gives the dict, or None once it is gone."""
        return self._hooks

    def remove(self):
        """Take the hook away; a second call does nothing."""
        for hooks in (self._hooks(), *self._extra):
            if hooks is not None:
                hooks.pop(self.id, None)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.remove()


def add_hook(hooks, hook):
    """Put `hook` into the dict `hooks` and return the handle that takes it out again."""
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return handle
