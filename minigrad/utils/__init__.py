"""torch's `utils` package: `utils.data`."""

from . import data as data
