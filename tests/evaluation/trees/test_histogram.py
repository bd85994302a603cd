import numpy as np

from structae.evaluation.trees import histogram
from structae.evaluation.trees.histogram import Histogram


def test_sums_over_bins_are_sums_over_rows():
  rng = np.random.default_rng(3)
  codes = np.stack([rng.normal(size=700), rng.integers(0, 4, 700)], axis=1)
  values = rng.normal(size=(700, 2))
  ranks = Histogram(codes)
  sums = ranks.cumulative(values)
  assert len(ranks.ends[0]) == histogram.NUM_BINS + 1
  for i, (ends, order) in enumerate(zip(ranks.ends, ranks.order)):
    assert (np.diff(codes[order, i]) >= 0).all()
    for b, end in enumerate(ends):
      np.testing.assert_allclose(sums[b, i], values[order[:end]].sum(0))
