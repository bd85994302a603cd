import numpy as np
import pytest

from structae import evaluation


@pytest.mark.parametrize(
  'change, message',
  [
    (lambda z, v: (z[:, :1], v), 'codes have 1'),
    (lambda z, v: (z[:-1], v), '599 rows of codes, but 600 of factors'),
    (lambda z, v: (z * np.inf, v), '3600 values that are not finite'),
    (lambda z, v: (z, v * 0 + 2), 'factor 0 is constant: 2 in all 600 rows'),
    (lambda z, v: (z, v - 1), 'must not be negative, got -1'),
    (lambda z, v: (z, v + 0.5), r'integers that name a class, got \d.5 at'),
    (lambda z, v: (z, v.astype(str)), 'factors are text; number its values'),
    (lambda z, v: (z[:1], v[:1]), '1 rows of codes, expected 2 or more'),
    (lambda z, v: (z[:, :, None], v), r'got shape \(600, 6, 1\); reshape'),
  ],
)
def test_unfit_arrays_are_named(change, message, pair):
  with pytest.raises(ValueError, match=message):
    evaluation.mig(*change(*pair))


def test_parts_must_have_the_same_columns(split):
  z, v, test_z, test_v = split
  with pytest.raises(ValueError, match='codes have 4 columns, test_codes 3'):
    evaluation.sap(z, v, test_z[:, :3], test_v)
  with pytest.raises(ValueError, match='factors have 2 columns'):
    evaluation.explicitness(z, v, test_z, test_v[:, :1])
