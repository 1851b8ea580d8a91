"""Random numbers: torch's own CPU streams, drawn from NumPy's Mersenne Twister.

Owns `Generator`, the default generator, and every sampler: on arrays (methods of `Generator`) and on tensors (functions
spelled as torch spells them; the in-place ones are methods of Tensor as well). Knows no op by name.
The same seed gives torch's numbers to the last bit, draw after draw, and either restores a state that the other saved.
(Float32 normals of 16 elements and more follow torch on x86 with AVX2; elsewhere torch's own last digits differ.)
"""

import contextlib
import math
import operator
import os
import warnings

import numpy as np

from . import dtypes
from .dtypes import CPU, check_device, find_device
from .inplace import check_writable, snapshot, write
from .primitive import Primitive, broadcast_error
from .tensor import Tensor, made, wrap

_DEFAULT_SEED = 67280421310721  # what a new torch.Generator() is seeded with
_BLOCK = 1 << 14  # large draws are made in blocks that stay in the cache: 2 times faster for a million
_STATE_BYTES = 5056  # torch's CPUGeneratorImplState, read here as 632 words of 64 bits
_KEY = slice(3, 627)
_LOW24, _LOW53 = np.uint64((1 << 24) - 1), np.uint64((1 << 53) - 1)
_32 = np.uint64(32)
_INT64_MIN, _INT64_MAX = -(1 << 63), (1 << 63) - 1
_C_NAMES = {
    "float16": "c10::Half",
    "float32": "float",
    "float64": "double",
    "int8": "signed char",
    "int16": "short int",
    "int32": "int",
    "int64": "long int",
    "uint8": "unsigned char",
    "bool": "bool",
}
_DIGITS = {2: 11, 4: 24, 8: 53}  # bits of the significand of a float of so many bytes
_F16, _F32, _F64 = np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64)


class Generator:
    """A stream of random numbers: torch's CPU generator, an MT19937 with one normal kept for the next call.

    The samplers below it return arrays; each names the distribution, the 32-bit words it draws per element (in torch's
    order), and what it raises. `size` is an int or a tuple.

    >>> Generator().manual_seed(0).uniform(3)
    array([0.4962566 , 0.7682218 , 0.08847743], dtype=float32)
    """

    __slots__ = ("device", "_seed", "_normal", "_legacy", "_engine", "__weakref__")

    def __init__(self, device="cpu"):
        check_device(device)
        self.device = CPU
        self._seed = _DEFAULT_SEED
        self._normal = None  # the second half of the last Box-Muller pair
        self._engine = self._legacy = None  # made at the first draw: importing numpy.random takes 10 ms

    # -- seed and state -------------------------------------------------------------------------------------------

    def manual_seed(self, seed):
        """Restart the stream at `seed`, an int in [-2**63, 2**64); a negative one counts from 2**64. Returns self.

        Only the low 32 bits choose the stream, as in torch. Raises RuntimeError for another type, ValueError for an int
        out of range.
        """
        if type(seed) is not int:
            raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
        if not _INT64_MIN <= seed < 1 << 64:
            raise ValueError(f"Overflow when unpacking long long: the seed {seed} is not in [-2**63, 2**64)")
        self._seed = seed & 0xFFFF_FFFF_FFFF_FFFF
        self._normal = None
        if self._engine is not None:
            self._legacy.seed(self._seed & 0xFFFF_FFFF)
        return self

    def seed(self):
        """Seed from the operating system's entropy; returns the seed."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little"))
        return self._seed

    def initial_seed(self):
        """The seed that the stream was last started with."""
        return self._seed

    def get_state(self):
        """The whole state as a uint8 tensor of 5056 elements, laid out as torch's."""
        return wrap(self._state_words().view(np.uint8))

    def set_state(self, new_state):
        """Restore what get_state() of this or of torch's Generator returned.

        Raises TypeError for anything but a uint8 tensor, RuntimeError for a wrong size or content.
        """
        if not isinstance(new_state, Tensor):
            raise TypeError(f"expected a torch.ByteTensor, but got {type(new_state).__name__}")
        if new_state.dtype is not dtypes.uint8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        self._restore(np.ascontiguousarray(new_state._array).reshape(-1))

    def clone_state(self):
        """A new Generator at the same point of the same stream."""
        clone = Generator()
        clone._restore(self._state_words().view(np.uint8))
        return clone

    def get_offset(self):
        """Only CUDA generators have one: raises RuntimeError, as torch does."""
        raise RuntimeError("CPU Generator does not use offset")

    def set_offset(self, offset):
        """Only CUDA generators have one: raises RuntimeError, as torch does."""
        raise RuntimeError("CPU Generator does not use offset")

    def __reduce__(self):
        return _restored, (self._state_words().view(np.uint8),)

    def _start(self):
        engine = np.random.MT19937(0)
        legacy = np.random.RandomState(engine)
        legacy.seed(self._seed & 0xFFFF_FFFF)
        self._legacy, self._engine = legacy, engine
        return engine

    def _state_words(self):
        engine = (self._engine or self._start()).state["state"]
        key, position = engine["key"], engine["pos"]
        if position == 624 and int(key[0]) == self._seed & 0xFFFF_FFFF:
            position = 0  # torch tells a stream that has drawn nothing from one at the end of its 624 words
        words = np.zeros(_STATE_BYTES // 8, np.uint64)
        words[0] = self._seed
        words[1] = (1 << 32) | (625 - position if position else 1)
        words[2] = position
        words[_KEY] = key
        if self._normal is not None:
            words[628:629].view(np.float64)[0] = self._normal
            words[630] = 1
        return words

    def _restore(self, state_bytes):
        if state_bytes.size != _STATE_BYTES:
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {_STATE_BYTES} but found the input RNG state size to be "
                f"{state_bytes.size}"
            )
        words = np.frombuffer(state_bytes.tobytes(), np.uint64)
        left, position = int(words[1]) & 0xFFFF_FFFF, int(words[2])
        fresh = left == 1 and position == 0
        if int(words[1]) >> 32 == 0 or not (fresh or (1 <= position <= 624 and left + position == 625)):
            raise RuntimeError("Invalid mt19937 state")
        key = words[_KEY].astype(np.uint32)
        (self._engine or self._start()).state = {
            "bit_generator": "MT19937",
            "state": {"key": key, "pos": 624 if fresh else position},
        }
        self._seed = int(words[0])
        self._normal = float(words[628:629].view(np.float64)[0]) if int(words[630]) & 0xFFFF_FFFF else None

    # -- words and units ------------------------------------------------------------------------------------------

    def _words32(self, n):
        """n draws of 32 bits, in a uint64 array."""
        return (self._engine or self._start()).random_raw(n)

    def _words64(self, n):
        """n draws of 64 bits: two words each, the first one on top."""
        words = (self._engine or self._start()).random_raw(2 * n)
        high = words[0::2] << _32
        high |= words[1::2]
        return high

    def _unit32(self, n):
        """n float32 in [0, 1): the low 24 bits of one word."""
        words = self._words32(n)
        words &= _LOW24
        unit = words.astype(np.float32)
        unit *= np.float32(2.0**-24)
        return unit

    def _unit64(self, n):
        """n float64 in [0, 1): the low 53 bits of two words."""
        words = self._words64(n)
        words &= _LOW53
        unit = words.astype(np.float64)
        unit *= 2.0**-53
        return unit

    def random64(self):
        """One draw of 64 bits, an int: what torch's `random_()` on an int64 scalar shifts into range."""
        draw = (self._engine or self._start()).random_raw
        return draw() << 32 | draw()

    # -- continuous distributions ---------------------------------------------------------------------------------

    def uniform(self, size, low=0.0, high=1.0, dtype=np.float32):
        """low + (high - low) * u, u uniform in [0, 1). One word per element, two for float64.

        Raises NotImplementedError for a dtype that is not floating, RuntimeError for bounds that are out of the dtype's
        range, in the wrong order, or too far apart.
        """
        dtype = _floating(dtype, "check_uniform_bounds")
        if low == 0.0 and high == 1.0 and dtype != _F16:
            return self._sampled(size, dtype, self._unit64 if dtype == _F64 else self._unit32)
        limit = dtypes.RANGES[dtype][1]
        for name, bound in (("from", low), ("to", high)):
            if not -limit <= bound <= limit:
                raise RuntimeError(f"{name} is out of bounds for {_C_NAMES[dtype.name]}: {bound}")
        if low > high:
            raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}")
        if high - low > limit:
            raise RuntimeError(
                f"uniform_ expects to-from <= std::numeric_limits<{_type_name(dtype)}>::max(), but found to={high:g} "
                f"and from={low:g} which result in to-from to exceed the limit"
            )
        if dtype == _F64:
            low, high = float(low), float(high)
            sample = lambda n: _fused64(self._unit64(n), high - low, low)
        else:
            start = np.float32(low)
            span = float(np.float32(high) - start)
            sample = lambda n: _fused32(self._unit32(n), span, float(start))
        top, bottom = dtype.type(high), dtype.type(low)

        def within(n):
            values = sample(n).astype(dtype, copy=False)
            np.putmask(values, values == top, bottom)  # rounding may have reached the excluded end
            return values

        return self._sampled(size, dtype, within)

    def normal(self, size, mean=0.0, std=1.0, dtype=np.float32, serial=False):
        """mean + std * z, z standard normal by Box-Muller.

        Fewer than 16 elements (or `serial`, which torch uses for non-contiguous memory): float64 pairs, of which the
        second half waits for the next such call. Otherwise blocks of 16, cosines before sines; if the last one
        is incomplete, the last 16 elements are drawn again.
        Raises NotImplementedError for a dtype that is not floating, RuntimeError for std < 0.
        """
        if not std >= 0:
            raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
        count = _count(size)
        if count == 0:
            return np.empty(size, dtype)
        dtype = _floating(dtype, "normal_kernel_cpu")
        mean, std = float(mean), float(std)
        if std > 1e3 or abs(mean) > 1e3:  # only then can a number overflow, even in float16
            with np.errstate(over="ignore"):
                return self._normals(count, mean, std, dtype, serial).reshape(size)
        return self._normals(count, mean, std, dtype, serial).reshape(size)

    def _normals(self, count, mean, std, dtype, serial):
        if serial or count < 16:
            values = _fused64(np.array(self._serial_normals(count)), std, mean)
            return _cast(values, dtype)
        if dtype == _F64:
            fill, unit = _normal_blocks64, self._unit64
        else:
            fill, unit = _normal_blocks32, self._unit32
            mean, std = float(np.float32(mean)), float(np.float32(std))
        whole, rest = count - count % 16, count % 16
        if count <= _BLOCK:
            uniforms = unit(whole)
            if rest:
                uniforms = np.concatenate((uniforms, self._redrawn(unit, rest, dtype)))
            normals = _cast(fill(uniforms, mean, std), dtype)
            return _with_last_16(normals, count)
        out = np.empty(count, dtype)
        for start in range(0, whole, _BLOCK):
            stop = min(start + _BLOCK, whole)
            out[start:stop] = _cast(fill(unit(stop - start), mean, std), dtype)
        if rest:
            last = fill(self._redrawn(unit, rest, dtype), mean, std)
            out[-16:] = _cast(last, dtype)
        return out

    def _redrawn(self, unit, rest, dtype):
        """The uniforms of the last 16 elements, where those before them fill blocks but for `rest`."""
        if dtype != _F16:  # torch draws for the whole buffer before it transforms it, but for half block by block
            unit(rest)
        return unit(16)

    def exponential(self, size, lambd=1.0, dtype=np.float32):
        """-log(1 - u) / lambd. Two words per element. Raises RuntimeError for lambd <= 0 or a dtype not floating."""
        if not lambd > 0:
            raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd:g}")
        dtype = np.dtype(dtype)
        if dtype.kind != "f" and _count(size):
            raise RuntimeError(
                "Exponential distribution is a continuous probability distribution. dtype must be a floating point but "
                f"you specified {_type_name(dtype)}"
            )
        scale = -1.0 / lambd

        def sample(n):
            unit = self._unit64(n)
            return _libm(math.log1p, np.log1p, np.negative(unit, out=unit), dtype) * scale

        with np.errstate(all="ignore"):
            return self._sampled(size, dtype, sample)

    def cauchy(self, size, median=0.0, sigma=1.0, dtype=np.float32):
        """median + sigma * tan(pi * (u - 1/2)). Two words per element. Raises RuntimeError for sigma <= 0."""
        if not sigma > 0:
            raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}")
        dtype = np.dtype(dtype)
        if dtype.kind != "f":
            raise RuntimeError(
                "Cauchy distribution is a continuous probability distribution. dtype must be a floating point but you "
                f"specified {_C_NAMES[dtype.name]}"
            )
        median, sigma = float(median), float(sigma)

        def sample(n):
            angle = (self._unit64(n) - 0.5) * math.pi
            return _fused64(_libm(math.tan, np.tan, angle, dtype), sigma, median)

        with np.errstate(all="ignore"):
            return self._sampled(size, dtype, sample)

    def log_normal(self, size, mean=1.0, std=2.0, dtype=np.float32):
        """exp(mean + std * z), z drawn like the normals of fewer than 16 elements. Raises RuntimeError for std <= 0."""
        if not std > 0:
            raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std:g}")
        count = _count(size)
        if count == 0:
            return np.empty(size, dtype)
        dtype = _floating(dtype, "log_normal_cpu")
        logs = _fused64(np.array(self._serial_normals(count)), float(std), float(mean))
        with np.errstate(over="ignore"):
            return _cast(_libm(_exp, np.exp, logs, dtype), dtype).reshape(size)

    def _serial_normals(self, count):
        """`count` standard normals as a list of floats, by pairs, the odd one kept."""
        normals = []
        if count and self._normal is not None:
            normals.append(self._normal)
            self._normal = None
        pairs = (count - len(normals) + 1) // 2
        if pairs:
            log1p, sqrt, cos, sin, turn = math.log1p, math.sqrt, math.cos, math.sin, 2.0 * math.pi
            unit = self._unit64(2 * pairs).tolist()
            for u1, u2 in zip(unit[0::2], unit[1::2]):
                radius, angle = sqrt(-2.0 * log1p(-u2)), turn * u1
                normals.append(radius * cos(angle))
                normals.append(radius * sin(angle))
            if len(normals) > count:
                self._normal = normals.pop()
        return normals

    # -- discrete distributions -----------------------------------------------------------------------------------

    def bernoulli(self, size, p=0.5, dtype=np.float32):
        """1 with probability p, else 0. Two words per element. Raises RuntimeError for p outside [0, 1]."""
        if not 0 <= p <= 1:
            raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
        # u < p on the 53-bit integers behind u, which spares their conversion
        below = np.uint64(math.ceil(math.ldexp(p, 53)))

        def sample(n):
            words = self._words64(n)
            words &= _LOW53
            return words < below

        return self._sampled(size, np.dtype(dtype), sample)

    def bernoulli_each(self, probabilities, dtype=None):
        """1 with each element's own probability. One word per element, two where the probabilities are float64.

        Raises NotImplementedError for probabilities that are not floating, RuntimeError for one outside [0, 1].
        """
        dtype = probabilities.dtype if dtype is None else np.dtype(dtype)
        if probabilities.size == 0:
            return np.empty(probabilities.shape, dtype)
        kind = _floating(probabilities.dtype, "bernoulli_tensor_cpu_p_")
        if not (probabilities.min() >= 0 and probabilities.max() <= 1):
            raise RuntimeError(
                "Expected p_in >= 0 && p_in <= 1 to be true, but got false: a probability is not in [0, 1]"
            )
        unit = self._unit64 if kind == np.float64 else self._unit32
        return (unit(probabilities.size).reshape(probabilities.shape) < probabilities).astype(dtype)

    def geometric(self, size, p, dtype=np.float32):
        """ceil(log(u) / log(1 - p)), trials until the first success. Two words per element.

        Raises RuntimeError for p outside (0, 1), NotImplementedError for bool.
        """
        if not 0 < p < 1:
            raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p:g}")
        dtype = np.dtype(dtype)
        if dtype == np.bool_ and _count(size):
            raise NotImplementedError("\"geometric_cpu\" not implemented for 'Bool'")
        scale = math.log1p(-p)

        def sample(n):
            trials = np.ceil(_libm(_log, np.log, self._unit64(n), _F64) / scale)
            return trials if dtype.kind == "f" else trials.astype(np.int64)

        with np.errstate(all="ignore"):
            return self._sampled(size, dtype, sample)

    def randint(self, size, low, high, dtype=np.int64):
        """Integers in [low, high). One word per element, two where high - low >= 2**28.

        Raises RuntimeError for low >= high or a bound that the dtype cannot hold; warns where a floating dtype cannot
        hold every integer between.
        """
        dtype = np.dtype(dtype)
        if low >= high:
            raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
        if dtype.kind == "f":
            low, high = _reachable_low(low, dtype), _reachable_high(high, dtype)
            if low >= high:
                raise RuntimeError(
                    "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, but got "
                    f"from={low} >= to={high}"
                )
        return self._integers(size, low, high - 1, dtype)

    def randint_from(self, size, low, dtype=np.int64):
        """Integers from `low` to the largest of the dtype (for floats: to 2 ** the bits of the significand), included.

        One word per element, two where the range is 2**28 or wider; low = -2**63 draws all 64 bits.
        """
        dtype = np.dtype(dtype)
        if low == _INT64_MIN:
            if _count(size) == 0:
                return np.empty(size, dtype)
            if dtype in (np.float16, np.bool_):
                raise NotImplementedError(
                    f"\"random_full_64_bits_range_kernel_cpu\" not implemented for '{_type_name(dtype)}'"
                )
            if dtype not in (np.int64, np.float64, np.float32):
                raise RuntimeError(
                    "random_full_64_bits_range_kernel_cpu handles only int64, double, float and bfloat16"
                )
            return self._sampled(size, dtype, lambda n: self._words64(n).view(np.int64))
        if dtype.kind == "f":
            last = 1 << _DIGITS[dtype.itemsize]
            low = _reachable_low(low, dtype)
            if low >= last:
                raise RuntimeError(
                    "random_ expects 'from' casted to dtype to be less than or equal to 'to_inc' casted to dtype, but "
                    f"got from={low} > to_inc={last}"
                )
        else:
            last = dtypes.RANGES[dtype][1]
        return self._integers(size, low, last, dtype)

    def randbits(self, size, dtype=np.int64):
        """Integers from 0 to the largest of the dtype (for floats: to 2 ** the bits of the significand), included.

        One word per element, two for int64 and float64.
        """
        dtype = np.dtype(dtype)
        span = (1 << _DIGITS[dtype.itemsize]) + 1 if dtype.kind == "f" else dtypes.RANGES[dtype][1] + 1
        draw = self._words64 if dtype in (np.int64, np.float64) else self._words32
        return self._sampled(size, dtype, lambda n: draw(n) % np.uint64(span))

    def _integers(self, size, low, last, dtype):
        name = _C_NAMES[dtype.name]
        smallest, largest = dtypes.RANGES[dtype]
        for bound, value in (("from", low), ("to - 1", last)):
            if not smallest <= value <= largest:
                raise RuntimeError(f"{bound} is out of bounds for {name}")
        if dtype.kind == "f":
            digits = _DIGITS[dtype.itemsize]
            for bound, value in (("from", low), ("to - 1", last)):
                if abs(value) > 1 << digits:
                    warnings.warn(
                        f"{bound} is out of bounds [-(2^{digits}), 2^{digits}]. Due to precision limitations {name} "
                        "can support discrete uniform distribution only within this range. This warning will become an "
                        "error in version 1.7 release, please fix the code in advance",
                        UserWarning,
                        stacklevel=4,
                    )
        span = last - low + 1
        draw = self._words64 if span >= 1 << 28 else self._words32
        base = np.uint64(low & 0xFFFF_FFFF_FFFF_FFFF)

        def sample(n):
            words = draw(n)
            if span < 1 << 64:
                words %= np.uint64(span)
            words += base  # wraps, so that the sum read as a signed number is right for a negative low
            return words.view(np.int64)

        return self._sampled(size, dtype, sample)

    def permutation(self, n):
        """A random order of 0 .. n - 1, int64: Fisher and Yates from the front. n - 1 words. ValueError for huge n."""
        if n < _LONG:
            return np.array(self.shuffled(n), np.int64)
        steps = (self._words32(n - 1) % _remaining(n)).view(np.int64)
        steps += np.arange(n - 1)
        return _swapped(n, steps)

    def shuffled(self, n):
        """`permutation(n)` as a list, which costs less for the short ones that loaders ask for."""
        if n >= _LONG:
            return self.permutation(n).tolist()
        order = list(range(n))
        if n > 1:
            for i, step in enumerate((self._words32(n - 1) % _remaining(n)).tolist()):
                j = i + step
                order[i], order[j] = order[j], order[i]
        return order

    def multinomial(self, weights, num_samples, replacement=False):
        """`num_samples` indices into each row of `weights` (floats, shape (k,) or (m, k)), drawn in proportion to it.

        With replacement: two words per sample, looked up in the row's cumulative sum. Without, and for a single sample:
        the largest of weight / q, q exponential, two words per weight; equal ones, which float16 may bring, in the
        order of their index (torch leaves that open). Returns int64, shape (num_samples,) or (m, num_samples).
        Raises RuntimeError for weights that are negative, not finite, or sum to 0, and for more samples than weights.
        """
        if weights.ndim not in (1, 2):
            raise RuntimeError("prob_dist must be 1 or 2 dim")
        if weights.dtype.kind != "f":
            raise RuntimeError(
                "multinomial only supports floating-point dtypes for input, got: " + _type_name(weights.dtype)
            )
        if num_samples <= 0:
            raise RuntimeError("cannot sample n_sample <= 0 samples")
        categories = weights.shape[-1]
        if not replacement and num_samples > categories:
            raise RuntimeError("cannot sample n_sample > prob_dist.size(-1) samples without replacement")
        if categories > 1 << 24:
            raise RuntimeError("number of categories cannot exceed 2^24")
        shape = (*weights.shape[:-1], num_samples)
        if math.prod(shape) == 0:
            return np.empty(shape, np.int64)
        if categories == 0:
            raise RuntimeError(
                "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity: "
                "multinomial needs at least one category"
            )
        if not (weights.min() >= 0 and weights.max() < math.inf):
            raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
        rows = weights.reshape(-1, categories)
        with np.errstate(all="ignore"):
            if not (rows.sum(axis=1) > 0).all():
                raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
            if not replacement or num_samples == 1:
                scores = rows / self.exponential(rows.shape, 1.0, rows.dtype)
                if num_samples == 1:
                    return scores.argmax(axis=1).reshape(shape)
                return np.argsort(-scores, axis=1, kind="stable")[:, :num_samples].reshape(shape)
            total = rows.astype(np.float32 if rows.dtype == np.float16 else rows.dtype, copy=False).cumsum(axis=1)
            total /= total[:, -1:].copy()
            total[:, -1] = 1
            units = self._unit64(len(rows) * num_samples).reshape(-1, num_samples)
            found = [np.searchsorted(edges, unit, side="left") for edges, unit in zip(total.astype(np.float64), units)]
            return np.array(found, np.int64).reshape(shape)

    def poisson(self, rates):
        """Counts with the given means, in the rates' dtype. An element draws until it is accepted, so words vary.

        Knuth's product of uniforms below a mean of 10, Hoermann's transformed rejection from there on.
        Raises NotImplementedError for rates that are not floating, RuntimeError for a negative one.
        """
        if rates.size and rates.dtype.kind != "f":
            raise NotImplementedError(f"\"poisson_cpu\" not implemented for '{_type_name(rates.dtype)}'")
        if rates.size and not rates.min() >= 0:
            raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
        counts = [self._poisson(rate) for rate in rates.reshape(-1).tolist()]
        with np.errstate(over="ignore"):
            return _cast(np.array(counts, np.int64), rates.dtype).reshape(rates.shape)

    def _unit(self):
        return (self.random64() & 0x1F_FFFF_FFFF_FFFF) * 2.0**-53

    def _poisson(self, rate):
        if rate == 0:
            return 0
        if rate < 10:
            stop, product, count = math.exp(-rate), self._unit(), 0
            while product > stop:
                product *= self._unit()
                count += 1
            return count
        log_rate = math.log(rate)
        b = 0.931 + 2.53 * math.sqrt(rate)
        a = -0.059 + 0.02483 * b
        inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
        accepted = 0.9277 - 3.6224 / (b - 2)
        while True:
            u = self._unit() - 0.5
            v = self._unit()
            side = 0.5 - abs(u)
            if side == 0:
                continue
            count = math.floor((2 * a / side + b) * u + rate + 0.43)
            if side >= 0.07 and v <= accepted:
                return count
            if count < 0 or (side < 0.013 and v > side):
                continue
            bound = -rate + count * log_rate - math.lgamma(count + 1)
            if _log(v) + math.log(inverse_alpha) - math.log(a / (side * side) + b) <= bound:
                return count

    def _sampled(self, size, dtype, sample):
        """`sample(n)` in blocks, into an array of `size` and `dtype`: for samplers that draw element by element."""
        count = _count(size)
        if count == 0:
            return np.empty(size, dtype)
        if count <= _BLOCK:
            return _cast(sample(count), dtype).reshape(size)
        out = np.empty(count, dtype)
        for start in range(0, count, _BLOCK):
            stop = min(start + _BLOCK, count)
            out[start:stop] = _cast(sample(stop - start), dtype)
        return out.reshape(size)


_LONG = 400  # from here on a permutation is computed by sorting instead of swapping


def _remaining(n):
    """How many elements each of the n - 1 swaps chooses from."""
    if n >= 0xFFFF_FFFF // 20:
        raise ValueError(f"randperm of n={n} is not offered: n must be less than {0xFFFF_FFFF // 20}")
    return np.arange(n, 1, -1, dtype=np.uint64)


def _swapped(n, targets):
    """range(n) after swapping positions i and targets[i] >= i for i = 0 .. n - 2, without the loop.

    Step i takes the element at its target and leaves there the one from position i. So what it takes was left by the
    step before it with the same target, or is the target itself; and what it leaves was left at i by the last step with
    target i, or is i: chains of steps, followed for all at once by doubling.
    """
    steps = np.arange(n)
    keys = np.sort((targets << 32) | steps[:-1])
    target, step = keys >> 32, keys & 0xFFFF_FFFF
    repeated = target[1:] == target[:-1]
    before = np.full(n, -1)  # the step before with the same target
    before[step[1:][repeated]] = step[:-1][repeated]
    last = np.append(~repeated, True)
    source = np.full(n, -1)  # the last step with target i, other than i itself
    source[target[last]] = step[last]
    own = source == steps
    source[own] = before[own]
    left = np.where(source < 0, steps, source)
    while True:
        further = left[left]
        if np.array_equal(further, left):
            break
        left = further
    order = np.where(before < 0, np.append(targets, n - 1), left[before])
    order[-1] = left[-1]
    return order


def _with_last_16(normals, count):
    """`count` elements out of whole blocks and, where count is no multiple of 16, one more block that ends it."""
    if count % 16:
        normals[count - 16 : count] = normals[-16:]
        return normals[:count].copy()
    return normals


def _restored(state_bytes):
    generator = Generator()
    generator._restore(state_bytes)
    return generator


def _cast(values, dtype):
    """As `dtype`; to float16 by way of float32, which is how torch's Half takes any number."""
    if dtype == np.float16 and values.dtype != np.float32:
        values = values.astype(np.float32)
    return values.astype(dtype, copy=False)


def _type_name(dtype):
    return dtypes.from_numpy(dtype).type_name


def _count(size):
    return math.prod(size) if isinstance(size, tuple) else size


def _floating(dtype, kernel):
    dtype = np.dtype(dtype)
    if dtype.kind != "f":
        raise NotImplementedError(
            f"\"{kernel}\" not implemented for '{_type_name(dtype)}': the dtype must be floating point"
        )
    return dtype


def _reachable_low(low, dtype):
    """`low`, moved up to the next number that the floating dtype holds, if rounding would go below it."""
    rounded = int(dtype.type(low + 1))
    if rounded < low:
        return rounded + (1 << (abs(low + 1).bit_length() - _DIGITS[dtype.itemsize]))
    return low


def _reachable_high(high, dtype):
    """`high`, moved down so that no draw below it rounds up to it in the floating dtype."""
    with np.errstate(over="ignore"):
        rounded = dtype.type(high - 1)
    if not np.isfinite(rounded):
        return high
    if int(rounded) >= high:
        return int(rounded) - (1 << (abs(high - 1).bit_length() - _DIGITS[dtype.itemsize]))
    return high


# -- arithmetic to the last bit -----------------------------------------------------------------------------------


def _libm(exact, vectorised, x, dtype):
    """A function of float64 elements: the C library's where the result stays float64, as in torch.

    NumPy's vectorised ones may differ from it in the last bit, which rounding to fewer bits hides.
    """
    if dtype == np.float64:
        return np.fromiter(map(exact, x.tolist()), np.float64, x.size)
    return vectorised(x)


def _log(x):
    return math.log(x) if x else -math.inf


def _exp(x):
    return math.exp(x) if x < 709.78 else float(np.exp(x))


def _fused32(x, factor, addend):
    """x * factor + addend, float32, rounded once: the product is exact in float64."""
    wide = x.astype(np.float64)
    wide *= factor
    wide += addend
    return wide.astype(np.float32)


def _fused64(x, factor, addend):
    """x * factor + addend, float64, rounded once: the rounding errors of both steps are computed and added."""
    product = x * factor
    if addend == 0.0:
        return product
    scale = 2.0**-100 if max(abs(factor), abs(addend)) > 2.0**900 else 1.0  # the splitting must not overflow
    factor, addend = factor * scale, addend * scale
    product = x * factor
    split = 134217729.0  # 2**27 + 1 splits a float64 into halves whose products are exact
    t = split * x
    x_high = t - (t - x)
    x_low = x - x_high
    t = split * factor
    f_high = t - (t - factor)
    f_low = factor - f_high
    error = ((x_high * f_high - product) + x_high * f_low + x_low * f_high) + x_low * f_low
    total = product + addend
    from_product = total - addend
    error += (product - from_product) + (addend - (total - from_product))
    return (total + error) / scale


def _normal_blocks64(unit, mean, std):
    """Blocks of 16 uniforms made normal: the first eight of a block give the radii, the others the angles."""
    halves = unit.reshape(-1, 2, 8)
    radius = np.fromiter(map(math.log, (1.0 - halves[:, 0]).ravel().tolist()), np.float64, unit.size // 2)
    radius = np.sqrt(radius * -2.0).reshape(-1, 8)
    angle = (halves[:, 1] * (2.0 * math.pi)).ravel().tolist()
    normal = np.empty(halves.shape)
    normal[:, 0] = radius * np.fromiter(map(math.cos, angle), np.float64, len(angle)).reshape(-1, 8)
    normal[:, 1] = radius * np.fromiter(map(math.sin, angle), np.float64, len(angle)).reshape(-1, 8)
    return _fused64(normal, std, mean).reshape(-1)


def _rounded(*coefficients):
    return tuple(float(np.float32(c)) for c in coefficients)


# The Cephes polynomials of logf, sinf and cosf, and pi / 4 in three parts, as the float32 that torch computes with.
_LOG = _rounded(
    7.0376836292e-2,
    -1.1514610310e-1,
    1.1676998740e-1,
    -1.2420140846e-1,
    1.4249322787e-1,
    -1.6668057665e-1,
    2.0000714765e-1,
    -2.4999993993e-1,
    3.3333331174e-1,
)
_COS = _rounded(2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
_SIN = _rounded(-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
_COS_SIN = np.array([_COS, _SIN]).T.reshape(3, 2, 1, 1)  # both at once: half the NumPy calls
_QUARTER_PI = _rounded(-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8)
_LN2_HIGH, _LN2_LOW = _rounded(0.693359375, -2.12194440e-4)
_SQRT_HALF, _FOUR_OVER_PI, _TWO_PI = _rounded(0.707106781186547524, 1.27323954473516, 2.0 * math.pi)


_COS_SIGN = np.array([1, 0, -1, 0, -1, 0, 1, 0, 1], np.float32)  # by octant, which is even
_SIN_SIGN = np.array([1, 0, 1, 0, -1, 0, -1, 0, 1], np.float32)


def _f(x):
    """float64 rounded to float32."""
    return x.astype(np.float32)


def _polynomial(x, coefficients):
    """Horner's rule, each step a fused multiply-add in float32; x is float64 that holds float32 values."""
    y = coefficients[0]
    for c in coefficients[1:]:
        y = y * x  # float32 * float64 is float64, where the product is exact
        y += c
        y = _f(y)
    return y


def _normal_blocks32(unit, mean, std):
    """As `_normal_blocks64`, in the float32 steps of torch's vectorised log, sine and cosine.

    Arrays are float64 that hold float32 values, so that one rounding after `a * b + c` is a fused multiply-add.
    """
    halves = unit.reshape(-1, 2, 8).astype(np.float64)

    # log(x) with x = fraction * 2 ** exponent, fraction moved to [sqrt(1/2), sqrt(2))
    x, exponent = np.frexp(1.0 - halves[:, 0])
    small = x < _SQRT_HALF
    exponent = exponent - small.astype(np.float64)
    x = x + x * small
    x -= 1.0
    square = _f(x * x).astype(np.float64)
    y = _f(_polynomial(x, _LOG) * x)
    y = y * square
    y += _f(exponent * _LN2_LOW)
    y = _f(_f(y) - square * 0.5)
    y = _f(x + y)
    radius = np.sqrt(_f(y + exponent * _LN2_HIGH) * np.float32(-2.0))

    # sine and cosine of x, after taking off a multiple of pi / 4
    x = _f(halves[:, 1] * _TWO_PI)
    octant = (x * np.float32(_FOUR_OVER_PI)).astype(np.int32)
    octant += 1
    octant &= ~1
    turns = octant.astype(np.float64)
    for part in _QUARTER_PI:
        x = _f(x + turns * part)
    x = x.astype(np.float64)
    square = _f(x * x).astype(np.float64)
    both = _f(_polynomial(square, _COS_SIN) * square)
    cosine = both[0] * square
    cosine -= square * 0.5
    cosine = _f(cosine) + np.float32(1.0)
    sine = both[1] * x
    sine += x
    sine = _f(sine)
    swap = (octant & 2) != 0
    normal = np.empty(halves.shape, np.float32)
    np.multiply(np.where(swap, sine, cosine), radius * _COS_SIGN[octant], out=normal[:, 0])
    np.multiply(np.where(swap, cosine, sine), radius * _SIN_SIGN[octant], out=normal[:, 1])
    if mean == 0.0 and std == 1.0:
        normal += np.float32(0.0)  # -0 becomes 0, as adding the mean makes it
        return normal.reshape(-1)
    return _fused32(normal, std, mean).reshape(-1)


# -- the default generator ----------------------------------------------------------------------------------------

default_generator = Generator()
default_generator.seed()


def manual_seed(seed):
    """Seed the default generator with `int(seed)`; the same seed gives the same numbers, here and in torch.

    Returns the default generator. Raises as Generator.manual_seed.

    >>> import minigrad
    >>> _ = minigrad.manual_seed(0)
    >>> minigrad.rand(2)
    tensor([0.4963, 0.7682])
    """
    return default_generator.manual_seed(int(seed))


def seed():
    """Seed the default generator from the operating system's entropy; returns the seed."""
    return default_generator.seed()


def initial_seed():
    """The seed that the default generator was last started with."""
    return default_generator.initial_seed()


def get_rng_state():
    """The default generator's state, a uint8 tensor that torch.set_rng_state takes as well."""
    return default_generator.get_state()


def set_rng_state(new_state):
    """Restore the default generator's state; raises as Generator.set_state."""
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(devices=None, enabled=True, device_type=None):
    """A block after which the default generator is as it was before. `devices`: there is only the CPU's generator."""
    if not enabled:
        yield
        return
    before = default_generator._state_words().view(np.uint8)
    try:
        yield
    finally:
        default_generator._restore(before)


# -- arguments ----------------------------------------------------------------------------------------------------


def _stream(generator, name):
    if generator is None:
        return default_generator
    if not isinstance(generator, Generator):
        raise TypeError(
            f"{name}() received an invalid combination of arguments: 'generator' must be a torch.Generator, "
            f"not {type(generator).__name__}"
        )
    return generator


def _shape(name, sizes, size=None):
    if size is not None:
        if sizes:
            raise TypeError(f"{name}() got multiple values for argument 'size'")
        sizes = (size,)
    elif not sizes:
        raise TypeError(
            f"{name}() received an invalid combination of arguments - got (), but expected one of:\n"
            " * (tuple of ints size, *, torch.Generator generator = None, torch.dtype dtype = None, "
            "torch.device device = None, bool requires_grad = False)"
        )
    if len(sizes) == 1 and not hasattr(sizes[0], "__index__"):
        sizes = sizes[0]
        if not isinstance(sizes, (tuple, list)):
            raise TypeError(f"{name}(): argument 'size' (position 1) must be tuple of ints, not {type(sizes).__name__}")
    shape = []
    for i, n in enumerate(sizes):
        try:
            shape.append(operator.index(n))
        except TypeError:
            raise TypeError(
                f"{name}(): argument 'size' failed to unpack the object at pos {i + 1} with error "
                f'"type must be tuple of ints,but got {type(n).__name__}"'
            ) from None
    for n in shape:
        if n < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {n}: {shape}")
    return tuple(shape)


def _dtype(name, dtype, default=None):
    if dtype is None:
        return dtypes.as_numpy(None) if default is None else default
    try:
        return dtypes.as_numpy(dtype)
    except TypeError:
        raise TypeError(
            f"{name}() received an invalid combination of arguments: 'dtype' must be a torch.dtype, "
            f"not {type(dtype).__name__}"
        ) from None


def _integer(name, argument, value, position):
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(
            f"{name}(): argument '{argument}' (position {position}) must be int, not {type(value).__name__}"
        )
    value = operator.index(value)
    if not _INT64_MIN <= value <= _INT64_MAX:
        raise ValueError(f"Overflow when unpacking long long: {name}() got {argument}={value}")
    return value


def _source(name, value):
    if not isinstance(value, Tensor):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(value).__name__}")
    return value._array if isinstance(value._array, np.ndarray) else value._array.numpy()


def _by_memory(array):
    """The axes from the widest stride to the narrowest: torch fills a tensor in the order of its memory."""
    strides = array.strides
    return sorted(range(array.ndim), key=lambda axis: -strides[axis])


def _like(array, draw):
    """`draw(shape, contiguous)` laid out as torch lays out the result for an input like `array`."""
    if array.flags.c_contiguous or any(s == 0 and n > 1 for s, n in zip(array.strides, array.shape)):
        return draw(array.shape, True)
    axes = _by_memory(array)
    contiguous = axes == sorted(axes)
    values = draw(tuple(array.shape[axis] for axis in axes), contiguous)
    return values.transpose(np.argsort(axes))


# -- tensors of random numbers ------------------------------------------------------------------------------------


def rand(
    *sizes, size=None, generator=None, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False
):
    """Uniform on [0, 1), of shape `sizes` (ints, or one tuple).

    Raises NotImplementedError for a dtype that is not floating, RuntimeError for a negative size.

    >>> import minigrad
    >>> minigrad.rand(2, 3).shape
    torch.Size([2, 3])
    """
    find_device(device)
    shape = _shape("rand", sizes, size)
    return made(_stream(generator, "rand").uniform(shape, dtype=_dtype("rand", dtype)), requires_grad, device)


def randn(
    *sizes, size=None, generator=None, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False
):
    """Standard normal, of shape `sizes` (ints, or one tuple). Raises as rand."""
    find_device(device)
    shape = _shape("randn", sizes, size)
    return made(_stream(generator, "randn").normal(shape, dtype=_dtype("randn", dtype)), requires_grad, device)


def randint(
    *args, generator=None, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False, **named
):
    """randint(low=0, high, size): integers in [low, high), int64 unless `dtype` says otherwise.

    Raises RuntimeError for low >= high or a bound that the dtype cannot hold.

    >>> import minigrad
    >>> _ = minigrad.manual_seed(0)
    >>> minigrad.randint(10, (3,))
    tensor([4, 9, 3])
    """
    find_device(device)
    low, high, size = _bounds_and_size("randint", args, named)
    shape = _shape("randint", (), size)
    values = _stream(generator, "randint").randint(shape, low, high, _dtype("randint", dtype, np.dtype(np.int64)))
    return made(values, requires_grad, device)


def _bounds_and_size(name, args, named):
    if named or not 2 <= len(args) <= 3:
        args = _positional(name, args, named)
    *bounds, size = args
    low = _integer(name, "low", bounds[0], 1) if len(bounds) == 2 else 0
    high = _integer(name, "high", bounds[-1], len(bounds))
    if not isinstance(size, (tuple, list)):
        raise TypeError(
            f"{name}(): argument 'size' (position {len(args)}) must be tuple of ints, not {type(size).__name__}"
        )
    return low, high, size


def _positional(name, args, named):
    """The arguments of randint as (high, size) or (low, high, size)."""
    unknown = named.keys() - {"low", "high", "size"}
    if unknown:
        raise TypeError(f"{name}() got an unexpected keyword argument '{unknown.pop()}'")
    given = len(args) + len(named)
    names = [n for n in (("high", "size") if given == 2 else ("low", "high", "size")) if n not in named]
    if given not in (2, 3) or len(args) != len(names):
        raise TypeError(
            f"{name}() received an invalid combination of arguments: expected (int high, tuple of ints size) or "
            f"(int low, int high, tuple of ints size), got {len(args)} positional and {sorted(named)}"
        )
    values = dict(zip(names, args)) | named
    return [values[n] for n in ("low", "high", "size") if n in values]


def randperm(n, *, generator=None, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """A random permutation of 0 .. n - 1, int64 unless `dtype` says otherwise, shape (n,).

    Raises RuntimeError for n < 0 and for a dtype that cannot hold n.

    >>> import minigrad
    >>> _ = minigrad.manual_seed(0)
    >>> minigrad.randperm(4)
    tensor([0, 1, 3, 2])
    """
    find_device(device)
    n = _integer("randperm", "n", n, 1)
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    kind = _dtype("randperm", dtype, np.dtype(np.int64))
    if kind == np.bool_:
        raise NotImplementedError("\"randperm\" not implemented for 'Bool'")
    if kind.kind == "f":
        largest = (1 << _DIGITS[kind.itemsize]) + 1
        if n > largest:
            raise RuntimeError(f"n cannot be greater than {largest} for {_type_name(kind)} type.")
    elif n > dtypes.RANGES[kind][1]:
        raise RuntimeError(f"value cannot be converted to type {kind.name}_t without overflow")
    return made(_stream(generator, "randperm").permutation(n).astype(kind, copy=False), requires_grad, device)


def rand_like(input, *, generator=None, dtype=None, layout=None, device=None, requires_grad=False, memory_format=None):
    """Uniform on [0, 1), with the shape (and, unless given, the dtype) of `input`."""
    find_device(device)
    array = _source("rand_like", input)
    device = input.device if device is None else device
    stream, kind = _stream(generator, "rand_like"), _dtype("rand_like", dtype, array.dtype)
    return made(_like(array, lambda shape, contiguous: stream.uniform(shape, dtype=kind)), requires_grad, device)


def randn_like(input, *, generator=None, dtype=None, layout=None, device=None, requires_grad=False, memory_format=None):
    """Standard normal, with the shape (and, unless given, the dtype) of `input`."""
    find_device(device)
    array = _source("randn_like", input)
    device = input.device if device is None else device
    stream, kind = _stream(generator, "randn_like"), _dtype("randn_like", dtype, array.dtype)
    draw = lambda shape, contiguous: stream.normal(shape, dtype=kind, serial=not contiguous)
    return made(_like(array, draw), requires_grad, device)


def randint_like(
    input, *args, generator=None, dtype=None, layout=None, device=None, requires_grad=False, memory_format=None, **named
):
    """randint_like(input, low=0, high): integers in [low, high), with the shape and, unless given, dtype of `input`."""
    find_device(device)
    array = _source("randint_like", input)
    device = input.device if device is None else device
    low, high, _ = _bounds_and_size("randint_like", args, named | {"size": ()})
    stream, kind = _stream(generator, "randint_like"), _dtype("randint_like", dtype, array.dtype)
    values = _like(array, lambda shape, contiguous: stream.randint(shape, low, high, kind))
    return made(values, requires_grad, device)


def normal(
    mean,
    std=1.0,
    size=None,
    *,
    generator=None,
    dtype=None,
    layout=None,
    device=None,
    pin_memory=False,
    requires_grad=False,
):
    """mean + std * z, z standard normal: normal(mean, std) with a tensor among them, or normal(mean, std, size).

    Tensors broadcast; the result has the dtype of `mean` where that is a tensor, else of `std`.
    Raises RuntimeError for a negative std, NotImplementedError for an integer dtype.
    """
    find_device(device)
    stream = _stream(generator, "normal")
    if not isinstance(mean, Tensor) and not isinstance(std, Tensor):
        if size is None:
            raise TypeError(
                "normal() received an invalid combination of arguments - got (float, float): give `size`, or a Tensor "
                "as mean or std"
            )
        values = stream.normal(_shape("normal", (), size), mean, std, _dtype("normal", dtype))
        return made(values, requires_grad, device)
    if not isinstance(std, Tensor):
        return _shifted(mean, sample=stream.normal(mean._array.shape, 0.0, std, mean._array.dtype))
    scale = std._array
    if scale.size and not scale.min() >= 0:
        raise RuntimeError("normal expects all elements of std >= 0.0")
    if not isinstance(mean, Tensor):
        return _scaled(std, sample=stream.normal(scale.shape, dtype=scale.dtype), mean=mean)
    try:
        shape = np.broadcast_shapes(mean._array.shape, scale.shape)
    except ValueError as error:
        raise broadcast_error(error, mean._array, scale) from None
    return _scaled_and_shifted(mean, std, sample=stream.normal(shape, dtype=mean._array.dtype))


def bernoulli(input, p=None, *, generator=None):
    """1 or 0 with probability `input` (a floating tensor) each, or `p` (a number) for all; dtype and shape of `input`.

    Raises RuntimeError for a probability outside [0, 1].
    """
    array, stream = _source("bernoulli", input), _stream(generator, "bernoulli")
    if p is None:
        return _drawn(input, values=stream.bernoulli_each(array), label="BernoulliBackward0")
    return made(stream.bernoulli(array.shape, p, array.dtype), False, input.device)


def poisson(input, generator=None):
    """Counts with mean `input` each, in its dtype and shape. Raises RuntimeError for a negative mean."""
    counts = _stream(generator, "poisson").poisson(_source("poisson", input))
    return _drawn(input, values=counts, label="PoissonBackward0")


def multinomial(input, num_samples, replacement=False, *, generator=None):
    """`num_samples` indices per row of `input` (shape (k,) or (m, k)), in proportion to it; int64.

    Raises RuntimeError for weights that are negative, not finite or all zero, and for too many samples without
    replacement.
    """
    array = _source("multinomial", input)
    num_samples = _integer("multinomial", "num_samples", num_samples, 2)
    return made(_stream(generator, "multinomial").multinomial(array, num_samples, replacement), False, input.device)


# Samples of which a parameter is a tensor keep their place in the graph, as in torch: the parameter's gradient is zero.
def _sampler(name, **formulas):
    """`@primitive` for the ops below, which are not in its registry: there is no derivative in them to be checked."""
    return lambda forward: Primitive(forward, name=name, **formulas).call


@_sampler("NormalBackward1", mean=lambda g: g * 0.0)
def _shifted(mean, *, sample):
    return sample + mean


@_sampler("NormalBackward2", std=lambda g: g * 0.0)
def _scaled(std, *, sample, mean):
    return sample * std + std.dtype.type(mean)


@_sampler(
    "NormalBackward3",
    mean=lambda g, xp, mean_shape: xp.sum_to(g * 0.0, mean_shape),
    std=lambda g, xp, std_shape: xp.sum_to(g * 0.0, std_shape),
)
def _scaled_and_shifted(mean, std, *, sample):
    sample = np.multiply(sample, std, out=sample, casting="same_kind")
    return np.add(sample, mean, out=sample)


@_sampler(lambda node: node.static[-1], x=lambda g, label: g * 0.0)
def _drawn(x, *, values, label):
    if isinstance(x, np.ndarray):
        return values
    out = x.copy()
    out[...] = values
    return out


# -- into a tensor ------------------------------------------------------------------------------------------------


def _fill(name, tensor, draw):
    """Write `draw(shape, dtype, contiguous)` into `tensor` in the order of its memory; returns it."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(tensor).__name__}")
    recorded = check_writable(tensor)
    target = tensor._array
    contiguous = target.flags.c_contiguous
    axes = range(target.ndim) if contiguous else _by_memory(target)
    target = target.transpose(axes)
    values = draw(target.shape, target.dtype, contiguous)
    if recorded:
        label = "".join(part.capitalize() for part in name.split("_")) + "Backward0"
        return write(tensor, _drawn(snapshot(tensor), values=values.transpose(np.argsort(axes)), label=label))
    target[...] = values
    tensor._counter[0] += 1
    return tensor


def _bounds(name, bounds, named, defaults):
    """The values of the parameters of `defaults` from positional and keyword arguments ('from' is a Python keyword)."""
    if len(bounds) > len(defaults):
        raise TypeError(f"{name}() takes {len(defaults)} positional arguments but {len(bounds)} were given")
    values = dict(zip(defaults, bounds))
    for key, value in named.items():
        if key not in defaults:
            raise TypeError(f"{name}() got an unexpected keyword argument '{key}'")
        if key in values:
            raise TypeError(f"{name}() got multiple values for argument '{key}'")
        values[key] = value
    return {**defaults, **values}.values()


def uniform_(self, *bounds, generator=None, **named):
    """uniform_(from=0, to=1): fill with uniform numbers in [from, to). Raises as Generator.uniform."""
    low, high = _bounds("uniform_", bounds, named, {"from": 0.0, "to": 1.0})
    stream = _stream(generator, "uniform_")
    return _fill("uniform_", self, lambda shape, dtype, _: stream.uniform(shape, low, high, dtype))


def normal_(self, mean=0.0, std=1.0, *, generator=None):
    """Fill with mean + std * z, z standard normal. Raises as Generator.normal."""
    stream = _stream(generator, "normal_")
    return _fill(
        "normal_", self, lambda shape, dtype, contiguous: stream.normal(shape, mean, std, dtype, not contiguous)
    )


def random_(self, *bounds, generator=None, **named):
    """random_(from, to), random_(to) or random_(): fill with integers in [from, to), [0, to) or all the dtype holds.

    random_(from, None) goes up to the largest of the dtype. Raises as Generator.randint.
    """
    stream = _stream(generator, "random_")
    if len(bounds) + len(named) == 1:  # random_(to)
        low, high = _bounds("random_", (), named or {"to": bounds[0]}, {"from": 0, "to": None})
    elif bounds or named:
        low, high = _bounds("random_", bounds, named, {"from": 0, "to": None})
    else:
        return _fill("random_", self, lambda shape, dtype, _: stream.randbits(shape, dtype))
    low = _integer("random_", "from", low, 1)
    if high is None:
        return _fill("random_", self, lambda shape, dtype, _: stream.randint_from(shape, low, dtype))
    high = _integer("random_", "to", high, 2)
    return _fill("random_", self, lambda shape, dtype, _: stream.randint(shape, low, high, dtype))


def bernoulli_(self, p=0.5, *, generator=None):
    """Fill with 1 with probability `p` (a number, or a floating tensor that broadcasts to self), else 0."""
    stream = _stream(generator, "bernoulli_")
    if not isinstance(p, Tensor):
        return _fill("bernoulli_", self, lambda shape, dtype, _: stream.bernoulli(shape, p, dtype))
    given, wanted = p._array, self._array.shape
    if given.ndim > len(wanted):
        raise RuntimeError(
            f"expand(torch.{p.dtype.type_name}Tensor{{{list(given.shape)}}}, size={list(wanted)}): the number of "
            f"sizes provided ({len(wanted)}) must be greater or equal to the number of dimensions in the tensor "
            f"({given.ndim})"
        )
    for axis, (n, size) in enumerate(zip(given.shape, wanted[len(wanted) - given.ndim :])):
        if n not in (1, size):
            raise RuntimeError(
                f"The expanded size of the tensor ({size}) must match the existing size ({n}) at non-singleton "
                f"dimension {axis + len(wanted) - given.ndim}.  Target sizes: {list(wanted)}.  Tensor sizes: "
                f"{list(given.shape)}"
            )
    each = np.broadcast_to(given, wanted)
    if not self._array.flags.c_contiguous:
        each = each.transpose(_by_memory(self._array))
    return _fill("bernoulli_", self, lambda shape, dtype, _: stream.bernoulli_each(each, dtype))


def exponential_(self, lambd=1.0, *, generator=None):
    """Fill with numbers of density lambd * exp(-lambd * x). Raises as Generator.exponential."""
    stream = _stream(generator, "exponential_")
    return _fill("exponential_", self, lambda shape, dtype, _: stream.exponential(shape, lambd, dtype))


def geometric_(self, p, *, generator=None):
    """Fill with the number of trials until the first success of probability p. Raises as Generator.geometric."""
    stream = _stream(generator, "geometric_")
    return _fill("geometric_", self, lambda shape, dtype, _: stream.geometric(shape, p, dtype))


def cauchy_(self, median=0.0, sigma=1.0, *, generator=None):
    """Fill with numbers of density 1 / (pi * sigma * (1 + ((x - median) / sigma)**2)). Raises as Generator.cauchy."""
    stream = _stream(generator, "cauchy_")
    return _fill("cauchy_", self, lambda shape, dtype, _: stream.cauchy(shape, median, sigma, dtype))


def log_normal_(self, mean=1.0, std=2.0, *, generator=None):
    """Fill with exp(mean + std * z), z standard normal. Raises as Generator.log_normal."""
    stream = _stream(generator, "log_normal_")
    return _fill("log_normal_", self, lambda shape, dtype, _: stream.log_normal(shape, mean, std, dtype))
