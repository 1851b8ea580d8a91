"""The backward pass.

Owns the one loop that carries cotangents from roots to leaves, where they are added up, and who owns their memory.
Formulas return cotangents; only this file accumulates. Knows nodes and leaf Tensors, no op and no formula.

The order is by creation number, newest first, from a heap: a node is made after everything it uses, so when it comes up
every cotangent it will ever receive has arrived. No recursion, so depth costs nothing but memory.
"""

import contextvars
import heapq
import math

import numpy as np

from ..grad_mode import state
from ..graph import Node, Undefined
from ..namespace import MANY
from ..ownership import ALONE_IN_CALL, ALONE_IN_LOOP, is_only_view, references
from ..tensor import Tensor, bare
from . import hook_calls


def backpropagate(roots, cotangents, retain_graph, create_graph, inputs=None, accumulate=True):
    """Run backward from `roots`, given the cotangent Tensor of each.

    Without `inputs`, adds to `.grad` of every leaf that is reached. With them, to `.grad` of these only, or, when
    `accumulate` is False, returns their gradients (None where the roots do not depend on one).
    """
    if inputs is not None and accumulate:
        for t in inputs:
            t.retain_grad()
    wanted = None if inputs is None else {edge_of(t): None for t in inputs}
    path = None if wanted is None else nodes_towards(wanted, [edge_of(r) for r in roots])
    if accumulate and wanted is not None:
        for node in [node for node in wanted if node._sequence]:  # torch runs the node of a non-leaf input, too
            path.update((node, node.absorbed or node))
    enabled, state.enabled = state.enabled, create_graph  # set_grad_enabled, without its 0.4 us
    try:
        if create_graph:
            found = _carry(roots, cotangents, retain_graph, create_graph, wanted, path, accumulate, _call)
        else:  # array code throughout: NumPy's warnings are off, except while the user's own hooks and Functions run
            user = contextvars.copy_context().run
            carry = state.quiet.copy().run
            found = carry(_carry, roots, cotangents, retain_graph, create_graph, wanted, path, accumulate, user)
        if wanted is None or accumulate:
            _accumulate(found, create_graph)
            return None
    finally:
        state.enabled = enabled
    once = {}
    for edge in [edge for edge in found if edge in wanted]:
        g = found.pop(edge)
        once[edge] = None if g.__class__ is Undefined else g if isinstance(g, Tensor) else bare(_own(g, "K"))
    return [None if t._borrows_grad else once.get(edge_of(t)) for t in inputs]


def _call(function, *args):
    return function(*args)


def edge_of(tensor):
    """Where a cotangent of `tensor` goes: the node that made it, or the leaf itself."""
    if tensor._base is not None:
        tensor._refresh()
    return tensor if tensor._node is None else tensor._node


def _carry(roots, cotangents, retain_graph, create_graph, wanted, path, accumulate, user):
    """The loop. Returns what arrived at each leaf, and at each wanted node."""
    arriving = {}  # target -> the sum of the cotangents so far
    waiting = []  # heap of (creation number negated, node)
    captured = {}
    hooked = False  # True once a leaf with hooks was met
    undefined = None  # the cotangent of whatever only None came to
    pop, push, push_and_pop = heapq.heappop, heapq.heappush, heapq.heappushpop
    get, take, alone = arriving.get, arriving.pop, ALONE_IN_LOOP
    ndarray, numbers = np.ndarray, NUMBERS

    for root, g in zip(roots, cotangents):
        target = edge_of(root)
        g = g if create_graph else g._array
        if target in arriving:
            arriving[target] = arriving[target] + g
        else:
            arriving[target] = g
            if target._sequence:
                push(waiting, (-target._sequence, target))
            elif target._hooks or target._post_accumulate_hooks:
                hooked = True
    if hooked:
        _queue_turns([], waiting, arriving, wanted, path, create_graph, accumulate)

    node = pop(waiting)[1] if waiting else None
    while node is not None:
        g = take(node)
        attached = node.attached
        if wanted is not None and node in path and node in wanted:
            captured[node] = g  # torch takes it before the hooks if the pass goes on from here, after them if it ends
        if attached is not None:
            g = user(_run_hooks, node, g, create_graph)
            if g is None:
                g = undefined = undefined or Undefined(cotangents[0]._array)
        if attached is not None or observers:
            seen = g  # a second reference: no formula writes over what others look at afterwards
        if wanted is not None and node in wanted:
            captured.setdefault(node, g)
        if wanted is not None and node not in path:
            sent = ()
        else:
            if undefined is not None and g is undefined:
                sent = user(node.undefined_vjp, g, create_graph)
            elif create_graph:
                sent = node.recorded_vjp(g)
            elif (vjp := node.vjp) is not None:
                try:
                    sent = vjp(node, g)
                except ValueError as error:  # NumPy's: the .data of a saved tensor has another shape by now
                    raise node.explained(error, g) from None
            else:
                sent = user(node.user_vjp, g)
            if attached is not None and attached.posthooks:
                sent = user(hook_calls.run_posthooks, node, sent, seen, create_graph)
            if observers:
                going_on = [(t, r if path is None or t in path or t in wanted else None) for t, r in sent]
                for observe in observers:
                    observe(node, g, going_on)
            if not retain_graph and node.saved:
                node.saved = None
        # The node met last is kept aside, so that a chain, which most graphs are, never touches the heap.
        following = None
        for target, g in sent:
            if path is not None and target not in path and target not in wanted:
                continue
            if g is None:
                if target in arriving:
                    continue
                if undefined is None:
                    undefined = Undefined(cotangents[0]._array)
                g = undefined
            held = get(target)
            if held is None:
                arriving[target] = g
                if target._sequence:  # first met: every later arrival finds it queued
                    if following is not None:
                        push(waiting, (-following._sequence, following))
                    following = target
                elif not hooked and (target._hooks or target._post_accumulate_hooks):
                    hooked = True
                    met = [node] if following is None else [node, following]
                    _queue_turns(met, waiting, arriving, wanted, path, create_graph, accumulate)
            elif held.__class__ is ndarray and held.size > MANY and references(held) <= alone and held.base is None:
                held += g  # nobody else can see this memory
            elif held.__class__ in numbers:  # two of them NumPy adds four times as fast as one and a 0-d array
                arriving[target] = held + g[()]
            else:
                arriving[target] = held + g
        sent = held = None  # which hold what a formula may write over
        if not waiting:
            node = following
        elif following is None:
            node = pop(waiting)[1]
        else:
            node = push_and_pop(waiting, (-following._sequence, following))[1]

    if wanted is not None:
        arriving = {leaf: g for leaf, g in arriving.items() if leaf in wanted}
    if captured:
        arriving.update(captured)
    return arriving


NUMBERS = {np.float16, np.float32, np.float64}  # what NumPy makes of 0-d arrays


class Turn(Node):
    """In the queue, the moment at which a leaf has all of its cotangents: its hooks are called then, as in torch."""

    __slots__ = ("leaf", "arriving", "create_graph", "accumulate")
    vjp = None
    edges = saved = ()
    attached = None

    def __init__(self, leaf, arriving, create_graph, accumulate):
        self.leaf, self.arriving, self.create_graph, self.accumulate = leaf, arriving, create_graph, accumulate

    def recorded_vjp(self, g):
        leaf, arriving = self.leaf, self.arriving
        if leaf in arriving:
            if leaf._hooks:
                arriving[leaf] = hook_calls.run_tensor_hooks(leaf._hooks, arriving[leaf], self.create_graph)
            if leaf._post_accumulate_hooks and self.accumulate:
                _accumulate({leaf: arriving.pop(leaf)}, self.create_graph)
        return ()

    user_vjp = recorded_vjp


def _queue_turns(nodes, waiting, arriving, wanted, path, create_graph, accumulate):
    """Queue a Turn for each leaf with hooks that may be met, behind the last node with an edge to it."""
    places = {leaf: -(1 << 62) + i for i, leaf in enumerate(arriving) if not leaf._sequence}  # before every node
    stack, seen = nodes + [entry[1] for entry in waiting], set()
    while stack:
        node = stack.pop()
        if node in seen or (path is not None and node not in path):
            continue
        seen.add(node)
        for i, target in enumerate(node.edges, 1):
            if target._sequence:
                stack.append(target)
            else:
                places[target] = max(places.get(target, -math.inf), -node._sequence + i / (len(node.edges) + 1))
    for leaf, place in places.items():
        if (leaf._hooks or leaf._post_accumulate_hooks) and not leaf._borrows_grad and (not wanted or leaf in wanted):
            turn = Turn(leaf, arriving, create_graph, accumulate)
            arriving[turn] = None
            heapq.heappush(waiting, (place, turn))
            if path is not None:
                path.add(turn)


observers = ()  # called with each node, its cotangent and what it sent along its edges: anomaly mode, `Steps`


def nodes_towards(wanted, roots):
    """The nodes from which some wanted target can be reached: the only ones that must run."""
    path, stack, seen = set(), [r for r in roots if isinstance(r, Node)], set()
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        stack.extend(e for e in node.edges if isinstance(e, Node))
    calls = {id(node.call) for node in wanted if node._sequence and node.call is not None}
    wanted.update((node, None) for node in seen if id(node.call) in calls)
    for node in sorted(seen, key=lambda n: n._sequence):  # inputs before what uses them
        if any(e in path or e in wanted for e in node.edges if e is not None):
            path.add(node)
    return path


def _copied(g, order):
    if not isinstance(g, (np.ndarray, np.generic)):
        return g.copy()
    return np.array(g, order="C" if order == "K" and 0 in g.strides else order)  # an expanded array comes out in order


def _layout(tensor):
    """How a `.grad` of the tensor lies in memory, as NumPy's `order`: as the tensor, which can be viewed alike."""
    array = tensor._array
    return "F" if array.__class__ is np.ndarray and array.flags.fnc else "C"


def _own(array, order):
    """The array itself if nobody else can see its memory, as torch steals a gradient; else a copy."""
    if array.__class__ is np.ndarray:
        if references(array) <= ALONE_IN_CALL:
            flags = array.flags
            if flags.writeable and (flags.f_contiguous if order == "F" else flags.c_contiguous):
                if flags.owndata or is_only_view(array):
                    return array
    elif isinstance(array, np.generic):  # what NumPy gives for a single number
        return np.asarray(array)
    return _copied(array, order)


def _accumulate(found, create_graph):
    """Add what arrived at each leaf to its `.grad`."""
    for leaf in list(found):
        g = found.pop(leaf)  # taken out, so that `_own` can see that nobody else holds it
        if leaf._sequence == 0 and not leaf._borrows_grad:
            if leaf._requires_grad and g.__class__ is not Undefined:
                if leaf._grad is None and not create_graph:
                    leaf._grad = bare(_own(g, "C" if leaf._array.flags.c_contiguous else _layout(leaf)))
                else:
                    _add_to_grad(leaf, g, create_graph)
            if leaf._post_accumulate_hooks:
                hook_calls.run_post_accumulate_hooks(leaf)


def _add_to_grad(leaf, g, create_graph):
    held = leaf._grad
    if create_graph:
        g = g if isinstance(g, Tensor) else bare(_copied(g, "K"))
        leaf._grad = _recorded_copy(g, leaf) if held is None else held + g
    else:
        try:
            state.run(np.add, held._array, g, held._array)
        except ValueError:
            held.add_(bare(g))  # which says in torch's words that the shapes do not fit
        held._counter[0] += 1


def _recorded_copy(g, tensor):
    """Under create_graph, a gradient of the tensor that is not the cotangent itself, which others may hold."""
    g = g.clone()
    return g.contiguous() if _layout(tensor) == "C" else g


def _run_hooks(node, g, create_graph):
    """What is attached to a node takes its cotangent; what comes back goes on, None for nothing."""
    attached = node.attached
    if attached.hooks:
        g = hook_calls.run_tensor_hooks(attached.hooks, g, create_graph)
    if attached.prehooks:
        g = hook_calls.run_prehooks(node, g, create_graph)
    if attached.retained is not None and g is not None and g.__class__ is not Undefined:
        tensor = attached.retained()
        if tensor is not None:
            held = tensor._grad
            grad = _recorded_copy(g, tensor) if create_graph else bare(_copied(g, _layout(tensor)))
            tensor._grad = grad if held is None else held + grad
    return g
