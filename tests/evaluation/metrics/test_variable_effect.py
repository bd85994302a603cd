"""The effect of variables, against what a linear decoder must give."""

import numpy as np
import pytest

from structae.evaluation import sobol, variable_effect

K, D, P = 4, 2, 30


def linear(seed=0):
  """A linear decoder, and codes whose first variable is constant."""
  rng = np.random.default_rng(seed)
  weights = rng.normal(size=(K, D, P))
  codes = rng.normal(size=(25, K, D)) * np.arange(K)[:, None]
  codes[:, 3] += codes[:, 2]  # dependent variables keep their own effect
  return weights, codes, lambda c: np.einsum('nkd,kdp->np', c, weights)


def test_a_linear_decoder_has_the_variance_of_each_variable_s_part():
  weights, codes, decode = linear()
  found = variable_effect(decode, codes, num_partners=len(codes) - 1)
  # Mean squared differences over all pairs are twice the variance.
  parts = [np.cov(codes[:, k].T) for k in range(K)]
  squares = [np.trace(w.T @ cov @ w) for w, cov in zip(weights, parts)]
  total = np.trace(np.cov(decode(codes).T))
  assert found['variable_effect'].shape == (K, 1)
  np.testing.assert_allclose(
    found['variable_effect'][:, 0], np.array(squares) / total, rtol=1e-10
  )
  assert found['variable_effect'][0, 0] == 0 and found['used_variables'] == 3


def test_one_partner_estimates_the_mean_over_all():
  rng = np.random.default_rng(1)
  weights = rng.normal(size=(K, 1, P))
  codes = rng.normal(size=(4000, K, 1))
  decode = lambda c: np.einsum('nkd,kdp->np', c, weights)
  found = variable_effect(decode, codes)['variable_effect'][:, 0]
  exact = (weights**2).sum((1, 2))
  np.testing.assert_allclose(found, exact / exact.sum(), rtol=0.1)


def test_effects_know_no_scale_and_follow_the_variables():
  _, codes, decode = linear()
  effect = lambda d, c: variable_effect(d, c)['variable_effect']
  base = effect(decode, codes)
  image = lambda c: 7 - 3 * decode(c).reshape(-1, 5, 3, 2)
  np.testing.assert_allclose(effect(image, codes), base, rtol=1e-9)
  order = [2, 0, 3, 1]
  back = lambda c: decode(c[:, np.argsort(order)])
  np.testing.assert_allclose(
    effect(back, codes[:, order]), base[order], rtol=1e-9
  )


def test_bytes_do_not_wrap_around():
  codes = np.array([[[0.0], [1.0]], [[1.0], [1.0]]])
  decode = lambda c: (255 * c[:, :1]).astype(np.uint8)
  found = variable_effect(decode, codes)
  # Two images, 0 and 255: their variance is half the squared difference.
  np.testing.assert_allclose(found['variable_effect'], [[1], [0]])


def test_the_threshold_counts():
  _, codes, decode = linear()
  effect = variable_effect(decode, codes)['variable_effect'][:, 0]
  for threshold in (0.0, *effect, 2.0):
    found = variable_effect(decode, codes, threshold=threshold)
    assert found['used_variables'] == (effect >= threshold).sum()


@pytest.mark.parametrize(
  'codes, options, message',
  [
    (np.ones((5, 2)), {}, r'got shape \(5, 2\)'),
    (np.ones((1, 2, 1)), {}, 'N of 2 or more'),
    (np.ones((5, 2, 1)), {}, 'all images are the same'),
    (np.ones((5, 2, 1)), {'num_partners': 5}, r'expected 1 \.\.\. 4'),
  ],
)
def test_unfit_codes_are_refused(codes, options, message):
  with pytest.raises(ValueError, match=message):
    variable_effect(lambda c: c, codes, **options)


def test_the_indices_of_ishigami_s_function():
  """Ishigami and Homma, 1990: three inputs, all in closed form."""
  a, b = 7.0, 0.1
  function = lambda x: (
    np.sin(x[:, 0])
    + a * np.sin(x[:, 1]) ** 2
    + b * x[:, 2] ** 4 * np.sin(x[:, 0])
  )
  draws = np.random.default_rng(0).uniform(-np.pi, np.pi, (2, 200_000, 3))
  found = sobol(function, *draws)
  both = 8 * b**2 * np.pi**8 / 225  # of inputs 1 and 3 together
  alone = [(1 + b * np.pi**4 / 5) ** 2 / 2, a**2 / 8, 0]
  variance = sum(alone) + both
  np.testing.assert_allclose(found.main, np.array(alone) / variance, atol=0.01)
  total = np.array([alone[0] + both, alone[1], both]) / variance
  np.testing.assert_allclose(found.total, total, atol=0.01)
