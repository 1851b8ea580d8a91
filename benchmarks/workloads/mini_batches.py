"""One epoch through a DataLoader: six points in batches of two, and a hundred in batches of sixteen.

torch and minigrad shuffle with their own loaders, from the same seed; the others shuffle and slice by hand. To compare
results the others are handed torch's order (two draws for the loader, one seeding a generator whose numbers permute).
"""

from types import SimpleNamespace

import numpy as np

from ..functional import Functional, sgd
from ..torch_style import on, to_numpy, torch_style
from ..workload import Program, Target, Workload

LR, SEED = 0.01, 7


def torch_orders(n, subset_sampler):
    """Endless permutations of n as torch's loaders draw them after manual_seed(SEED)."""
    raw = np.random.MT19937()
    raw._legacy_seeding(SEED)

    def draw64(source):
        first, second = source.random_raw(2).tolist()
        return first << 32 | second

    def permutation(source):
        order = list(range(n))
        for i in range(n - 1):
            j = i + source.random_raw() % (n - i)
            order[i], order[j] = order[j], order[i]
        return np.array(order)

    while True:
        draw64(raw)  # the loader's base seed
        if subset_sampler:
            yield permutation(raw)
        else:
            source = np.random.MT19937()
            source._legacy_seeding(draw64(raw) & 0xFFFFFFFF)
            yield permutation(source)


def points(n, subset_sampler, check):
    rng = np.random.default_rng(0)
    if n == 6:
        x = np.array([0.11, 0.20, 0.49, 0.65, 0.67, 0.83], np.float32)
        y = np.array([1.24, 1.40, 2.00, 2.27, 2.41, 2.52], np.float32)
    else:
        x = rng.standard_normal((n, 1)).astype(np.float32)
        y = (3 * x + 1.5 + 0.1 * rng.standard_normal((n, 1))).astype(np.float32)
    shape = (1,) if n == 6 else (1, 1)
    orders = torch_orders(n, subset_sampler)
    return SimpleNamespace(
        x=x, y=y, w=np.full(shape, 0.3, np.float32), b=np.array([-0.2], np.float32),
        order=(lambda: next(orders)) if check else (lambda: rng.permutation(n)),
    )  # fmt: skip


def data_6(check):
    return points(6, True, check)


def data_100(check):
    return points(100, False, check)


six = Workload(
    "mini_batches_6", "DataLoader epoch, 6 points in batches of 2", data_6,
    ops=3 * 5, flops=6 * 10, bytes=48, target=Target(torch=2.0),
)  # fmt: skip
hundred = Workload(
    "mini_batches_100", "DataLoader epoch, 100 points in batches of 16", data_100,
    ops=7 * 2, flops=100 * 10, bytes=800, target=Target(torch=2.0),
)  # fmt: skip


def batches_on(loader, device):
    """The loader itself on the CPU, where nothing has to move."""
    return loader if device == "cpu" else ((x.to(device), y.to(device)) for x, y in loader)


@torch_style(six, cuda_graph=False)
def six_points(T, data, device):
    class Points(T.utils.data.Dataset):
        def __init__(self, data_points):
            self.data_points = data_points

        def __getitem__(self, index):
            x = T.tensor(self.data_points[index][0], dtype=T.float)
            y = T.tensor(self.data_points[index][1], dtype=T.float)
            return x, y

        def __len__(self):
            return len(self.data_points)

    class Line(T.nn.Module):
        def __init__(self):
            super().__init__()
            self.a = T.nn.Parameter(T.from_numpy(data.w))
            self.b = T.nn.Parameter(T.from_numpy(data.b))

        def forward(self, x):
            return self.a * x + self.b

    dataset = Points(np.stack([data.x, data.y], axis=1))
    sampler = T.utils.data.SubsetRandomSampler(list(range(6)))
    loader = T.utils.data.DataLoader(dataset=dataset, batch_size=2, sampler=sampler)
    model = Line().to(device)
    optimizer = T.optim.SGD(model.parameters(), LR)
    T.manual_seed(SEED)

    def step():
        for x, y in batches_on(loader, device):
            error = y - model(x)
            mse = (error**2).mean()
            mse.backward()
            optimizer.step()
            optimizer.zero_grad()

    return Program(step, lambda: to_numpy(model.parameters()))


@torch_style(hundred, cuda_graph=False)
def hundred_points(T, data, device):
    dataset = T.utils.data.TensorDataset(T.from_numpy(data.x), T.from_numpy(data.y))
    loader = T.utils.data.DataLoader(dataset=dataset, batch_size=16, shuffle=True)
    model = T.nn.Linear(in_features=1, out_features=1).to(device)
    with T.no_grad():
        model.weight.copy_(on(T, data.w, device))
        model.bias.copy_(on(T, data.b, device))
    criterion = T.nn.MSELoss()
    optimizer = T.optim.SGD(params=model.parameters(), lr=LR)
    T.manual_seed(SEED)

    def step():
        for x, y in batches_on(loader, device):
            loss = criterion(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return Program(step, lambda: to_numpy(model.parameters()))


def batches(data, batch_size):
    order = data.order()
    for start in range(0, len(order), batch_size):
        indices = order[start : start + batch_size]
        yield data.x[indices], data.y[indices]


def by_hand(batch_size):
    def maker(data, library):
        a, b = data.w, data.b

        def step():
            nonlocal a, b
            for x, y in batches(data, batch_size):
                g = (a * x + b - y) * np.float32(2 / len(x))
                a = a - LR * (g * x).sum().reshape(a.shape)
                b = b - LR * g.sum().reshape(b.shape)

        return Program(step, lambda: [a, b])

    return maker


def with_buffers(batch_size):
    def maker(data, library):
        a, b = data.w, data.b
        x_flat, y_flat = data.x.reshape(-1), data.y.reshape(-1)
        n = len(x_flat)
        a_flat, xs, ys = a.reshape(-1), np.empty_like(x_flat), np.empty_like(y_flat)
        error, change_a, change_b = np.empty_like(xs), np.empty(1, np.float32), np.empty(1, np.float32)
        slices = [
            (xs[i : i + batch_size], ys[i : i + batch_size], error[i : i + batch_size]) for i in range(0, n, batch_size)
        ]
        multiply, add, subtract, dot, total = np.multiply, np.add, np.subtract, np.dot, np.add.reduce

        def step():
            order = data.order()
            x_flat.take(order, out=xs, mode="clip")
            y_flat.take(order, out=ys, mode="clip")
            for x, y, e in slices:
                scale = 2 * LR / len(x)
                multiply(x, a_flat, out=e)
                add(e, b, out=e)
                subtract(e, y, out=e)
                multiply(dot(e, x), scale, out=change_a)
                multiply(total(e), scale, out=change_b)
                subtract(a_flat, change_a, out=a_flat)
                subtract(b, change_b, out=b)

        return Program(step, lambda: [a, b])

    return maker


def loss(xp, params, batch):
    (a, b), (x, y) = params, batch
    error = y - (a * x + b)
    return xp.mean(error * error)


def feed(batch_size):
    def make(data, convert):
        def epoch():
            for x, y in batches(data, batch_size):
                yield convert(x), convert(y)

        return epoch

    return make


for workload, batch_size in ((six, 2), (hundred, 16)):
    workload.program("numpy")(by_hand(batch_size))
    workload.program("numpy-out")(with_buffers(batch_size))
Functional(loss, lambda data: (data.w, data.b), feed(2), sgd(LR)).register(six)
Functional(loss, lambda data: (data.w, data.b), feed(16), sgd(LR)).register(
    hundred, without={"tinygrad-jit": "TinyJit takes one shape only, and the last batch is smaller"}
)
