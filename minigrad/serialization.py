"""save and load: state dicts and nested containers of tensors and plain values, in files that cannot run code.

Owns two file formats. The default is NumPy's .npz: one .npy member per array, and `structure.json`, which says how
they nest. A flat dict of tensors may be a .safetensors file instead, which torch users read and write too. Nothing here
pickles or unpickles; a file is checked against its own size before anything is allocated; and a save either replaces
the whole file or leaves what was there.
"""

import base64
import binascii
import errno
import io
import json
import os
import re
import struct
import zipfile
from collections import Counter, OrderedDict

import numpy as np

from . import dtypes
from .files import replace_file
from .tensor import Tensor, alias, wrap

__all__ = ["SerializationError", "load", "save"]

_STRUCTURE = "structure.json"
_VERSION = 1
# The structure is the one part whose size in memory may exceed its size in the file, some thirtyfold at worst.
_STRUCTURE_LIMIT = 32 * 2**20
_DEPTH_LIMIT = 100
_MEMBER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,180}\.npy")
_NPY_HEADER = re.compile(
    rb"\{'descr': '([<>|][biufc][0-9]{1,2})', 'fortran_order': (True|False), "
    rb"'shape': \(((?:[0-9]{1,19}, ?)*(?:[0-9]{1,19})?),?\), \} *\n"
)
_SAFETENSORS = {
    **{"F16": "float16", "F32": "float32", "F64": "float64", "U8": "uint8", "BOOL": "bool"},
    **{"I8": "int8", "I16": "int16", "I32": "int32", "I64": "int64"},
}
# What zipfile, json and NumPy raise for bytes that are not what they should be.
_MALFORMED = (zipfile.BadZipFile, zipfile.LargeZipFile, struct.error, ValueError, OverflowError, RuntimeError, EOFError)


class SerializationError(RuntimeError):
    """An object that save cannot write, or a file that load cannot trust; the message names the part and the remedy."""


def save(
    obj,
    f,
    pickle_module=None,
    pickle_protocol=2,
    _use_new_zipfile_serialization=True,
    _disable_byteorder_record=False,
    *,
    format=None,
):
    """Write `obj` to `f`, a path or a file object opened for writing in binary.

    obj: dicts, OrderedDicts, Counters, lists and tuples, nested, of Tensors, Parameters, ndarrays, NumPy scalars, str,
    bytes, int, float, bool, None, Size, dtype and device. format: "npz" or "safetensors" (a flat dict of tensors; needs
    the extra of that name); None takes it from a path's suffix, and .npz for any suffix but .safetensors. The others
    are accepted for torch's sake.

    A tensor or a container that occurs twice is written once and comes back as one object. Tensors that show exactly
    the same memory, as tied weights do, are written once and share memory again; views of different parts of one memory
    are written apart. History, gradients and hooks are not saved. In a safetensors file every entry is a tensor of its
    own.

    Raises SerializationError, naming the place inside `obj`, before anything is written, and RuntimeError if the
    directory does not exist. A path is replaced in one step once all bytes are on disk: on any error the old file
    stays.
    """
    path = _path(f)
    if path is None and not hasattr(f, "write"):
        raise AttributeError(
            f"expected 'f' to be string, path, or a file-like object with a 'write' attribute, not {type(f).__name__}"
        )
    if format is None:
        format = "safetensors" if path is not None and path.lower().endswith(".safetensors") else "npz"
    if format == "npz":
        write = _npz_writer(obj)
    elif format == "safetensors":
        write = _safetensors_writer(obj)
    else:
        raise ValueError(f"unknown format {format!r}: expected 'npz' or 'safetensors'")
    if path is not None:
        replace_file(path, write)
        return
    if isinstance(f, io.TextIOBase):
        raise TypeError("a bytes-like object is written, and this file is open for text: open it with mode 'wb'")
    buffer = io.BytesIO()
    write(buffer)
    f.write(buffer.getvalue())


def load(f, map_location=None, pickle_module=None, *, weights_only=True, mmap=None):
    """What `save` wrote to `f`, a path or a file object opened for reading in binary.

    The content says which format it is. A safetensors file, whoever wrote it, gives a dict of tensors. map_location: a
    device, which must be the CPU, or a function or dict of torch's, which have nothing to move here. The others are
    accepted for torch's sake: no file can hold anything but data, and each array is read when the file is.

    Raises SerializationError for a file that is not one of ours, a pickle or torch.save's included, or is damaged or
    dishonest in any part.
    """
    if isinstance(map_location, (str, dtypes.device)):
        dtypes.check_device(map_location)
    elif map_location is not None and not isinstance(map_location, dict) and not callable(map_location):
        raise TypeError(
            f"'{type(map_location).__name__}' object is not callable: map_location is a device, a function or a dict"
        )
    path = _path(f)
    if mmap and path is None:
        raise ValueError("f must be a file path in order to use the mmap argument")
    if path is not None:
        with open(path, "rb") as file:
            return _load(file, f"'{path}'")
    if not hasattr(f, "read"):
        raise AttributeError(f"expected 'f' to be string, path, or a file-like object to read, not {type(f).__name__}")
    content = f.read()
    if not isinstance(content, (bytes, bytearray, memoryview)):
        raise TypeError("expected bytes, got str: open the file with mode 'rb'")
    return _load(io.BytesIO(content), f"'{f.name}'" if isinstance(getattr(f, "name", None), str) else "the file")


def _path(f):
    return os.path.abspath(os.fsdecode(f)) if isinstance(f, (str, bytes, os.PathLike)) else None


# -- writing ----------------------------------------------------------------------------------------------------------


def _npz_writer(obj):
    """Encode all of `obj`, and return the function that writes it to a file."""
    encoder = _Encoder()
    document = {
        "format": "minigrad",
        "version": _VERSION,
        "object": encoder.node(obj, "obj", ()),
        "tensors": encoder.table,
    }
    structure = json.dumps(document, allow_nan=False, separators=(",", ":")).encode("ascii")
    if len(structure) > _STRUCTURE_LIMIT:
        raise SerializationError(
            f"cannot save: the plain values (everything but tensors and arrays) take {len(structure)} bytes, more than "
            f"{_STRUCTURE_LIMIT}. Put long lists of numbers into tensors."
        )

    def write(file):
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            # A fixed date: the same object gives the same bytes.
            archive.writestr(zipfile.ZipInfo(_STRUCTURE), structure)
            for name, array in encoder.members.items():
                with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)

    return write


class _Encoder:
    """Turns an object into a JSON value with tensors by number, and collects the arrays that have to be written."""

    def __init__(self):
        self.table = []  # one row a tensor: {"kind", "array", "requires_grad"}
        self.members = {}  # file name -> array
        self._rows = {}  # id of a tensor or an array -> its row
        self._names = {}  # where an array's memory is and how it is read -> its file name
        self._taken = {_STRUCTURE}  # file names in lower case: some unpackers ignore case
        self._open = set()  # ids of the containers around the present place
        self._done = {}  # id of a container that is written -> its number
        self._kinds = {np.ndarray: "array", Tensor: "tensor", _nn_parameter().Parameter: "parameter"}
        self._alive = []  # arrays whose memory must not be used again while its address identifies them

    def node(self, value, place, keys):
        """The JSON value of `value`, which stands at `place` in the object; `keys` are the plain keys on the way."""
        kind = type(value)
        if value is None or kind is bool or kind is str:
            return value
        if kind is int:
            return value if abs(value) < 2**53 else {"int": hex(value)}
        if kind is float:
            return value if value - value == 0 else {"float": repr(value)}
        if kind is bytes:
            return {"bytes": base64.b64encode(value).decode("ascii")}
        if kind in self._kinds:
            return {"tensor": self._row(value, place, keys)}
        if kind is dtypes.Size:
            return {"Size": [self.node(item, f"{place}[{i}]", keys) for i, item in enumerate(value)]}
        if kind is dtypes.dtype:
            return {"dtype": value.name}
        if kind is dtypes.device:
            return {"device": str(value)}
        if isinstance(value, np.generic) and value.dtype.kind in "biuf" and value.dtype.itemsize <= 8:
            return {
                "numpy": [
                    value.dtype.newbyteorder("<").str,
                    value.astype(value.dtype.newbyteorder("<")).tobytes().hex(),
                ]
            }
        if kind in (list, tuple, dict, OrderedDict, Counter):
            return self._container(value, kind, place, keys)
        raise SerializationError(f"{place}: cannot save {_described(value)}. {_remedy(value)}")

    def _container(self, value, kind, place, keys):
        if id(value) in self._done:
            return {"again": self._done[id(value)]}
        if id(value) in self._open:
            raise SerializationError(f"{place}: cannot save a {kind.__name__} that contains itself")
        if len(self._open) == _DEPTH_LIMIT:
            raise SerializationError(f"{place}: cannot save containers nested more than {_DEPTH_LIMIT} deep")
        self._open.add(id(value))
        if kind in (list, tuple):
            items = [self.node(item, f"{place}[{i}]", (*keys, str(i))) for i, item in enumerate(value)]
        else:
            items = []
            for key, item in value.items():
                self._check_key(key, place)
                inner = f"{place}[{key!r}]"
                items.append([self._key(key, inner), self.node(item, inner, (*keys, str(key)))])
        metadata = getattr(value, "_metadata", None) if kind is OrderedDict else None
        if metadata is not None:  # what Module.state_dict says of its modules' versions
            node = {"state_dict": [items, self.node(metadata, f"{place}._metadata", keys)]}
        else:
            node = items if kind is list else {kind.__name__: items}
        self._open.discard(id(value))
        self._done[id(value)] = len(self._done)
        return node

    def _key(self, key, place):
        """A key has no identity: its tuples are written each time, so that reading one takes no longer than it is."""
        return {"tuple": [self._key(k, place) for k in key]} if type(key) is tuple else self.node(key, place, ())

    def _check_key(self, key, place):
        if not _is_key(key):
            raise SerializationError(
                f"{place}: cannot save a dict whose key {_short(key)} is {_described(key)}. Use str, int, float, "
                "bool, None or bytes, or tuples of those."
            )

    def _row(self, value, place, keys):
        if id(value) in self._rows:
            return self._rows[id(value)]
        array = value if isinstance(value, np.ndarray) else value._array
        array = array if isinstance(array, np.ndarray) else array.numpy()  # from a GPU
        if array.dtype.kind not in "biufc" or array.dtype.itemsize > (16 if array.dtype.kind == "c" else 8):
            raise SerializationError(
                f"{place}: cannot save an array of dtype {array.dtype}. Convert it to numbers or bool, "
                "or to a list of str."
            )
        memory = (array.__array_interface__["data"][0], array.shape, array.strides, array.dtype.str)
        if array.size == 0:
            memory = object()  # nothing to share, and the address says nothing
        if memory not in self._names:
            self._names[memory] = self._name(keys)
            self.members[self._names[memory]] = array
        kind = self._kinds[type(value)]
        requires_grad = False if kind == "array" else bool(value.requires_grad)
        self.table.append({"kind": kind, "array": self._names[memory], "requires_grad": requires_grad})
        self._rows[id(value)] = len(self.table) - 1
        self._alive += [value, array]
        return self._rows[id(value)]

    def _name(self, keys):
        """A file name that says where the array belongs, if the keys allow one; numpy.load shows it as the key."""
        name = ".".join(keys) + ".npy"
        if not _MEMBER.fullmatch(name) or name.lower() in self._taken:
            number = len(self.members)
            while (name := f"tensor.{number}.npy") in self._taken:
                number += 1
        self._taken.add(name.lower())
        return name


def _is_key(key):
    if type(key) is tuple or type(key) is dtypes.Size:
        return all(map(_is_key, key))
    return key is None or type(key) in (str, int, float, bool, bytes, dtypes.dtype, dtypes.device)


def _short(value):
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _described(value):
    kind = type(value)
    if isinstance(value, type):
        return f"the class {value.__qualname__}"
    if hasattr(value, "__code__") or kind.__name__ in ("builtin_function_or_method", "ufunc"):
        return f"a function ({getattr(value, '__qualname__', value)})"
    return f"an object of type {kind.__module__}.{kind.__qualname__}".replace("builtins.", "")


def _remedy(value):
    if isinstance(value, Tensor):
        return "A subclass of Tensor would come back as something else: save value.detach() as a plain Tensor."
    if callable(getattr(value, "state_dict", None)):
        return "Save its state_dict()."
    if isinstance(value, dict):
        return "Save dict(value)."
    if isinstance(value, tuple):
        return "Save tuple(value)."
    if isinstance(value, (set, frozenset)):
        return "Save sorted(value) or list(value)."
    for plain in (bool, int, float, str, bytes):
        if isinstance(value, plain):
            return f"Save {plain.__name__}(value)."
    return (
        "Files hold Tensors, Parameters, ndarrays, str, bytes, int, float, bool, None, Size, dtype and device, and "
        "dicts, lists and tuples of those; what else is needed has to be rebuilt from them."
    )


def _safetensors_writer(obj):
    safetensors_numpy = _safetensors_library().numpy
    if type(obj) not in (dict, OrderedDict):
        raise SerializationError(
            f"obj: a safetensors file holds one flat dict of tensors, not {_described(obj)}. "
            "Save {'name': tensor, ...}, or use the .npz format."
        )
    arrays = {}
    for key, value in obj.items():
        place = f"obj[{key!r}]"
        if type(key) is not str or key == "__metadata__":
            raise SerializationError(f"{place}: the names in a safetensors file are str, other than '__metadata__'")
        if not isinstance(value, (Tensor, np.ndarray)):
            raise SerializationError(
                f"{place}: a safetensors file holds tensors only, not {_described(value)}. Use the .npz format for it."
            )
        array = value if isinstance(value, np.ndarray) else value._array
        native = array.dtype.newbyteorder("=")
        if native not in {dtype.numpy for dtype in dtypes.ALL}:
            raise SerializationError(f"{place}: cannot save an array of dtype {array.dtype}, which no Tensor has")
        # The library writes the memory as it lies.
        arrays[key] = np.asarray(array, dtype=native, order="C")
    try:
        content = safetensors_numpy.save(arrays, metadata={"format": "pt"})
    except Exception as error:
        raise SerializationError(f"the safetensors library could not write this dict: {error}") from error
    return lambda file: file.write(content)


def _safetensors_library():
    try:
        import safetensors
        import safetensors.numpy
    except ImportError as error:
        raise ImportError(
            'safetensors files need the safetensors library: python -m pip install "minigrad[safetensors]"'
        ) from error
    return safetensors


def _nn_parameter():
    from .nn import parameter  # nn is built upon this file, so it is met when it is needed

    return parameter


# -- reading ----------------------------------------------------------------------------------------------------------


def _load(file, name):
    length = file.seek(0, os.SEEK_END)
    file.seek(0)
    start = file.read(16)
    file.seek(0)
    try:
        if start.startswith(b"PK\x03\x04"):
            return _load_npz(file, length)
        if len(start) > 8 and start[8:9] == b"{" and int.from_bytes(start[:8], "little") <= length - 8:
            return _load_safetensors(file)
        raise SerializationError(_unknown(start, length))
    except SerializationError as error:
        raise SerializationError(f"cannot load {name}: {error}") from error.__cause__
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):  # a real failure to read; zipfile seeks to invalid places otherwise
            raise
        raise SerializationError(f"cannot load {name}: the file is damaged ({error})") from error
    except RecursionError as error:
        raise SerializationError(f"cannot load {name}: its structure is nested too deeply") from error
    except _MALFORMED as error:
        raise SerializationError(
            f"cannot load {name}: the file is damaged ({error or type(error).__name__})"
        ) from error


_PICKLE_REMEDY = (
    "minigrad never unpickles, since a pickle can run any code. Where it was written, load it with "
    "torch.load(..., weights_only=True) and write its dict of tensors with safetensors.torch.save_file; "
    "minigrad.load reads that."
)


def _unknown(start, length):
    if not length:
        return "the file is empty"
    if len(start) > 1 and start[0] == 0x80 and 2 <= start[1] <= 5:
        return f"this is a pickle (an old torch.save, or pickle.dump). {_PICKLE_REMEDY}"
    if start.startswith(b"\x93NUMPY"):
        return "this is a single array in NumPy's .npy format. Use minigrad.from_numpy(numpy.load(...))."
    return (
        f"this is neither a file of minigrad.save nor a complete safetensors file; it begins with {bytes(start[:8])!r}"
    )


def _load_npz(file, length):
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        names = [entry.filename for entry in entries]
        if _STRUCTURE not in names:
            if any(name.rsplit("/", 1)[-1] == "data.pkl" for name in names):
                raise SerializationError(f"this is a file of torch.save, a zip around a pickle. {_PICKLE_REMEDY}")
            raise SerializationError(
                f"this zip file has no {_STRUCTURE}, so minigrad.save did not write it. Read the arrays of a plain "
                ".npz with numpy.load."
            )
        if len(set(names)) != len(names):
            raise SerializationError(f"it holds the name {Counter(names).most_common(1)[0][0]!r} more than once")
        for entry in entries:
            if (
                entry.compress_type != zipfile.ZIP_STORED
                or entry.compress_size != entry.file_size
                or entry.flag_bits & 1
            ):
                raise SerializationError(
                    f"the entry {entry.filename!r} is compressed or encrypted, which save never does"
                )
        if sum(entry.file_size for entry in entries) > length:
            raise SerializationError("its entries claim more bytes than the file has")
        if min(entry.header_offset for entry in entries) != 0:
            raise SerializationError("it has foreign bytes before its first entry")

        structure = archive.getinfo(_STRUCTURE)
        if structure.file_size > _STRUCTURE_LIMIT:
            raise SerializationError(f"its structure takes {structure.file_size} bytes, more than {_STRUCTURE_LIMIT}")
        document = json.loads(
            archive.read(structure).decode("ascii"),
            object_pairs_hook=_unique_pairs,
            parse_constant=_no_constant,
            parse_int=_small_int,
        )
        if not isinstance(document, dict) or document.get("format") != "minigrad":
            raise SerializationError(f"its {_STRUCTURE} is not one of minigrad's")
        if document.get("version") != _VERSION:
            raise SerializationError(
                f"it has format version {_short(document.get('version'))}, and this minigrad reads version {_VERSION}"
            )
        _require(set(document) == {"format", "version", "object", "tensors"}, "its structure has unknown parts")
        rows = document["tensors"]
        _require(type(rows) is list, "its list of tensors is not a list")
        for row in rows:
            _require(
                type(row) is dict and set(row) == {"kind", "array", "requires_grad"}, "a tensor's row is malformed"
            )
            _require(row["kind"] in ("tensor", "parameter", "array"), "a tensor's kind is unknown")
            _require(type(row["array"]) is str and _MEMBER.fullmatch(row["array"]), "an array's name is not allowed")
            _require(type(row["requires_grad"]) is bool, "a tensor's requires_grad is no bool")
        expected = {_STRUCTURE, *(row["array"] for row in rows)}
        if set(names) != expected:
            name = min(set(names) ^ expected)
            state = "is missing" if name in expected else "does not belong there"
            raise SerializationError(f"the entry {_short(name)} {state}")
        arrays = {name: _read_npy(archive, name) for name in expected - {_STRUCTURE}}
    return _Decoder(rows, arrays).node(document["object"], 0)


def _read_npy(archive, name):
    """One array. Its size is known from its header and checked against the entry's before memory is asked for."""
    entry = archive.getinfo(name)
    with archive.open(entry) as member:
        start = member.read(10)
        _require(start[:8] == b"\x93NUMPY\x01\x00" and len(start) == 10, f"{name} is not an array of .npy version 1.0")
        header = member.read(int.from_bytes(start[8:], "little"))
        match = _NPY_HEADER.fullmatch(header)
        _require(match is not None, f"{name} has the header {_short(header)}, which save does not write")
        try:
            dtype = np.dtype(match[1].decode("ascii"))
        except TypeError as error:
            raise SerializationError(f"{name} has the unknown dtype {match[1]!r}") from error
        shape = tuple(int(size) for size in match[3].split(b",") if size.strip())
        count = 1
        for size in shape:
            count *= size
        stored = entry.file_size - 10 - len(header)
        _require(
            count * dtype.itemsize == stored and max(shape, default=0) < 2**62 and len(shape) <= 32,
            f"{name} says that it has shape {shape} and dtype {dtype}, and holds {stored} bytes",
        )
        array = np.empty(count, dtype)
        view = memoryview(array).cast("B") if count else memoryview(b"")
        done = 0
        while done < len(view):
            got = member.readinto(view[done:])
            _require(got, f"{name} ends too early")
            done += got
        member.read(1)  # at the end of the entry zipfile compares the checksum
    return array.reshape(shape, order="F" if match[2] == b"True" else "C")


def _require(condition, message):
    if not condition:
        raise SerializationError(message)


def _unique_pairs(pairs):
    result = dict(pairs)
    _require(len(result) == len(pairs), "its structure says the same thing twice")
    return result


def _no_constant(text):
    raise SerializationError(f"its structure holds {text}, which is not JSON")


def _small_int(text):
    _require(len(text) <= 17, "its structure holds an int that save would not write so")
    return int(text)


class _Decoder:
    """Builds the object from its JSON value; every tensor of the table is made once, by number."""

    def __init__(self, rows, arrays):
        first = {}  # array name -> the first tensor made of it, whose memory and version counter the others share
        self._tensors = []
        self._done = []  # the containers that are made, in the order in which they were written
        supported = {dtype.numpy for dtype in dtypes.ALL}
        for row in rows:
            array = arrays[row["array"]]
            if row["kind"] == "array":
                self._tensors.append(array)
                continue
            _require(array.dtype in supported, f"{row['array']} has dtype {array.dtype}, which no Tensor has")
            _require(array.dtype.kind == "f" or not row["requires_grad"], f"{row['array']} cannot require grad")
            tensor = alias(first[row["array"]]) if row["array"] in first else wrap(array)
            first.setdefault(row["array"], tensor)
            if row["kind"] == "parameter":
                tensor = _nn_parameter().Parameter(tensor, requires_grad=row["requires_grad"])
            elif row["requires_grad"]:
                tensor.requires_grad_()
            self._tensors.append(tensor)

    def node(self, node, depth):
        _require(depth <= _DEPTH_LIMIT, f"its structure is nested more than {_DEPTH_LIMIT} deep")
        if type(node) is list:
            self._done.append([self.node(item, depth + 1) for item in node])
            return self._done[-1]
        if type(node) is float:
            _require(node - node == 0, "its structure holds a number beyond float64")
        if type(node) is not dict:
            return node
        _require(len(node) == 1, "its structure has a malformed value")
        ((tag, content),) = node.items()
        decode = self._DECODERS.get(tag)
        _require(decode is not None, f"its structure has a value of the unknown kind {_short(tag)}")
        made = decode(self, content, depth)
        if tag in self._CONTAINERS:
            self._done.append(made)
        return made

    def _again(self, content, depth):
        _require(type(content) is int and 0 <= content < len(self._done), "a container's number is out of range")
        return self._done[content]

    def _key(self, node, depth):
        _require(depth <= _DEPTH_LIMIT, f"its structure is nested more than {_DEPTH_LIMIT} deep")
        if type(node) is not dict:
            return self.node(node, depth)
        _require("again" not in node, "a dict in its structure has a key that save does not write")
        if list(node) != ["tuple"]:
            return self.node(node, depth)
        _require(type(node["tuple"]) is list, "a container in its structure is not a list")
        return tuple(self._key(item, depth + 1) for item in node["tuple"])

    def _items(self, content, depth):
        _require(type(content) is list, "a container in its structure is not a list")
        return [self.node(item, depth + 1) for item in content]

    def _mapping(self, kind, content, depth):
        _require(type(content) is list, "a dict in its structure is not a list of pairs")
        result = kind()
        for pair in content:
            _require(type(pair) is list and len(pair) == 2, "a dict in its structure is not a list of pairs")
            key = self._key(pair[0], depth + 1)
            _require(_is_key(key), "a dict in its structure has a key that save does not write")
            _require(key not in result, f"a dict in its structure has the key {_short(key)} twice")
            result[key] = self.node(pair[1], depth + 1)
        return result

    def _state_dict(self, content, depth):
        _require(type(content) is list and len(content) == 2, "a state dict in its structure is malformed")
        result = self._mapping(OrderedDict, content[0], depth)
        result._metadata = self.node(content[1], depth + 1)
        return result

    def _size(self, content, depth):
        sizes = self._items(content, depth)
        _require(all(type(size) is int for size in sizes), "a Size in its structure is not made of ints")
        return dtypes.Size(sizes)

    def _tensor(self, content, depth):
        _require(type(content) is int and 0 <= content < len(self._tensors), "a tensor's number is out of range")
        return self._tensors[content]

    def _int(self, content, depth):
        _require(type(content) is str and re.fullmatch(r"-?0x[0-9a-f]+", content), "an int is malformed")
        return int(content, 16)

    def _float(self, content, depth):
        _require(content in ("nan", "inf", "-inf"), "a float is malformed")
        return float(content)

    def _bytes(self, content, depth):
        _require(type(content) is str, "bytes are malformed")
        try:
            return base64.b64decode(content.encode("ascii"), validate=True)
        except binascii.Error as error:
            raise SerializationError("bytes are malformed") from error

    def _dtype(self, content, depth):
        found = [dtype for dtype in dtypes.ALL if dtype.name == content]
        _require(found, f"the dtype {_short(content)} is unknown")
        return found[0]

    def _device(self, content, depth):
        _require(type(content) is str, "a device is malformed")
        return dtypes.device(content)

    def _numpy(self, content, depth):
        _require(
            type(content) is list and len(content) == 2 and all(type(part) is str for part in content)
            and re.fullmatch(r"\|[biu]1|<[iu][248]|<f[248]", content[0]),
            "a NumPy scalar is malformed",
        )  # fmt: skip
        dtype = np.dtype(content[0])
        data = bytes.fromhex(content[1])
        _require(len(data) == dtype.itemsize, "a NumPy scalar is malformed")
        return np.frombuffer(data, dtype)[0].astype(dtype.newbyteorder("="))

    _CONTAINERS = {"dict", "OrderedDict", "Counter", "tuple", "state_dict"}
    _DECODERS = {
        "again": _again,
        "dict": lambda self, content, depth: self._mapping(dict, content, depth),
        "OrderedDict": lambda self, content, depth: self._mapping(OrderedDict, content, depth),
        "Counter": lambda self, content, depth: self._mapping(Counter, content, depth),
        "tuple": lambda self, content, depth: tuple(self._items(content, depth)),
        "state_dict": _state_dict,
        "Size": _size,
        "tensor": _tensor,
        "int": _int,
        "float": _float,
        "bytes": _bytes,
        "dtype": _dtype,
        "device": _device,
        "numpy": _numpy,
    }


def _load_safetensors(file):
    library = _safetensors_library()
    try:
        entries = library.deserialize(file.read())
    except library.SafetensorError as error:
        raise SerializationError(f"it is not a valid safetensors file ({error})") from error
    tensors = {}
    for name, entry in entries:
        _require(
            entry["dtype"] in _SAFETENSORS,
            f"the tensor {_short(name)} has the safetensors dtype {entry['dtype']}, which minigrad lacks. Convert it "
            "first, as with tensor.float() in torch.",
        )
        native = np.dtype(_SAFETENSORS[entry["dtype"]])
        # The file is little-endian. A bytearray, so that the tensor may be written to.
        array = np.frombuffer(bytearray(entry["data"]), native.newbyteorder("<")).reshape(entry["shape"])
        tensors[name] = wrap(array.astype(native, copy=False).view(native))
    return tensors
