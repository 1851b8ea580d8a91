"""One text for torch and minigrad: a workload's program in torch's own style, given the engine and the device.

Also runs that text on a GPU, eagerly and captured in a CUDA graph. Only torch's public API is used on either engine.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from .libraries import engine
from .workload import NotAvailable, Program, Workload

Maker = Callable[[ModuleType, SimpleNamespace, Any], Program]


def torch_style(workload: Workload, *, cuda_graph: bool = True) -> Callable[[Maker], Maker]:
    """Register `maker(T, data, device)` for torch and minigrad on CPU and CUDA; T is the engine's module."""

    def register(maker: Maker) -> Maker:
        @workload.program("torch", "minigrad", "torch-cuda", "minigrad-cuda")
        def eager(data: SimpleNamespace, library: str) -> Program:
            T, device = engine(library)
            return maker(T, data, device)

        @workload.program("torch-cuda-graph")
        def graph(data: SimpleNamespace, library: str) -> Program:
            if not cuda_graph:
                raise NotAvailable("a CUDA graph cannot hold a data loader")
            T, device = engine(library)
            return _capture(T, maker(T, data, device))

        return maker

    return register


def to_numpy(tensors: Any) -> list[np.ndarray]:
    return [tensor.detach().cpu().numpy() for tensor in tensors]


def on(T: ModuleType, array: np.ndarray, device: Any) -> Any:
    """`array` as a tensor of engine T on `device`; on the CPU it shares the memory."""
    tensor = T.from_numpy(array)
    return tensor if device == "cpu" else tensor.to(device)


def _capture(torch: Any, program: Program) -> Program:
    """The step as a CUDA graph; capturing runs nothing, so the first replay is the first step that counts.

    The steps that warm it up on a side stream, as torch's notes ask for, do count: results are compared after as many
    steps as the reference made, less these.
    """
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        program.step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        program.step()
    return Program(graph.replay, program.result, steps_made=1)
