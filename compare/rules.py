"""The engine's rules, one short program each, on minigrad and on torch side by side.

Owns the programs, a table in which a reader finds every promise of autograd that is not a formula, and how one is run:
after each statement all variables must agree, as in the random programs. A statement marked `# refused` has to raise
on torch, and no other may. Knows no engine and no op.
"""

from __future__ import annotations

import argparse
import ast
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from .engines import load
from .program_text import Pair, script
from .report import Failure, Options, Progress, Result

REFUSED = "# refused"

X = "x = T.tensor([[1., 2., 3.], [4., 5., 6.]], requires_grad=True)\n"
AB = "a, b = (T.tensor(v, requires_grad=True) for v in ([0.5, -1.5], [2., 0.75]))\n"
SQUARE = """
class F(T.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x
    @staticmethod
    def backward(ctx, g):
        return 2 * ctx.saved_tensors[0] * g"""

SEVERAL = """
class F(T.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2, x * 3
    @staticmethod
    def backward(ctx, g, h):
        return g * 2 + h * 3"""

RULES: dict[str, str] = {
    # -- cotangents meet
    "cotangents add up, in memory that is nobody else's": AB + """
c = a * b
s = c + 0
parts = [s, c * 2, c * 3, c * 4, s + c]
g = T.tensor([1., -2.])
T.autograd.backward(parts, [g] * 5)
g.mul_(0)
""",
    "those of a large tensor add up where nobody else sees it": """
x, y, z = ((T.arange(600.) / 1024).requires_grad_() for _ in range(3))
g, rows = T.ones(600), T.ones(20, 30)
T.autograd.backward([x * 2, x + y], [T.ones(600), g])
T.autograd.backward([y * 2, y.view(20, 30)], [T.ones(600), rows])
(z * 2 + z * 3 + z * z).backward(g)
""",
    "a formula writes over a cotangent that nobody else sees": """
x, y, w = ((T.arange(9000.) / 8192).requires_grad_() for _ in range(3))
g, rows = T.ones(9000), T.ones(90, 100)
c = x * y
T.autograd.backward([-c, c.exp().view(90, 100)], [g, rows])
z = w.neg()
h = z.grad_fn.register_hook(lambda i, o: log.append(("neg", o[0])))
(z * 2).exp().backward(g)
""",
    "a node runs when all its cotangents are there": AB + """
early = a * 2
h = early.register_hook(lambda g: log.append(("early", g)))
late = (early * b).exp().log()
(late * early + early).sum().backward()
""",
    "a root that is given twice counts twice": AB + """
y = a * b
T.autograd.backward([y, y, a], [T.ones(2), T.ones(2), T.ones(2)])
""",
    "broadcasting is undone, by create_graph too": X + """
w = T.tensor([[0.5], [1.5]], requires_grad=True)
k = T.tensor(0.5, requires_grad=True)
y = (x * w * k + w).sum()
fx, fw, fk = T.autograd.grad(y, [x, w, k], create_graph=True)
(fx * fw).sum().backward(retain_graph=True)
(fw.sum() * fk).backward()
""",
    "the cotangent takes the root's dtype": AB + """
(a * b).backward(T.tensor([1., 2.], dtype=T.float64))
""",
    "the cotangent has the root's shape": AB + """
(a * b).backward(T.tensor([[1., 2.]]))  # refused
""",
    "only a scalar root has a cotangent of its own": AB + """
(a * b).backward()  # refused
""",
    "a root has a history": AB + """
(a * b).detach().sum().backward()  # refused
""",
    # -- .grad of leaves
    "backward adds to .grad in place, and counts that write": AB + """
(a * b).sum().backward()
g = a.grad
first = g._version
(a * b).sum().backward()
added = g._version - first
same = g is a.grad
""",
    "under create_graph .grad is added to out of place": AB + """
(a * a * b).sum().backward(create_graph=True)
g = a.grad
(a * b).sum().backward(create_graph=True)
same = g is a.grad
a.grad.sum().backward(inputs=[b])
""",
    "no .grad shares memory with another, nor with the cotangent": AB + """
g = T.tensor([1., 2.])
(a + b).backward(g)
a.grad.mul_(3)
g.mul_(5)
c = T.ones(2, requires_grad=True)
c.backward(g)
g.mul_(2)
d = T.ones(2, requires_grad=True)
d.backward(g, create_graph=True)
g.mul_(3)
""",
    "a gradient that somebody keeps is not taken for .grad": AB + """
kept = []
h = a.register_hook(kept.append)
(a * b).backward(T.ones(2))
k = kept[0]
a.grad.mul_(3)
""",
    "a .grad is laid out as its tensor is": X + """
w = T.arange(6.).reshape(3, 2)
y = x * 1
y.retain_grad()
(y.t() * w).sum().backward()
(x.t() * w).sum().backward()
f, r = x.grad.view(-1), y.grad.view(-1)
x.grad = None
(x.t() * w * x.t()).sum().backward(create_graph=True)
f = x.grad.view(-1)
z = T.ones(3, 2).t().requires_grad_()
(z.t() * w).sum().backward()
strides = z.grad.stride()
""",
    "inputs= adds to these only, and runs only what leads to them": AB + """
used = a * a
used.sum().backward()
free = b * b
a.grad = None
(free + used).sum().backward(inputs=[b], retain_graph=True)
gb, = T.autograd.grad((free + used).sum(), b, retain_graph=True)
c, u = T.ones(2, requires_grad=True), a * a
h, k = (t.register_hook(lambda g: log.append(("not asked for", g))) for t in (u, c))
T.autograd.backward([u * b, used, c], [T.ones(2)] * 3, inputs=[b])
""",
    "inputs= of a result keeps its gradient, and runs its node": AB + """
y = a * b
h = y.grad_fn.register_hook(lambda given, out: log.append(("ran", out[0])))
(y * y).sum().backward(inputs=[y])
y.sum().backward()  # refused
""",
    "grad takes the gradient of a result before its hooks where the pass goes on": AB + """
y = a * b
h = y.register_hook(lambda g: g * 3)
z = (y * y).sum()
gy, ga = T.autograd.grad(z, [y, a], retain_graph=True)
hy, = T.autograd.grad(z, y)
""",
    "inputs= needs inputs that require grad": AB + """
(a * b).sum().backward(inputs=[b.detach()])  # refused
""",
    "inputs= is not empty": AB + """
(a * b).sum().backward(inputs=[])  # refused
""",
    "grad touches no .grad, and refuses what is not used": AB + """
c = T.ones(2, requires_grad=True)
y = (a * b).sum()
ga, gc = T.autograd.grad(y, [a, c], allow_unused=True, retain_graph=True)
ga, gc = T.autograd.grad(y, [a, c], materialize_grads=True, retain_graph=True)
g1, g2 = T.autograd.grad(y, [a, a], retain_graph=True)
T.autograd.grad(y, [a, c])  # refused
""",
    "grad's inputs require grad": AB + """
T.autograd.grad((a * b).sum(), b.detach())  # refused
""",
    # -- what is kept for backward
    "backward frees the graph": AB + """
y = (a * b).sum()
y.backward()
y.backward()  # refused
""",
    "so does one of an op that keeps no tensor": AB + """
y = a[T.tensor([0, 0, 1])].sum()
y.backward()
y.backward()  # refused
""",
    "retain_graph keeps the graph": AB + """
y = (a * b).exp().sum()
y.backward(retain_graph=True)
y.backward()
""",
    "create_graph keeps the graph": AB + """
y = (a * b).exp().sum()
g, = T.autograd.grad(y, a, create_graph=True)
y.backward(create_graph=True)
y.backward()
""",
    "retain_graph=False has the last word under create_graph": AB + """
y = (a * b).exp().sum()
y.backward(create_graph=True, retain_graph=False)
y.backward(create_graph=True)  # refused
""",
    "what was freed cannot be run with create_graph either": AB + """
y = (a * b).sum()
y.backward()
T.autograd.grad(y, a, create_graph=True)  # refused
""",
    "a saved input must be as it was": AB + """
c = a * 1
y = c * b
c.add_(1)
y.sum().backward()  # refused
""",
    "a saved input must be as it was, with create_graph too": AB + """
c = a * 1
y = c * b
c.add_(1)
T.autograd.grad(y.sum(), b, create_graph=True)  # refused
""",
    "a saved output must be as it was": AB + """
y = a.exp()
y.mul_(2)
y.sum().backward()  # refused
""",
    "an input that no needed formula names may change": AB + """
c = a * 1
y = c * b.detach()
c.add_(1)
y.sum().backward()
""",
    "a saved tensor has the history from when it was saved": AB + """
c = a * b
y = c.tanh() + c * c
c = c.detach().requires_grad_()
g, = T.autograd.grad(y.sum(), a, create_graph=True)
(g * g).sum().backward()
""",
    "a graph dies with its last reference": """
import gc, weakref
x = T.ones(2, requires_grad=True)
try:
    gc.disable()
    y = x.exp() * 2
    first = weakref.ref(y)
    y = y.tanh()
    last = weakref.ref(y)
    del y
    alive = first() is not None, last() is not None
finally:
    gc.enable()
""",
    "a saved tensor whose .data has another shape is refused in torch's words": AB + """
c = a * b
b.data = T.ones(3)
c.sum().backward()  # refused
""",
    "a gradient that was expanded comes out in order": X + """
g, = T.autograd.grad(x.sum(0), x, T.tensor([1., 2., 3.]))
k = g.clone()
k.ravel().add_(1)
strides = k.stride()
""",
    "pieces of nothing have gradients without history": """
x = T.zeros(0, requires_grad=True)
y = T.cat([x, x])
g, = T.autograd.grad(y.sin(), x, T.zeros(0), create_graph=True)
wanted = g.requires_grad
""",
    # -- grad mode
    "no_grad and its end": AB + """
with T.no_grad(): c = a * b
d = a * b
with T.no_grad():
    with T.enable_grad(): e = a * b
    f = a * b
""",
    "a block ends with an error as well": AB + """
try:
    with T.no_grad():
        raise KeyError
except KeyError:
    pass
c = a * b
try:
    (a * b).backward()
except RuntimeError:
    pass
on = T.is_grad_enabled()
""",
    "set_grad_enabled holds until the next, or for its block": AB + """
with T.set_grad_enabled(False): c = a * b
d = a * b
with T.no_grad():
    with T.set_grad_enabled(True): c = a * b
    e = a * b
_ = T.set_grad_enabled(False)
f = a * b
_ = T.set_grad_enabled(True)
f = a * b
""",
    "a decorator switches at the call": AB + """
off, on = T.no_grad()(lambda: a * b), T.set_grad_enabled(False)(lambda: a * b)
c = a * b
c = off()
c = on()
c = a * b
""",
    "a decorated generator switches only while it runs": AB + """
@T.no_grad()
def products():
    yield a * b
    yield T.is_grad_enabled()
made = products()
c = next(made)
d = a * b
inside = next(made)
""",
    "backward records nothing without create_graph, and returns to the caller's mode": AB + """
h = a.register_hook(lambda g: log.append(("mode", T.is_grad_enabled())))
y = (a * b).sum()
y.backward(retain_graph=True)
on = T.is_grad_enabled()
with T.no_grad(): y.backward(create_graph=True)
with T.no_grad(): off = T.is_grad_enabled()
""",
    "backward returns to the caller's mode after an error": AB + """
def fails(g): raise KeyError
h = a.register_hook(fails)
try:
    (a * b).sum().backward()
except KeyError:
    pass
on = T.is_grad_enabled()
c = a * b
""",
    "create_graph records the backward": AB + """
g, = T.autograd.grad((a * a * b).sum(), a, create_graph=True)
h, = T.autograd.grad((g * g).sum(), b, create_graph=True)
h.sum().backward()
""",
    "inference mode records nothing, also under enable_grad": AB + """
with T.inference_mode():
    with T.enable_grad(): flag = (a * b).requires_grad
    i = a.detach() * 2
    flags = i.requires_grad, i.is_inference(), T.is_grad_enabled(), T.is_inference_mode_enabled()
    i = None
flags = T.is_grad_enabled(), T.is_inference_mode_enabled()
""",
    "an inference tensor is not saved for backward": AB + """
with T.inference_mode(): keep = [b * 2]
c = a * keep[0]  # refused
""",
    "an inference tensor is written to in inference mode only": """
with T.inference_mode(): keep = [T.ones(2)]
with T.inference_mode(): _ = keep[0].add_(1)
plain = keep[0].tolist()
keep[0].add_(1)  # refused
with T.no_grad(): keep[0].add_(1)  # refused
""",
    # -- detach, .data, requires_grad
    "detach shares memory and version, and cuts the history": AB + """
c = a * 1
d = c.detach()
d.mul_(2)
y = c * b
d.mul_(2)
y.sum().backward()  # refused
""",
    ".data shares memory alone": AB + """
c = a * 1
y = c * b
c.data.mul_(2)
y.sum().backward()
a.data = T.tensor([8., 9.])
""",
    "detach_ makes a leaf": AB + """
c = a * b
c.detach_()
v = (a * b)[0]
v.detach_()  # refused
""",
    "only floating point requires grad": """
x = T.tensor([1, 2])
x.requires_grad_()  # refused
x.requires_grad = True  # refused
T.tensor([1, 2], requires_grad=True)  # refused
""",
    "only a leaf changes its flag": AB + """
c = a * b
c.requires_grad = False  # refused
c.requires_grad_(False)  # refused
c.requires_grad_()
a.requires_grad_(False)
d = a * b
""",
    "an op records only the inputs that require grad": AB + """
c = a * b.detach()
d = a.detach() * b.detach()
edges = [n is None for n, _ in c.grad_fn.next_functions]
""",
    "only a fitting .grad can be set": AB + """
a.grad = T.ones(3)  # refused
a.grad = T.ones(2, dtype=T.float64)  # refused
a.grad = 1.0  # refused
a.grad = a  # refused
a.grad = T.ones(2)
(a * b).sum().backward()
del a.grad
""",
    # -- hooks
    "hooks run in order, each on what the one before returned": AB + """
for k in (2., 3.): a.register_hook(lambda g, k=k: g * k + 1)
y = a * b
for k in (5., 7.): y.register_hook(lambda g, k=k: g * k - 1)
h = y.register_hook(lambda g: log.append(("y", g)))
y.sum().backward()
""",
    "a leaf's hook runs once, on the sum": AB + """
h = a.register_hook(lambda g: log.append(("a", g)) or g * g)
(a * b + a).sum().backward()
""",
    "a leaf's hook runs as soon as its gradient is whole": AB + """
y = a * 2
h, k, l = (t.register_hook(lambda g, name=name: log.append((name, g))) for name, t in zip("yba", (y, b, a)))
p = b.register_post_accumulate_grad_hook(lambda t: log.append(("added", t.grad)))
(y * b * a).sum().backward()
""",
    "a hook that was removed does not run": AB + """
y = a * b
h = y.register_hook(lambda g: g * 2)
k = a.register_hook(lambda g: g * 3)
p = b.register_post_accumulate_grad_hook(lambda t: log.append(("b", t.grad)))
y.sum().backward(retain_graph=True)
h.remove()
k.remove()
p.remove()
y.sum().backward()
""",
    "what a hook returns has the gradient's size": AB + """
h = a.register_hook(lambda g: g.sum())
(a * b).sum().backward()  # refused
""",
    "what a hook returns is a tensor": AB + """
h = a.register_hook(lambda g: 1.0)
(a * b).sum().backward()  # refused
""",
    "a hook is for what requires grad": AB + """
b.detach().register_hook(print)  # refused
b.detach().register_post_accumulate_grad_hook(print)  # refused
(a * b).register_post_accumulate_grad_hook(print)  # refused
b.detach().retain_grad()  # refused
""",
    "hooks see and change the recorded gradient under create_graph": AB + """
h = a.register_hook(lambda g: g * a)
y = a * b
k = y.register_hook(lambda g: g * b)
g, = T.autograd.grad((y * y).sum(), a, create_graph=True)
g.sum().backward()
""",
    "a post-accumulate hook sees .grad with the new gradient in it": AB + """
a.grad = T.ones(2)
h = a.register_post_accumulate_grad_hook(lambda t: log.append(("a", t.grad.clone())))
k = a.register_post_accumulate_grad_hook(lambda t: log.append(("doubled", t.grad.mul_(2))))
l = a.register_post_accumulate_grad_hook(lambda t: log.append(("mode", T.is_grad_enabled())))
m = a.register_hook(lambda g: g + 1)
(a * b).sum().backward()
g = T.autograd.grad((a * b).sum(), a)[0]
(a * a * b).sum().backward(create_graph=True)
""",
    "a post-accumulate hook returns nothing": AB + """
h = a.register_post_accumulate_grad_hook(lambda t: t.grad * 2)
(a * b).sum().backward()  # refused
""",
    "retain_grad keeps the gradient as the hooks leave it, adds, and shares no memory": AB + """
y = a * b
y.retain_grad()
y.retain_grad()
h = y.register_hook(lambda g: g * 3)
g = T.ones(2)
y.backward(g, retain_graph=True)
g.mul_(5)
k = y.register_hook(lambda g: g + 1)
y.backward(g)
kept = y.retains_grad, a.retains_grad
z = a * 2
z.retain_grad()
z.backward(g, retain_graph=True)
g.mul_(5)
z.grad.mul_(0)
y = a * b
y.retain_grad()
y.backward(g, create_graph=True)
with T.no_grad(): _ = y.grad.mul_(0)
""",
    "a node's hooks: before it runs, and after": AB + """
y = a * b
p = y.grad_fn.register_prehook(lambda out: (out[0] * 2,))
h = y.grad_fn.register_hook(lambda given, out: log.append(("out", out[0])) or (given[0] * 3, given[1] * 5))
k = y.register_hook(lambda g: log.append(("g", g)))
y.sum().backward()
""",
    "what a hook returns is of the kind that it was given": """
a = T.tensor([0.5, -1.5], requires_grad=True)
y = (a * 2).sum()
h = a.register_hook(lambda g: g.double())
y.backward(retain_graph=True)  # refused
h.remove()
h = a.register_hook(lambda g: g[:1])
y.backward(retain_graph=True)  # refused
h.remove()
h = y.grad_fn.register_prehook(lambda out: (out[0], out[0]))
y.backward(retain_graph=True)  # refused
h.remove()
h = y.grad_fn.register_prehook(lambda out: [out[0]])
y.backward(retain_graph=True)  # refused
h.remove()
h = y.grad_fn.register_hook(lambda given, out: (T.ones(5),))
y.backward(retain_graph=True)  # refused
h.remove()
h = y.grad_fn.register_hook(lambda given, out: (None,))
y.backward(retain_graph=True)
h.remove()
y.backward()
""",
    "a node with several outputs shows them all to its hooks": SEVERAL + """
a = T.tensor([0.5, -1.5], requires_grad=True)
b, c = F.apply(a)
note = lambda when, all: log.extend((f"{when} {i}", g) for i, g in enumerate(all) if g is not None)
p = b.grad_fn.register_prehook(lambda out: note("before", out))
h = b.grad_fn.register_hook(lambda given, out: note("after", given + out))
b.sum().backward(retain_graph=True)
(b + c * 2).sum().backward(retain_graph=True)
q = c.grad_fn.register_prehook(lambda out: (out[0] * 3, None))
(b + c * 2).sum().backward(retain_graph=True)
r = c.grad_fn.register_prehook(lambda out: (out[0], out[0]))
b.sum().backward()  # refused
""",
    # -- writing in place
    "a leaf that requires grad is not written to": AB + """
a.mul_(2)  # refused
a[0] = 1.0  # refused
a[:1].mul_(2)  # refused
with T.no_grad(): _ = a.mul_(2)
""",
    "an op in place has its own history, and counts one write": AB + """
c = a * 1
was = c._version
c.mul_(b).add_(a)
writes = c._version - was
with T.no_grad(): _ = c.mul_(1)
c.sum().backward()
p = T.ones(2)
p.mul_(a)
p.sum().backward()
""",
    "an op in place saves what it is about to overwrite": AB + """
c = a * 1
c.mul_(b)
c.sum().backward()
c = a * 1
c.mul_(c)
c.sum().backward()  # refused
""",
    "an op in place saves the output that it wrote": AB + """
c = a * 1
c.exp_()
d = c * 1
c.sum().backward(retain_graph=True)
c.add_(1)
d.sum().backward()  # refused
""",
    "a saved output written in place shows later writes": AB + """
c = a * 1
c.tanh_()
c.data.mul_(3)
c.sum().backward()
""",
    "a saved output written in place is watched": AB + """
c = a * 1
c.sigmoid_()
c.mul_(2)
c.sum().backward()  # refused
""",
    "a comparison in place cuts the gradient": AB + """
c = a * b
c.gt_(0.)
c.sum().backward()
""",
    "an op in place keeps its tensor's shape": AB + """
c = T.ones(1)
c.add_(a.detach())  # refused
(a * b).add_(T.ones(2, 2))  # refused
""",
    "an op in place keeps its tensor's dtype": AB + """
c = T.tensor([1, 2])
c.mul_(1.5)  # refused
d = a * 1
w = T.tensor([2., 3.], dtype=T.float64, requires_grad=True)
d.add_(w)
d.sum().backward()
""",
    "a retained gradient is that of the tensor as it now is": AB + """
c = a * 1
c.retain_grad()
c.mul_(b)
(c * c).sum().backward()
d = a * 1
d.retain_grad()
d[0] = 4.0
(d * 3).sum().backward()
""",
    "a hook stays with the value that it was put on": AB + """
c = a * 1
h = c.register_hook(lambda g: log.append(("before", g)))
c.mul_(b)
k = c.register_hook(lambda g: log.append(("after", g)))
c.sum().backward()
""",
    "memory is not written and read at once": """
c = T.arange(6.)
c[1:].add_(c[:-1])  # refused
c[:3].copy_(c[2:5])  # refused
c[::2].add_(c[1::2])
c.mul_(c)
c[:3].add_(c[3:])
d = T.ones(2, 2)
d.add_(d.t())  # refused
""",
    "an indexed write reads no memory that it writes": """
c = T.ones(3)
c.index_add_(0, T.tensor([0, 1, 2]), c)  # refused
c.scatter_(0, T.tensor([0, 1, 2]), c)  # refused
""",
    "a place that several elements share is not written to, but filled": """
c = T.ones(1).expand(3)
c.add_(1)  # refused
c.fill_(3.)
c.zero_()
""",
    # -- views
    "a view and its base are one memory with one version": AB + """
c = a * 1
v = c[:1]
w = v.view(1, 1)
bases = v._base is c, w._base is c, c._base is None
v.mul_(2)
y = v * b[:1]
c.mul_(3)
y.sum().backward()  # refused
""",
    "a write through a view is part of its base's history": AB + """
c = a * 1
v = c[:1]
w = c.view(2, 1)
v.mul_(b[:1])
w.add_(c.detach().view(2, 1))
(c * c).sum().backward()
""",
    "a write to the base is part of its views' history": AB + """
c = a * 1
v, e = c[1:], c.expand(3, 2)
with T.enable_grad():
    c.mul_(b)
    y = v * 1
same = v.grad_fn is v.grad_fn
h = v.register_hook(lambda g: log.append(("v", g)))
y.sum().backward(retain_graph=True)
(v.exp() + 1).sum().backward(retain_graph=True)
(e * T.arange(6.).view(3, 2)).sum().backward()
""",
    "an op in place through a chain of views": X + """
c = x * 1
v = c.t()[1:].t()
v[0].mul_(3)
v.mul_(2)
with T.no_grad(): seen = c.tolist()
(c * c).sum().backward()
""",
    "a write through a view of a transposed base lands where it belongs": X + """
d = x.t().clone()
strides = d.stride()
v = d[1:, :1]
v.mul_(x[:1, 1:].t())
(d * x.detach().t()).sum().backward()
""",
    "what had to be copied is no view": X + """
c = x * 1
v = c.t().reshape(-1)
is_view = v._base is not None
v.mul_(2)
(c + v.sum()).sum().backward()
""",
    "a view of a leaf is not written to": AB + """
v = a.view(2, 1)
v.mul_(2)  # refused
with T.no_grad(): _ = v.mul_(2)
""",
    "a view that was made in no_grad is not written to with gradients": AB + """
c = a * 1
with T.no_grad(): v = c[:1]
v.mul_(2)  # refused
with T.no_grad(): _ = v.mul_(2)
""",
    "a view made in no_grad, of memory that needs no gradient, is written to all the same": AB + """
c = T.ones(2)
with T.no_grad(): v = c[:1]
v.mul_(2)
v.mul_(a[:1])  # refused
""",
    "a view that was made in no_grad is void once its base has another history": AB + """
c = a * 1
with T.no_grad(): keep = [c[:1]]
c.mul_(b)
keep[0].grad_fn  # refused
""",
    "an output of unbind is not written to": X + """
c = x * 1
u, v = c.unbind(0)
u.mul_(2)  # refused
u[:1].mul_(2)  # refused
with T.no_grad(): _ = v.mul_(2)
""",
    "an output of unbind is void once its base has another history": X + """
c = x * 1
keep = list(c.split(1))
c.mul_(2)
keep[1].grad_fn  # refused
""",
    "a tensor that takes in what requires grad requires it, and so do its views": AB + """
c = T.zeros(2)
v = c[:1]
c.add_(a)
v.sum().backward()
p = T.zeros(3)
w = p[1:]
w.mul_(b)
(p * T.arange(3.)).sum().backward()
""",
    "a view that only borrows its flag gets no .grad": """
x = T.ones(3)
v = x[:2]
x.requires_grad_()
flags = v.requires_grad, v.is_leaf
(v * 2).sum().backward()
""",
    # -- Functions of the user's own
    "a Function: forward records nothing, backward follows create_graph": AB + """
class F(T.autograd.Function):
    @staticmethod
    def forward(ctx, x, k):
        log.append(("forward", T.is_grad_enabled()))
        ctx.save_for_backward(x)
        ctx.k = k
        return x * x * k
    @staticmethod
    def backward(ctx, g):
        log.append(("backward", T.is_grad_enabled()))
        x, = ctx.saved_tensors
        return 2 * ctx.k * x * g, None
y = F.apply(a, 3.0)
y.sum().backward()
g, = T.autograd.grad(F.apply(a * b, 2.0).sum(), a, create_graph=True)
g.sum().backward()
""",
    "a Function says which gradients are wanted": AB + """
class F(T.autograd.Function):
    @staticmethod
    def forward(ctx, x, y, k):
        ctx.save_for_backward(x, y)
        return x * y
    @staticmethod
    def backward(ctx, g):
        x, y = ctx.saved_tensors
        log.append(("wanted", ctx.needs_input_grad))
        return g * y, g * x, None
c = F.apply(a, b.detach(), 1)
c.sum().backward()
with T.no_grad(): d = F.apply(a, b, 1)
""",
    "a Function's saved tensors are freed": AB + SQUARE + """
y = F.apply(a).sum()
y.backward()
y.backward()  # refused
""",
    "a Function's saved tensors must be as they were": AB + SQUARE + """
c = a * 1
y = F.apply(c).sum()
c.mul_(2)
y.backward()  # refused
""",
    "a Function's saved output has its history": AB + """
class F(T.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y
    @staticmethod
    def backward(ctx, g):
        return ctx.saved_tensors[0] * g
g, = T.autograd.grad(F.apply(a).sum(), a, create_graph=True)
g.sum().backward()
""",
    "an output of a Function that got no cotangent: zeros, unless None was asked for": AB + """
def two(materialize):
    class F(T.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(materialize)
            return x * 2, x * 3
        @staticmethod
        def backward(ctx, g, h):
            log.append(("given", (g is None, h is None)))
            return (0 if g is None else g * 2) + (0 if h is None else h * 3)
    return F
c, d = two(True).apply(a)
d.sum().backward()
c, d = two(False).apply(b)
d.sum().backward()
c, d = two(False).apply(b)
(c * d).sum().backward()
""",
    "a Function's saved output that is gone is one output still": AB + """
class F(T.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = x * x
        ctx.save_for_backward(y)
        return y, x * 3
    @staticmethod
    def backward(ctx, g, h):
        y, = ctx.saved_tensors
        return g * 2 + h * y
d = F.apply(a)[1]
g, = T.autograd.grad(d.sum(), a, create_graph=True)
k, = T.autograd.grad((d * 2).sum(), a, create_graph=True)
(g * k).sum().backward()
""",
    "mark_non_differentiable": AB + """
class F(T.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y, z = x * 2, x * 3
        ctx.mark_non_differentiable(z)
        return y, z
    @staticmethod
    def backward(ctx, g, h):
        return g * 2 + h
c, d = F.apply(a)
(c * d).sum().backward()
""",
    "mark_dirty: the input is the output, and the write counts": AB + """
class F(T.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        x.data.mul_(2)
        ctx.mark_dirty(x)
        return x
    @staticmethod
    def backward(ctx, g):
        return g * 2
c = a * 1
y = c * b
d = F.apply(c)
same = d is c
d.sum().backward(retain_graph=True)
e = a * 1
v = e[:1]
_ = F.apply(v)
(e * e).sum().backward()
y.sum().backward()  # refused
""",
    "mark_dirty refuses a leaf": AB + """
class F(T.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x
    @staticmethod
    def backward(ctx, g):
        return g
F.apply(a)  # refused
""",
    "a Function that returns its input returns a view of it, which is not written to": AB + """
class F(T.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x
    @staticmethod
    def backward(ctx, g):
        return g * 7
c = a * 1
d = F.apply(c)
same = d is c
(c + d).sum().backward(retain_graph=True)
d.mul_(2)  # refused
with T.no_grad(): e = F.apply(c)
""",
    "a Function's gradient takes the input's dtype and shape": X + """
class F(T.autograd.Function):
    @staticmethod
    def forward(ctx, x, k):
        return x * k
    @staticmethod
    def backward(ctx, g):
        return g.double(), g
k = T.tensor([[2.], [3.]], requires_grad=True)
F.apply(x, k).sum().backward()
""",
    "a Function's gradient of another shape is refused": X + """
class F(T.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2
    @staticmethod
    def backward(ctx, g):
        return g[0]
F.apply(x).sum().backward()  # refused
""",
    "a Function's backward returns one gradient for each argument": AB + """
class F(T.autograd.Function):
    @staticmethod
    def forward(ctx, x, k):
        return x * k
    @staticmethod
    def backward(ctx, g):
        return g
F.apply(a, 2.0).sum().backward()  # refused
""",
    "a Function has no gradient for what is no tensor": AB + """
class F(T.autograd.Function):
    @staticmethod
    def forward(ctx, x, k):
        return x * k
    @staticmethod
    def backward(ctx, g):
        return g * 2, g
F.apply(a, 2.0).sum().backward()  # refused
""",
    "a Function may have no gradient": AB + """
class F(T.autograd.Function):
    @staticmethod
    def forward(ctx, x, y):
        return x * y
    @staticmethod
    def backward(ctx, g):
        return None, g * 3
(F.apply(a, b) + a * 0).sum().backward()
""",
    "a pass goes on where a Function gave no gradient": AB + """
class F(T.autograd.Function):
    @staticmethod
    def forward(ctx, x, y):
        return x * y
    @staticmethod
    def backward(ctx, g):
        return None, g * 3
y = a * b
h = y.register_hook(lambda g: log.append(("y", g is None)))
F.apply(y, b).sum().backward()
y.sum().backward()  # refused
""",
    "once_differentiable": AB + """
class F(T.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x
    @staticmethod
    @T.autograd.function.once_differentiable
    def backward(ctx, g):
        log.append(("mode", T.is_grad_enabled()))
        return 2 * ctx.saved_tensors[0] * g
F.apply(a).sum().backward()
g, = T.autograd.grad((F.apply(a) * b).sum(), a, create_graph=True)
g.sum().backward()  # refused
""",
    # -- anomaly mode
    "anomaly mode names the op that gave nan": AB + """
with T.autograd.set_detect_anomaly(True): (a * 0).sqrt().mul(0).sum().backward()  # refused
(b * 0).sqrt().mul(0).sum().backward()
""",
}


def statements(program: str) -> Iterator[tuple[str, bool]]:
    """(text, whether torch refuses it) of each statement of a program."""
    lines = program.splitlines()
    for node in ast.parse(program).body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
        text = "\n".join(lines[first - 1 : node.end_lineno])
        yield text.removesuffix(REFUSED).rstrip(), text.endswith(REFUSED)


def check_rule(name: str, options: Options) -> Result:
    """The program of one rule, up to the first difference."""
    return run_rule(name, load("torch"), load("minigrad"))


def run_rule(name: str, reference: Any, subject: Any) -> Result:
    """As check_rule, on engines at hand."""
    pair, texts = Pair(reference, subject), []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for text, refused in statements(RULES[name]):
            texts.append(text)
            difference = pair.step(text)
            if difference is not None:
                allowed = pair.tolerance.ulps * pair.tolerance.eps * pair.tolerance.scale
                shown = script(texts, difference, f"torch and minigrad part: {name}", allowed)
                return Result("rules", name, pair.checks, None, [Failure(text, str(difference), shown)])
            if refused is not (pair.error is not None):
                said = f"torch {'accepts it' if refused else f'raises {pair.error!r}'}: the rule is wrong"
                return Result("rules", name, pair.checks, None, [Failure(text, said)])
    # Differences are seen in proportion to the largest number met.
    return Result("rules", name, pair.checks, pair.tolerance.worst, [], details={"scale": pair.tolerance.scale})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """This group has no options of its own."""


def run(options: Options, progress: Progress) -> Iterable[Result]:
    """Every rule that `--only` selects; half a second in all."""
    names = [name for name in RULES if options.selects(name)]
    progress.start("rules", len(names))
    for name in names:
        result = check_rule(name, options)
        progress.step(name, failed=not result.passed)
        yield result
    progress.finish()
