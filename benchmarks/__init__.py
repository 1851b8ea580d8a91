"""How fast is minigrad, beside torch and its peers, on what people do with it?

Every workload is the same mathematics written once for each library; results are checked equal before anything is
timed, the libraries take turns in one process, and medians are printed with their spread. `python -m benchmarks`
needs the extra `bench`; the peers (mygrad, autograd, tinygrad, jax, micrograd) come with the extra `peers`, and a
library that is not installed is a cell that says so.
"""
