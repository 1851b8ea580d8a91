"""The timed workloads, in the order of the report; import_time and memory, measured in processes, stand beside them."""

from . import (
    chain,
    cubic,
    elementwise,
    gradient_penalty,
    legendre,
    linear_regression,
    mini_batches,
    mlp,
    nodes,
    sequential,
)

WORKLOADS = (
    linear_regression.workload,
    cubic.workload,
    legendre.workload,
    sequential.workload,
    mini_batches.six,
    mini_batches.hundred,
    chain.workload,
    mlp.workload,
    elementwise.workload,
    *nodes.workloads,
    gradient_penalty.workload,
)
BY_NAME = {workload.name: workload for workload in WORKLOADS}
