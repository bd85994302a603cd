"""Codes that mix factors, with noise."""

import numpy as np
import pytest


@pytest.fixture
def pair():
  """Codes of 6 latents and 3 factors: `[600, 6]` and `[600, 3]`."""
  rng = np.random.default_rng(0)
  factors = np.stack([rng.integers(0, k, 600) for k in (3, 5, 4)], axis=1)
  codes = factors @ rng.normal(size=(3, 6)) + rng.normal(size=(600, 6))
  return codes, factors


@pytest.fixture
def split():
  """Codes of 4 latents and 2 factors: 200 rows, and 100 held out."""
  rng = np.random.default_rng(0)
  factors = np.stack([rng.integers(0, k, 300) for k in (3, 2)], axis=1)
  codes = factors @ rng.normal(size=(2, 4)) + 0.7 * rng.normal(size=(300, 4))
  return codes[:200], factors[:200], codes[200:], factors[200:]
