import numpy as np
from sklearn.ensemble import GradientBoostingClassifier

from structae.evaluation.trees import boosting
from structae.evaluation.trees.histogram import Histogram


def test_the_loss_falls_as_that_of_scikit_learn():
  rng = np.random.default_rng(1)
  codes = rng.normal(size=(100, 3)).astype(np.float32)
  labels = (codes @ [1.0, 0.5, 0.0] + 0.3 * rng.normal(size=100) > 0) * 1
  labels += codes[:, 2] > 1
  ranks = Histogram(codes)
  own = boosting.fit(ranks, labels, seed=0)
  losses = own.losses(ranks.ranks, labels)[1:]
  # Some splits tie, and are drawn by lot: equal for one seed out of a few.
  exact = [
    GradientBoostingClassifier(random_state=seed).fit(codes, labels)
    for seed in range(4)
  ]
  assert any(
    np.allclose(losses[:20], model.train_score_[:20], rtol=1e-6)
    for model in exact
  )
  predicted = own.predict(ranks.ranks)
  np.testing.assert_array_equal(predicted, exact[0].predict(codes))


def test_two_classes_take_one_logistic_tree():
  rng = np.random.default_rng(2)
  codes = rng.normal(size=(120, 2)).astype(np.float32)
  labels = np.where(codes[:, 0] + 0.5 * codes[:, 1] > 0.2, 9, 4)
  exact = GradientBoostingClassifier(random_state=0).fit(codes, labels)
  ranks = Histogram(codes)
  fast = boosting.fit(ranks, labels, seed=0)
  assert fast.prior.shape == (1,)
  assert set(fast.predict(ranks.ranks)) == {4, 9}
  np.testing.assert_allclose(
    fast.importances, exact.feature_importances_, atol=0.003
  )
  losses = fast.losses(ranks.ranks, labels)[1:]
  # It reports the deviance, twice the log loss, of two classes.
  np.testing.assert_allclose(2 * losses, exact.train_score_, rtol=0.01)
