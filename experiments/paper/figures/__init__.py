"""The paper's figures from saved runs.

Every figure is a function of runs (`extrapolation`: of the content of the files
`extrapolation.json`) and returns what it shows by the stem of a file: a plot, a
sheet `[H, W, 3]` uint8, or Markdown. Published values stand beside runs on the
same data only.

Source: Leeb et al., Structure by Architecture: Structured Representations
without Regularization, https://arxiv.org/abs/2006.07796
"""

from experiments.paper.figures.factors import disentanglement, mpi3d_toy
from experiments.paper.figures.overview import families
from experiments.paper.figures.quality import (
  reconstruction_quality,
  sample_quality,
)
from experiments.paper.figures.retraining import extrapolation
from experiments.paper.figures.sheets import (
  controllable,
  sample_sheets,
  traversals,
)
from experiments.paper.figures.trade_off import bce_against_fid
from experiments.paper.figures.variables import unused_variables

__all__ = [
  'bce_against_fid',
  'controllable',
  'disentanglement',
  'extrapolation',
  'families',
  'mpi3d_toy',
  'reconstruction_quality',
  'sample_quality',
  'sample_sheets',
  'traversals',
  'unused_variables',
]
