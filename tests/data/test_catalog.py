"""Every row: its files are read, its splits exist, its name stands nowhere."""

import ast
import pathlib
import re

import numpy as np
import pytest

import structae
from structae.data import catalog, hold_out, sources, splits
from tests.data import layouts
from tests.data.preparing import run

ROWS = [*catalog.CATALOG.values()]
ROOT = pathlib.Path(structae.__file__).parents[1]


@pytest.mark.parametrize('name', [row.name for row in ROWS if row.read])
def test_every_set_is_read_from_its_files(name, tmp_path):
  data_set, place = layouts.write(name, tmp_path)
  folder, _, images, _ = run(data_set, place, tmp_path)
  source = sources.prepared(folder)
  if data_set.image_shape:
    assert source.image_shape == data_set.image_shape
  assert source.factor_names == data_set.factor_names
  assert len(np.unique(images, axis=0)) > 1
  factors = source.factors(np.arange(source.size))
  assert (factors >= 0).all() and (factors < source.factor_sizes).all()


@pytest.mark.parametrize('name', [row.name for row in ROWS if row.make])
def test_what_is_made_here_is_what_its_row_promises(name):
  row = catalog.get(name)
  size = min(row.sizes)
  source = sources.load(name, size)
  shape = (size, size, 3) if row.num_bytes else row.image_shape
  assert source.image_shape == shape
  assert source.size == row.num_examples
  images = source.images(*source.load(np.array([0, source.size - 1])))
  assert images.shape == (2, *shape)
  last = np.array(row.factor_sizes) - 1
  np.testing.assert_array_equal(
    source.factors(np.array([0, source.size - 1])), [0 * last, last]
  )


def test_the_example_of_the_docs_is_a_set(tmp_path):
  docs = (ROOT / 'docs' / 'data.md').read_text()
  (code,) = re.findall(r'```python\n(.*?)```', docs, re.DOTALL)
  names: dict = {}
  exec(code, names)
  expected = layouts.random_images((96, 64, 64, 3))
  np.savez(tmp_path / 'blocks.npz', images=expected)
  folder, _, images, _ = run(names['DATA_SET'], tmp_path, tmp_path)
  np.testing.assert_array_equal(images, expected)
  assert sources.prepared(folder).factor_names == ('colour', 'angle')


def test_a_row_is_whole():
  for row in ROWS:
    assert (row.read is None) != (row.make is None)
    assert {*row.splits} <= {*splits.KINDS}
    for name in row.hold_outs[1:]:
      assert hold_out.parse(name, row.factors)
    if row.grid:
      assert np.prod(row.factor_sizes) == row.num_examples
  assert catalog.get('celeba').splits == ('random', 'official')
  assert catalog.get('mpi3d_real').splits == ('random', 'authors')


@pytest.mark.parametrize('package', ['structae', 'experiments'])
def test_no_module_compares_the_name_of_a_set(package):
  # One is the name of a preset as well.
  names = {row.name for row in ROWS} - {row.preset for row in ROWS}
  for path in (ROOT / package).rglob('*.py'):
    for node in ast.walk(ast.parse(path.read_text())):
      if isinstance(node, ast.Compare | ast.MatchValue):
        found = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant)}
        assert not found & names, f'{path}:{node.lineno}'


@pytest.mark.parametrize(
  'name, crop, expected',
  [
    ('celeba', None, 128),
    ('celeba', 160, 160),
    ('celeba', 179, 'from 1 to 178'),
    ('folder', None, 'centre'),
    ('folder', 'round', 'centre or squash'),
    ('shapes3d', None, ''),
    ('shapes3d', 64, 'has no crop'),
  ],
)
def test_a_crop_is_one_that_the_set_offers(name, crop, expected):
  row = catalog.get(name)
  try:
    assert row.checked_crop(crop) == expected
  except ValueError as error:
    assert expected in str(error)
