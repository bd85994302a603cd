"""Scores of Gaussian posteriors: what they cost, and the bound they give."""

import numpy as np

from structae.evaluation import uncertainty
from structae.evaluation.codes import numbered
from structae.evaluation.inputs import Answer, Found, Inputs

# The least variance of the mean of a number that counts as active.
ACTIVE = 0.01


def divergence(mean: np.ndarray, log_var: np.ndarray) -> np.ndarray:
  """KL from N(mean, exp(log_var)) to N(0, 1), number by number, in nats.

  Source: Kingma and Welling, https://arxiv.org/abs/1312.6114, appendix B.
  """
  m, v = mean.astype(np.float64), log_var.astype(np.float64)
  return (m**2 + np.exp(v) - 1 - v) / 2


def posterior(inputs: Inputs) -> Answer:
  """What posteriors take beyond the prior, and which numbers are active.

  Source: of active units, Burda et al., https://arxiv.org/abs/1509.00519,
    section 5.2.
  """
  test = inputs.test
  assert test and test.log_var is not None
  nats = divergence(test.codes, test.log_var).sum(2)
  names = test.variable_names or numbered(nats.shape[1])
  total = uncertainty.mean(nats.sum(1))
  variance = test.codes.var(0, ddof=1 if len(nats) > 1 else 0, dtype=np.float64)
  return Answer(
    [
      *(
        Found('kl', float(value), len(nats), of)
        for of, value in zip(names, nats.mean(0))
      ),
      Found('kl_total', total.mean, len(nats), more=total.interval),
      Found('active_units', int((variance > ACTIVE).sum()), len(nats)),
    ],
    details={'posterior': {'active': ACTIVE}},
  )


def elbo(inputs: Inputs) -> Answer:
  """The evidence lower bound of test examples, of one code each.

  Source: Kingma and Welling, https://arxiv.org/abs/1312.6114, equation 3.
  """
  test = inputs.test
  assert test and test.log_var is not None and inputs.reconstruct_sampled
  loss = inputs.reconstruct_sampled(test.indices)['loss']
  nats = divergence(test.codes, test.log_var).sum((1, 2))
  found = uncertainty.mean(-(loss + nats))
  return Answer([Found('elbo', found.mean, found.num, more=found.interval)])
