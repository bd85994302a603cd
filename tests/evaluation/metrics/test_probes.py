import numpy as np
from sklearn.ensemble import RandomForestClassifier

from structae import evaluation
from structae.evaluation.metrics.probes import standardized


def test_a_forest_reads_factors_that_no_line_can_cut():
  rng = np.random.default_rng(0)
  factors = np.stack([rng.integers(0, 3, 300), rng.random(300) < 0.2], axis=1)
  factors = factors.astype(int)
  # The middle value lies between the others; the second factor is not there.
  codes = factors[:, :1] + 0.1 * rng.normal(size=(300, 2))
  found = evaluation.probe(
    codes[:200], factors[:200], codes[200:], factors[200:]
  )
  assert found['accuracy'][0] > 0.97
  commonest = np.bincount(factors[:200, 0]).argmax()
  chance = [(factors[200:, 0] == commonest).mean(), 1 - factors[200:, 1].mean()]
  np.testing.assert_allclose(found['chance'], chance)
  assert found['accuracy'][1] < chance[1] + 0.1


def test_other_codes_are_standardized_alike_and_constants_are_dropped():
  codes = np.array([[1.0, 5.0, 2.0], [3.0, 5.0, 6.0]])
  train, test = standardized(codes, codes + [2, 1, 4])
  np.testing.assert_array_equal(train, [[-1, -1], [1, 1]])
  np.testing.assert_array_equal(test, [[1, 1], [3, 3]])


def test_votes_are_added_in_the_order_of_the_trees():
  """Else a tie of votes would fall as threads happen to end."""
  rng = np.random.default_rng(0)
  codes, factors = rng.normal(size=(400, 3)), rng.integers(0, 8, (400, 1))
  found = {
    evaluation.probe(codes[:200], factors[:200], codes[200:], factors[200:])[
      'accuracy'
    ].item()
    for _ in range(4)
  }
  forest = RandomForestClassifier(30, min_samples_leaf=2, random_state=0)
  forest.fit(codes[:200], factors[:200, 0])
  votes = sum(tree.predict_proba(codes[200:]) for tree in forest.estimators_)
  right = forest.classes_[votes.argmax(1)] == factors[200:, 0]
  assert found == {right.mean()}
