import numpy as np
import pytest

from structae.evaluation.images import features, frechet
from structae.evaluation.images import fid as inception_distance
from structae.evaluation.images import statistics as feature_statistics
from structae.evaluation.images import weights as inception_weights
from structae.evaluation.images.weights import Weights
from tests.evaluation.images import random_inception

# The first depth alone: the rest of the network is never compiled.
SHALLOW = {'num_dimensions': 64, 'batch_size': 4}


@pytest.fixture(scope='module')
def weights():
  tensors = random_inception.tensors()
  variables, digest = inception_weights._to_variables(tensors, 'random')
  return Weights(variables, digest, False)


@pytest.fixture(scope='module')
def images():
  rng = np.random.default_rng(0)
  return rng.integers(0, 256, (11, 16, 16, 3), np.uint8)


def test_how_images_are_cut_into_batches_does_not_matter(weights, images):
  whole = features.inception_features(images, weights, **SHALLOW)
  assert whole.shape == (11, 64) and whole.dtype == np.float32
  parts = np.split(images, [1, 1, 7, 9])
  for source in (parts, iter(parts)):
    actual = features.inception_features(source, weights, **SHALLOW)
    np.testing.assert_array_equal(actual, whole)
  # Other neighbours in the batch, other places of the filler.
  turned = features.inception_features(images[::-1], weights, **SHALLOW)
  np.testing.assert_allclose(turned[::-1], whole, rtol=1e-4, atol=1e-5)


def test_grey_images_are_their_three_equal_channels(weights, images):
  grey = images[:4, ..., :1]
  one = features.inception_features(grey, weights, **SHALLOW)
  three = features.inception_features(grey.repeat(3, -1), weights, **SHALLOW)
  np.testing.assert_allclose(one, three, rtol=1e-5)


def test_bad_images_are_named(weights, images):
  def extract(images, **settings):
    return features.inception_features(images, weights, **settings)

  with pytest.raises(ValueError, match='uint8 in 0..255, got float'):
    extract(images / 255)
  with pytest.raises(ValueError, match=r'1 or 3\], got shape \(16, 16, 3\)'):
    extract([images[0]])
  with pytest.raises(ValueError, match='in one set'):
    extract([images, images[:, :8]])
  with pytest.raises(ValueError, match='no images'):
    extract([])
  with pytest.raises(ValueError, match='no images'):
    extract(images[:0])
  with pytest.raises(ValueError, match='one of .64, 192'):
    extract(images, num_dimensions=100)
  with pytest.raises(ValueError, match='batch_size'):
    extract(images, batch_size=0)


def test_fid_is_the_frechet_distance_of_the_features(weights, images):
  others = 255 - images[:8]
  actual = inception_distance.fid(
    images, [others[:3], others[3:]], weights, **SHALLOW
  )
  a, b = (
    features.inception_features(x, weights, **SHALLOW) for x in (images, others)
  )
  expected = frechet.frechet_distance(a, b)['frechet_distance']
  np.testing.assert_allclose(actual['fid'], expected, rtol=1e-4)
  assert (actual['n_a'], actual['n_b']) == (11, 8)
  assert actual['is_biased_by_few_images']
  assert actual['fingerprint']['weights_sha256'] == weights.digest
  same = inception_distance.fid(images, images, weights, **SHALLOW)
  assert same['fid'] == pytest.approx(0, abs=1e-9 * expected)


def _stream(rows):
  return lambda *_, **__: iter(np.array_split(rows, 5))


def test_statistics_survive_a_file_few_or_many(weights, tmp_path, monkeypatch):
  kept = []
  for count in (60, 64, 65, 200):  # around the 64 dimensions
    rows = np.random.default_rng(count).normal(size=(count, 64))
    rows = rows.astype(np.float32)
    monkeypatch.setattr(features, 'stream_features', _stream(rows))
    statistics = feature_statistics.compute_statistics(None, weights, **SHALLOW)
    np.testing.assert_allclose(statistics.moments.mean, rows.mean(0), atol=1e-6)
    np.testing.assert_allclose(
      statistics.moments.covariance, np.cov(rows, rowvar=False), atol=1e-6
    )
    assert (statistics.rows is not None) == (count <= 64)
    path = tmp_path / 'new' / f'{count}.npz'
    feature_statistics.save_statistics(path, statistics)
    loaded = feature_statistics.load_statistics(path, statistics.fingerprint)
    assert loaded.fingerprint == statistics.fingerprint
    for x, y in zip(loaded.moments, statistics.moments):
      np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-12)
    kept.append((rows, loaded))
  assert len(list(path.parent.iterdir())) == 4  # and nothing half written
  for rows_a, a in kept:
    for rows_b, b in kept:
      actual = inception_distance.fid(a, b, weights, **SHALLOW)['fid']
      expected = frechet.frechet_distance(rows_a, rows_b)['frechet_distance']
      np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-9)


def test_other_features_do_not_compare(weights, images, tmp_path):
  statistics = feature_statistics.compute_statistics(images, weights, **SHALLOW)
  other = weights._replace(digest='other')
  with pytest.raises(ValueError, match="weights_sha256 'other'"):
    inception_distance.fid(statistics, statistics, other, **SHALLOW)
  path = tmp_path / 's.npz'
  feature_statistics.save_statistics(path, statistics)
  expected = {**statistics.fingerprint, 'resize': 'bicubic'}
  with pytest.raises(ValueError, match="s.npz: .*resize 'bicubic'"):
    feature_statistics.load_statistics(path, expected)
  # Counts may differ: they do not define a feature.
  feature_statistics.load_statistics(
    path, {**statistics.fingerprint, 'num_images': 50000}
  )
  path.write_bytes(b'noise')
  with pytest.raises(
    ValueError, match='not a readable file of feature statistics'
  ):
    feature_statistics.load_statistics(path)


def test_a_data_set_is_encoded_once(weights, images, tmp_path):
  calls = []

  def make():
    calls.append(1)
    return images

  def statistics(source, weights=weights):
    return feature_statistics.cached_statistics(
      tmp_path, source, make, weights, **SHALLOW
    )

  first = statistics('shapes/test/64')
  again = statistics('shapes/test/64')
  assert len(calls) == 1
  np.testing.assert_array_equal(first.moments.mean, again.moments.mean)
  statistics('shapes/test/32')
  statistics('shapes/test/64', weights._replace(digest='other'))
  assert len(calls) == 3
