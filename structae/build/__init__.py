"""From a checked config to images, a model, its loss and its optimizer."""

from structae.build.images import digests, held_out, labelled, source, split
from structae.build.losses import images_per_update, loss
from structae.build.models import (
  PRECISIONS,
  codec,
  critic,
  functions,
  init,
  model,
)
from structae.build.optimizers import optimizer

__all__ = [
  'PRECISIONS', 'codec', 'critic', 'digests', 'functions', 'held_out',
  'images_per_update', 'init', 'labelled', 'loss', 'model', 'optimizer',
  'source', 'split',
]  # fmt: skip
