"""torch's `utils` package: `utils.data`, `utils.dlpack`."""

from . import data as data
from . import dlpack as dlpack
