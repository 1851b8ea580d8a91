"""save and load: round trips, exchange with torch, and files that are damaged or meant to harm."""

import io
import json
import os
import pickle
import stat
import struct
import sys
import tracemalloc
import warnings
import zipfile
from collections import Counter, OrderedDict, namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minigrad
from minigrad import dtypes, serialization
from minigrad.nn.parameter import Parameter
from minigrad.serialization import SerializationError, load, save
from minigrad.tensor import Tensor, wrap

TENSOR_DTYPES = [dtype.numpy for dtype in dtypes.ALL]


def round_trip(obj, **options):
    buffer = io.BytesIO()
    save(obj, buffer, **options)
    buffer.seek(0)
    return load(buffer)


def saved(obj, **options):
    buffer = io.BytesIO()
    save(obj, buffer, **options)
    return buffer.getvalue()


def equal(a, b):
    """True if the two objects are of the same types with the same bits, down to the sign of zero and nan."""
    if type(a) is not type(b):
        return False
    if isinstance(a, Tensor):
        return a.requires_grad == b.requires_grad and b.is_leaf and equal(a._array, b._array)
    if isinstance(a, (np.ndarray, np.generic)):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return len(a) == len(b) and all(
            equal(x, y) and equal(a[x], b[y]) for x, y in zip(a, b, strict=True)
        ) and equal(getattr(a, "_metadata", None), getattr(b, "_metadata", None))  # fmt: skip
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(equal, a, b))
    return repr(a) == repr(b)


arrays = st.sampled_from(TENSOR_DTYPES).flatmap(lambda d: hnp.arrays(d, hnp.array_shapes(min_dims=0, min_side=0)))
views = st.builds(lambda a, step: a[::step].T if a.ndim else a, arrays, st.sampled_from([1, 2, -1]))
tensors = st.builds(lambda a, grad: _tensor(a, grad), views, st.booleans())
keys = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=4,
)
plain = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | tensors | views
    | hnp.arrays(st.sampled_from(["<c8", "<c16", ">f4", ">i2", "<u4", "u8"]), (2, 2)) | st.sampled_from(dtypes.ALL)
    | st.lists(st.integers(0, 9)).map(dtypes.Size) | st.just(dtypes.device("cpu"))
    | hnp.from_dtype(np.dtype("f4")).map(np.float32) | hnp.from_dtype(np.dtype("i8")).map(np.int64)
    | st.booleans().map(np.bool_)
)  # fmt: skip
objects = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(keys, inner, max_size=4)
        | st.lists(st.tuples(keys, inner), max_size=4).map(OrderedDict)
        | st.dictionaries(st.text(), st.integers(), max_size=3).map(Counter)
    ),
    max_leaves=12,
)


def _tensor(array, requires_grad):
    tensor = wrap(array)
    return tensor.requires_grad_() if requires_grad and array.dtype.kind == "f" else tensor


# -- what is saved comes back -----------------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(objects)
def test_objects_come_back_as_they_were(obj):
    assert equal(round_trip(obj), obj)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text().filter(lambda key: key != "__metadata__"), tensors | views, max_size=5))
def test_flat_dicts_come_back_from_safetensors(obj):
    back = round_trip(obj, format="safetensors")
    assert set(back) == set(obj)
    for name, value in obj.items():
        array = value if isinstance(value, np.ndarray) else value._array
        assert type(back[name]) is Tensor and equal(back[name], wrap(np.array(array)))


def test_parameters_stay_parameters():
    parameter, frozen = Parameter(minigrad.ones(2, 3)), Parameter(minigrad.ones(2), requires_grad=False)
    back = round_trip([parameter, frozen])
    assert equal(back, [parameter, frozen])


def test_buffers_come_back_as_tensors():
    assert equal(round_trip([minigrad.nn.Buffer(minigrad.ones(2))]), [minigrad.ones(2)])


def test_a_computed_tensor_comes_back_as_a_leaf_as_in_torch():
    back = round_trip(minigrad.ones(2, requires_grad=True) * 2)
    assert back.requires_grad and back.is_leaf and back.tolist() == [2, 2]


def test_an_object_that_occurs_twice_stays_one():
    tensor, array = minigrad.ones(3), np.ones(3)
    back = round_trip({"a": tensor, "b": [tensor], "c": array, "d": array})
    assert back["a"] is back["b"][0] and back["c"] is back["d"]


@pytest.mark.parametrize("shared", [[1], {"a": 1}, (1, [2]), OrderedDict(a=1), Counter("aa"), []], ids=repr)
def test_a_container_that_occurs_twice_stays_one(shared):
    ours = round_trip([shared, {"b": shared, ("k", (1, (1,))): [3]}, [4]])
    assert equal(ours, [shared, {"b": shared, ("k", (1, (1,))): [3]}, [4]])
    buffer = io.BytesIO()
    torch.save([shared, {"b": shared}], buffer)
    theirs = torch.load(io.BytesIO(buffer.getvalue()), weights_only=False)
    assert (ours[0] is ours[1]["b"]) == (theirs[0] is theirs[1]["b"]) is True


def test_containers_of_containers_are_written_once():
    nested = [1]
    for _ in range(90):
        nested = [nested, nested]
    content = saved({"a": nested, "b": nested})
    assert len(content) < 4000
    loaded = load(io.BytesIO(content))
    assert loaded["a"] is loaded["b"] and loaded["a"][0] is loaded["a"][1]


def test_a_state_dict_that_occurs_twice_stays_one():
    state = minigrad.nn.Linear(1, 1).state_dict()
    first, second, last = round_trip([state, state, [state]])
    assert first is second is last[0] and first._metadata == state._metadata


def test_tied_weights_stay_tied_and_are_written_once():
    weight = Parameter(minigrad.zeros(100, 100))
    content = saved(OrderedDict(first=weight, second=weight.detach(), alone=weight.detach().clone()))
    assert len(content) < 2.2 * 40_000
    back = load(io.BytesIO(content))
    with minigrad.no_grad():
        back["first"].fill_(5.0)
    assert back["second"][0, 0].item() == 5 and back["alone"][0, 0].item() == 0


def test_a_version_counter_is_shared_by_tensors_that_share_memory():
    x = minigrad.ones(2)
    first, second = round_trip([x, x.detach()])
    y = (first.requires_grad_() * 1).exp()
    z = minigrad.ones(2, requires_grad=True) * second
    with minigrad.no_grad():
        first.fill_(3.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()
    assert y.requires_grad


def test_what_was_loaded_can_be_written_to():
    for format in ("npz", "safetensors"):
        back = round_trip({"a": minigrad.ones(2)}, format=format)["a"]
        back += 1
        assert back.tolist() == [2, 2]


def test_a_training_run_resumes_where_it_stopped(tmp_path):
    def start():
        minigrad.manual_seed(0)
        model = minigrad.nn.Sequential(minigrad.nn.Linear(2, 4), minigrad.nn.ReLU(), minigrad.nn.Linear(4, 1))
        return model, minigrad.optim.Adam(model.parameters(), lr=0.1)

    def step(model, optimizer):
        optimizer.zero_grad()
        model(minigrad.ones(3, 2)).pow(2).sum().backward()
        optimizer.step()

    model, optimizer = start()
    for _ in range(3):
        step(model, optimizer)
    save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}, tmp_path / "run.pt")
    for _ in range(3):
        step(model, optimizer)

    resumed, resumed_optimizer = start()
    checkpoint = load(tmp_path / "run.pt", map_location="cpu", weights_only=True)
    resumed.load_state_dict(checkpoint["model"])
    resumed_optimizer.load_state_dict(checkpoint["optimizer"])
    assert checkpoint["epoch"] == 3
    for _ in range(3):
        step(resumed, resumed_optimizer)
    assert all(equal(a, b) for a, b in zip(model.parameters(), resumed.parameters()))


def test_paths_of_every_kind_and_file_objects(tmp_path):
    obj = {"a": minigrad.ones(2)}
    for number, path in enumerate([tmp_path / "x", str(tmp_path / "y"), os.fsencode(tmp_path / "z.npz")]):
        save([obj, number], path)
        assert equal(load(path), [obj, number])
    with open(tmp_path / "object", "wb") as file:
        save(obj, file)
    with open(tmp_path / "object", "rb") as file:
        assert equal(load(file), obj)
    save(obj, tmp_path / "w.safetensors")
    assert equal(load(tmp_path / "w.safetensors"), obj)


def test_the_same_object_gives_the_same_bytes_and_no_format_moves():
    obj = {"weight": wrap(np.arange(3, dtype=np.float32)), "lr": 0.1}
    assert saved(obj) == saved(obj)


def test_numpy_reads_the_arrays_by_name(tmp_path):
    save(
        {"model": {"0.weight": minigrad.ones(2), "a/b": minigrad.zeros(1), "A/B": minigrad.zeros(2)}},
        tmp_path / "m.npz",
    )
    with np.load(tmp_path / "m.npz", allow_pickle=False) as archive:
        assert archive["model.0.weight"].tolist() == [1, 1]
        assert len([name for name in archive if name.startswith("tensor.")]) == 2


# -- exchange with torch ----------------------------------------------------------------------------------------------


def test_torch_users_read_our_safetensors_and_we_theirs(tmp_path):
    from safetensors.torch import load_file, save_file

    rng = np.random.default_rng(0)
    ours = {d.name: wrap((rng.normal(size=(3, 2)) * 9).astype(d.numpy).T) for d in dtypes.ALL}
    save(ours, tmp_path / "ours.safetensors")
    read = load_file(tmp_path / "ours.safetensors")
    assert all(torch.equal(read[name], torch.from_numpy(tensor._array.copy())) for name, tensor in ours.items())
    save_file({name: tensor.clone() for name, tensor in read.items()}, tmp_path / "theirs.safetensors")
    assert all(
        equal(tensor, wrap(np.array(ours[name]._array)))
        for name, tensor in load(tmp_path / "theirs.safetensors").items()
    )


def test_a_dtype_that_minigrad_lacks_is_named(tmp_path):
    from safetensors.torch import save_file

    save_file({"w": torch.ones(2, dtype=torch.bfloat16)}, tmp_path / "b.safetensors")
    with pytest.raises(SerializationError, match=r"'w' has the safetensors dtype BF16.*tensor\.float\(\) in torch"):
        load(tmp_path / "b.safetensors")


def test_a_missing_safetensors_library_names_the_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ImportError, match=r"minigrad\[safetensors\]"):
        save({}, tmp_path / "w.safetensors")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("zipped", [True, False])
def test_torchs_own_files_are_refused_with_the_way_out(zipped, tmp_path):
    torch.save({"w": torch.ones(2)}, tmp_path / "w.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(SerializationError, match=r"w\.pt.*never unpickles.*safetensors\.torch\.save_file"):
        load(tmp_path / "w.pt")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_pickles_are_refused_unopened(protocol, tmp_path):
    class Harm:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    (tmp_path / "p").write_bytes(pickle.dumps(Harm(), protocol))
    with pytest.raises(SerializationError, match="this is a pickle"):
        load(tmp_path / "p")
    assert not (tmp_path / "harm").exists()


# -- what cannot be saved ---------------------------------------------------------------------------------------------

Point = namedtuple("Point", "x y")


class _Subclass(Tensor):
    pass


def _circle():
    circle = {"a": []}
    circle["a"].append(circle)
    return circle


def _deep(depth):
    obj = []
    for _ in range(depth):
        obj = [obj]
    return obj


UNSUPPORTED = [
    (lambda: {"optimizer": {"state": [len]}}, r"obj\['optimizer'\]\['state'\]\[0\]: cannot save a function \(len\)"),
    (lambda: {"a": (1, lambda: 0)}, r"obj\['a'\]\[1\]: cannot save a function"),
    (lambda: [Parameter], r"obj\[0\]: cannot save the class Parameter"),
    (lambda: minigrad.nn.Linear(1, 1), r"obj: cannot save an object of type .*Linear\. Save its state_dict\(\)"),
    (lambda: {1: {2, 3}}, r"obj\[1\]: cannot save an object of type set\. Save sorted"),
    (lambda: [Point(1, 2)], r"obj\[0\]: .*Point\. Save tuple\(value\)"),
    (lambda: {"x": np.str_("a")}, r"obj\['x'\]: .*Save str\(value\)"),
    (lambda: {"x": np.array([None])}, r"obj\['x'\]: cannot save an array of dtype object"),
    (lambda: {"x": np.array(["a"])}, r"obj\['x'\]: cannot save an array of dtype <U1"),
    (lambda: {"x": np.zeros(2, "M8[s]")}, r"obj\['x'\]: cannot save an array of dtype datetime64"),
    (lambda: {frozenset(): 1}, r"obj: cannot save a dict whose key frozenset\(\) is"),
    (lambda: {"a": {(1, len): 1}}, r"obj\['a'\]: cannot save a dict whose key"),
    (lambda: [_Subclass.__new__(_Subclass)], r"obj\[0\]: .*save value\.detach\(\) as a plain Tensor"),
    (_circle, r"obj\['a'\]\[0\]: cannot save a dict that contains itself"),
    (lambda: _deep(101), r"nested more than 100 deep"),
]


@pytest.mark.parametrize("make, message", UNSUPPORTED)
def test_what_cannot_be_saved_is_named_before_anything_is_written(make, message, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(SerializationError, match=message):
        save(make(), path)
    buffer = io.BytesIO()
    with pytest.raises(SerializationError):
        save(make(), buffer)
    assert [p.name for p in tmp_path.iterdir()] == ["file"] and path.read_bytes() == b"old"
    assert not buffer.getvalue()


@pytest.mark.parametrize(
    "obj, message",
    [
        ([], "obj: a safetensors file holds one flat dict of tensors, not an object of type list"),
        ({"a": 1}, r"obj\['a'\]: a safetensors file holds tensors only, not an object of type int"),
        ({"a": {"b": 1}}, r"obj\['a'\]: .*\.npz"),
        ({1: np.ones(1)}, r"obj\[1\]: the names .* are str"),
        ({"__metadata__": np.ones(1)}, "__metadata__"),
        ({"c": np.ones(1, "c8")}, r"obj\['c'\]: cannot save an array of dtype complex64"),
    ],
)
def test_what_safetensors_cannot_hold(obj, message, tmp_path):
    with pytest.raises(SerializationError, match=message):
        save(obj, tmp_path / "a.safetensors")
    assert not list(tmp_path.iterdir())


def test_the_deepest_allowed_nesting_comes_back():
    assert equal(round_trip(_deep(99)), _deep(99))
    nested = {}
    for _ in range(99):
        nested = {"a": nested}
    assert equal(round_trip(nested), nested)


def test_arguments_of_torchs_pickles_are_taken(tmp_path):
    path = tmp_path / "file"
    save([1], path, None, 2, _use_new_zipfile_serialization=False)
    for options in ({"mmap": True}, {"mmap": None}, {"pickle_module": None}, {"map_location": {"cuda:0": "cpu"}},
                    {"map_location": lambda storage, location: storage}, {"weights_only": None}):  # fmt: skip
        assert load(path, **options) == [1]
    assert load(path, None, None) == [1]


def test_arguments_that_make_no_sense(tmp_path):
    with pytest.raises(TypeError, match="'int' object is not callable"):
        load(io.BytesIO(saved({})), map_location=3)
    with pytest.raises(ValueError, match="f must be a file path in order to use the mmap argument"):
        load(io.BytesIO(saved({})), mmap=True)
    for call in (lambda: save({}, 3), lambda: load(3)):
        with pytest.raises(AttributeError, match="expected 'f' to be string, path, or a file-like object.*not int"):
            call()
    with pytest.raises(RuntimeError, match=r"Parent directory .*nowhere does not exist"):
        save({}, tmp_path / "nowhere" / "file")
    with pytest.raises(IsADirectoryError):
        save({}, tmp_path)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nothing")
    with pytest.raises(ValueError, match="unknown format 'hdf5': expected 'npz' or 'safetensors'"):
        save({}, tmp_path / "a", format="hdf5")
    with pytest.raises(TypeError, match="mode 'wb'"):
        save({}, io.StringIO())
    with pytest.raises(TypeError, match="mode 'rb'"):
        load(io.StringIO("text"))
    with pytest.raises(RuntimeError, match="cuda"):
        load(io.BytesIO(saved({})), map_location="cuda")


# -- a save that fails leaves the old file ----------------------------------------------------------------------------


@pytest.mark.parametrize("failing", ["write_array", "fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failing_save_leaves_the_old_file_and_no_litter(failing, error, monkeypatch, tmp_path):
    save({"a": minigrad.ones(2)}, tmp_path / "file")

    def fail(*args, **kwargs):
        raise error

    where = np.lib.format if failing == "write_array" else os
    monkeypatch.setattr(where, failing, fail)
    with pytest.raises(type(error)):
        save({"a": minigrad.zeros(1000)}, tmp_path / "file")
    monkeypatch.undo()
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert equal(load(tmp_path / "file"), {"a": minigrad.ones(2)})


@pytest.mark.skipif(os.name != "posix", reason="POSIX file modes and links")
def test_modes_and_links_stay(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    save(1, target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~_umask()
    target.chmod(0o640)
    link.symlink_to(target)
    save(2, link)
    assert link.is_symlink() and load(target) == 2 and stat.S_IMODE(target.stat().st_mode) == 0o640
    save(3, "/dev/null")
    assert Path("/dev/null").is_char_device()


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


# -- files that lie ---------------------------------------------------------------------------------------------------

EXAMPLE = {
    "model": OrderedDict(weight=np.arange(6.0).reshape(2, 3), bias=np.float32([1, 2])),
    "lr": 0.1,
    "n": [1, None, "a"],
}
CONTENT = saved(EXAMPLE)


def _entries(content=CONTENT):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _zip(entries, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in entries.items() if isinstance(entries, dict) else entries:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # of a name that comes twice
                archive.writestr(name, content)
    return buffer.getvalue()


def _structure(change):
    """The example with its structure changed by `change`, a function of the parsed JSON."""
    entries = _entries()
    document = json.loads(entries["structure.json"])
    entries["structure.json"] = json.dumps(change(document) or document)
    return _zip(entries)


def _header(text, payload=b"", version=b"\x01\x00"):
    """The example with one array replaced."""
    entries = _entries()
    text = text.encode() + b"\n"
    entries["model.bias.npy"] = b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text + payload
    return _zip(entries)


def _object(node):
    return _structure(lambda document: {**document, "object": node})


def _row(**changes):
    return _structure(lambda document: document["tensors"][0].update(changes))


def _structure_text(old, new):
    entries = _entries()
    return _zip({**entries, "structure.json": entries["structure.json"].replace(old, new)})


_SHAPE = "{{'descr': '<f4', 'fortran_order': False, 'shape': {}, }}"

LIES = {
    "empty": (b"", "the file is empty"),
    "text": (b"hello, this is no file of ours", "neither a file of minigrad.save nor"),
    "one array": (b"\x93NUMPY\x01\x00" + b" " * 100, r"numpy\.load"),
    "only the start": (b"PK\x03\x04", "damaged"),
    "a plain npz": (_zip({"a.npy": b""}), "no structure.json"),
    "an entry outside": (_zip({**_entries(), "../../harm.npy": b""}), r"'\.\./\.\./harm\.npy' does not belong"),
    "an extra entry": (_zip({**_entries(), "extra": b""}), "'extra' does not belong there"),
    "an absent array": (_zip({k: v for k, v in _entries().items() if "bias" not in k}), "'model.bias.npy' is missing"),
    "a name twice": (_zip([*_entries().items(), ("model.bias.npy", b"")]), "more than once"),
    "compression": (_zip(_entries(), zipfile.ZIP_DEFLATED), "compressed"),
    "foreign bytes": (b"PK\x03\x04" + b"x" * 50 + CONTENT, "foreign bytes"),
    "no JSON": (_zip({**_entries(), "structure.json": b"{"}), "damaged"),
    "not ASCII": (_zip({**_entries(), "structure.json": b"\xff"}), "damaged"),
    "another JSON": (_zip({"structure.json": b"[]"}), "not one of minigrad's"),
    "a later version": (_structure(lambda d: d.update(version=2)), "format version 2, .* reads version 1"),
    "unknown parts": (_structure(lambda d: d.update(more=2)), "unknown parts"),
    "deep JSON": (_zip({**_entries(), "structure.json": b"[" * 200_000 + b"]" * 200_000}), "nested"),
    "deep object": (_object(json.loads("[" * 150 + "]" * 150)), "nested more than 100 deep"),
    "NaN": (_zip({**_entries(), "structure.json": b'{"format": NaN}'}), "NaN"),
    "beyond float": (_structure_text(b"0.1", b"1e999"), "float64"),
    "a long int": (_structure_text(b"0.1", b"1" * 5000), "an int"),
    "a key twice": (_object({"dict": [["a", 1], ["a", 2]]}), "'a' twice"),
    "JSON twice": (_zip({**_entries(), "structure.json": b'{"a": 1, "a": 2}'}), "twice"),
    "list as key": (_object({"dict": [[[], 1]]}), "key that save does not write"),
    "tensor as key": (_object({"dict": [[{"tensor": 0}, 1]]}), "key that save does not write"),
    "no pair": (_object({"dict": [["a"]]}), "not a list of pairs"),
    "no pairs": (_object({"dict": "ab"}), "not a list of pairs"),
    "unknown tag": (_object({"__class__": "os.system"}), "unknown kind '__class__'"),
    "proto": (_object({"__proto__": {}}), "unknown kind '__proto__'"),
    "two tags": (_object({"dict": [], "list": []}), "malformed value"),
    "tensor number": (_object({"tensor": 2}), "out of range"),
    "negative tensor": (_object({"tensor": -1}), "out of range"),
    "bool tensor": (_object({"tensor": True}), "out of range"),
    "bad bytes": (_object({"bytes": "*"}), "bytes are malformed"),
    "bad float": (_object({"float": "1e5"}), "a float is malformed"),
    "bad int": (_object({"int": "zz"}), "an int is malformed"),
    "bad size": (_object({"Size": ["a"]}), "a Size"),
    "bad dtype": (_object({"dtype": "object"}), "dtype 'object' is unknown"),
    "bad device": (_object({"device": "nonsense"}), "damaged"),
    "bad scalar": (_object({"numpy": ["<f4", "00"]}), "scalar is malformed"),
    "short float scalar": (_object({"numpy": ["<f1", "00"]}), "scalar is malformed"),
    "long bool scalar": (_object({"numpy": ["<b2", "0000"]}), "scalar is malformed"),
    "a container that is not there": (_object([[], {"again": 1}]), "container's number is out of range"),
    "a container before it is made": (_object([{"again": 0}]), "container's number is out of range"),
    "negative container": (_object([[], {"again": -1}]), "container's number is out of range"),
    "a container as key": (_object([{"tuple": []}, {"dict": [[{"again": 0}, 1]]}]), "key that save does not write"),
    "a container in a key": (
        _object([{"tuple": []}, {"dict": [[{"tuple": [{"again": 0}]}, 1]]}]),
        "key that save does not write",
    ),
    "deep key": (_object({"dict": [[json.loads('{"tuple": [' * 150 + "]}" * 150), 1]]}), "nested more than 100 deep"),
    "no tuple as key": (_object({"dict": [[{"tuple": 1}, 1]]}), "not a list"),
    "object scalar": (_object({"numpy": ["|O8", "00"]}), "scalar is malformed"),
    "bad state dict": (_object({"state_dict": []}), "state dict"),
    "bad row": (_row(more=1), "row is malformed"),
    "bad kind": (_row(kind="pickle"), "kind is unknown"),
    "bad grad": (_row(requires_grad=1), "no bool"),
    "bad name": (_row(array="../x.npy"), "name is not allowed"),
    "no rows": (_structure(lambda d: d.update(tensors={})), "not a list"),
    "objects": (_header("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", b"x"), "save does not write"),
    "code": (_header("__import__('os').system('true')"), "save does not write"),
    "a longer shape": (_header(_SHAPE.format("(3,)"), bytes(8)), r"shape \(3,\).*holds 8 bytes"),
    "a shorter shape": (_header(_SHAPE.format("(1,)"), bytes(8)), "holds 8 bytes"),
    "a bomb": (_header(_SHAPE.format("(1000000000000,)"), bytes(8)), "holds 8 bytes"),
    "an overflow": (_header(_SHAPE.format("(4611686018427387904, 4)"), b""), "holds 0 bytes"),
    "an overflow times 0": (_header(_SHAPE.format("(9223372036854775807, 0)"), b""), "holds 0 bytes"),
    "many axes": (_header(_SHAPE.format("(" + "1, " * 60 + "1)"), bytes(4)), "holds 4 bytes"),
    "a negative size": (_header(_SHAPE.format("(-1,)"), b""), "save does not write"),
    "an unknown dtype": (_header(_SHAPE.format("(1,)").replace("<f4", "<f3"), bytes(3)), "unknown dtype"),
    "npy version": (_header(_SHAPE.format("(2,)"), bytes(8), b"\x09\x00"), r"not an array of \.npy version"),
    "no header": (_zip({**_entries(), "model.bias.npy": b"\x93NUMPY\x01\x00"}), r"not an array of \.npy"),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_dishonest_file_is_refused_with_its_reason(lie, tmp_path):
    content, message = LIES[lie]
    path = tmp_path / "file"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(SerializationError, match=message) as caught:
            load(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert f"cannot load '{path}'" in str(caught.value)
    assert peak < 40 * len(content) + 2**20
    assert path.read_bytes() == content and len(list(tmp_path.iterdir())) == 1


def test_a_tensor_cannot_take_a_complex_array_nor_require_grad_of_ints():
    def as_tensor(array, **changes):
        entries = _entries(saved([array]))
        document = json.loads(entries["structure.json"])
        document["tensors"][0].update({"kind": "tensor", **changes})
        return _zip({**entries, "structure.json": json.dumps(document)})

    with pytest.raises(SerializationError, match="complex64, which no Tensor has"):
        load(io.BytesIO(as_tensor(np.ones(1, "c8"))))
    with pytest.raises(SerializationError, match="cannot require grad"):
        load(io.BytesIO(as_tensor(np.ones(1, "i8"), requires_grad=True)))


@pytest.mark.parametrize("format", ["npz", "safetensors"])
def test_every_truncation_is_refused(format):
    content = saved({"a": np.arange(4.0), "b": np.ones(1)}, format=format)
    for length in range(len(content)):
        with pytest.raises(SerializationError):
            load(io.BytesIO(content[:length]))


def test_every_damaged_byte_is_refused_or_changes_nothing():
    """A flipped bit may hit a byte without meaning (a date, a flag); it never gives other data or another error."""
    unnoticed = 0
    for position in range(len(CONTENT)):
        for bit in (0, 3, 7):
            damaged = bytearray(CONTENT)
            damaged[position] ^= 1 << bit
            try:
                back = load(io.BytesIO(bytes(damaged)))
            except SerializationError:
                continue
            unnoticed += 1
            assert equal(back, EXAMPLE)
    assert unnoticed < len(CONTENT)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_random_bytes_raise_the_one_error_or_hold_what_can_be_saved(data):
    content = bytearray(data.draw(st.sampled_from([CONTENT, saved({"a": np.ones(2)}, format="safetensors")])))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        content[start : start + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=20))
    try:
        loaded = load(io.BytesIO(bytes(content)))
    except SerializationError:
        return
    assert equal(load(io.BytesIO(saved(loaded))), loaded)


@pytest.mark.parametrize(
    "header",
    [
        {"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 8]}},
        {"a": {"dtype": "F32", "shape": [2**62, 4], "data_offsets": [0, 8]}},
        {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 2**60]}},
        {"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}},
        {name: {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} for name in "ab"},
        {"a": {"dtype": "O", "shape": [2], "data_offsets": [0, 8]}},
        {"a": [[]]},
    ],
)  # fmt: skip
def test_dishonest_safetensors_headers(header):
    text = json.dumps(header).encode()
    with pytest.raises(SerializationError):
        load(io.BytesIO(struct.pack("<Q", len(text)) + text + bytes(8)))
    with pytest.raises(SerializationError):
        load(io.BytesIO(struct.pack("<Q", 2**63) + text + bytes(8)))


def test_no_pickle_in_the_module():
    source = Path(serialization.__file__).read_text()
    assert "import pickle" not in source and "allow_pickle=True" not in source
