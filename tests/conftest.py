"""For every test: torch on one thread, because two cores shared with other work make its thread pool crawl."""

import torch

torch.set_num_threads(1)
