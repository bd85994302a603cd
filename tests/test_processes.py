"""Several processes, as far as one can see them."""

from unittest import mock

import jax
import numpy as np
import pytest
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from structae import devices, processes
from structae.data import sources
from structae.training import stop


def test_one_process_acts_as_if_there_were_nothing_else(tmp_path):
  assert not processes.several() and processes.first()
  assert processes.gather('a') == ['a']
  assert processes.agree(lambda: 3) == processes.lead(lambda: 3) == 3
  assert processes.any_of(True, False) == (True, False)
  processes.same({'jax': jax.__version__})
  processes.check_shared(tmp_path / 'not there')
  state = {'a': np.ones(3)}
  assert devices.local(state) is state
  with pytest.raises(KeyError):
    processes.agree(lambda: {}['missing'])


def test_the_devices_of_one_process_are_all_devices():
  assert devices.local_mesh() == devices.data_mesh()


def test_the_first_that_differs_is_named():
  here = {'jax': '1', 'seed': 0}
  assert processes.difference([here, here]) == ''
  line = processes.difference([here, here, {'jax': '2', 'seed': 0}])
  assert line.startswith("process 2 of 3 has jax '2', not '1' as process 0")
  assert 'seed' not in line
  assert 'seed 1, not 0' in processes.difference(
    [here, {'jax': '1', 'seed': 1}]
  )
  assert 'seed None' in processes.difference([here, {'jax': '1'}])


def several(reports):
  """As if other processes had reported something too."""
  return mock.patch.multiple(
    processes,
    several=lambda: True,
    gather=lambda text: [text, *reports],
  )


def fail():
  raise ValueError('no data')


@pytest.mark.parametrize(
  'action, reports, line, code',
  [
    (fail, ['null'], 'no data', 2),
    (fail, ['[2, "no data"]'], 'no data', 2),
    (lambda: 1, ['null', '[1, "full"]'], 'process 2: full', 1),
    (lambda: 1, ['[2, "no"]', '[1, "full"]'], 'process 1: no', 2),
  ],
)
def test_a_failure_of_one_is_told_to_all(action, reports, line, code):
  with several(reports), pytest.raises(processes.Told) as told:
    processes.agree(action)
  assert (str(told.value), told.value.code) == (line, code)


def test_a_stop_of_one_is_no_error():
  def interrupt():
    raise stop.Interrupted('stopped')

  with several(['null']), pytest.raises(processes.Told) as told:
    processes.agree(interrupt)
  assert told.value.code == 0


def test_what_is_put_equals_what_jax_would_put():
  whole = NamedSharding(devices.local_mesh(), P())
  for x in (np.arange(6).reshape(2, 3), np.float32(2), jax.numpy.ones(4)):
    mine = devices._put(x, whole)
    assert mine.sharding.is_equivalent_to(whole, mine.ndim)
    np.testing.assert_array_equal(mine, x)
  on_device = jax.device_put(np.ones(4), whole)
  again = devices._put(on_device, whole)
  pointers = [a.addressable_data(0).unsafe_buffer_pointer()
              for a in (on_device, again)]  # fmt: skip
  assert pointers[0] == pointers[1]  # nothing is copied


def test_a_set_that_is_cut_over_processes_is_read_from_its_map():
  host = np.zeros((3, 2, 2, 1), np.uint8)
  source = sources.Source(
    'set', (2, 2, 1), 3, (), (), host, sources.sharded_take, lambda i: i,
    'sharded', host,
  )  # fmt: skip
  assert sources.near(source) is source
  with mock.patch.object(jax, 'process_count', return_value=2):
    near = sources.near(source)
  assert near.arrays is None and near.images is sources.take


@pytest.mark.parametrize(
  'are_several, expected', [(0, 'sharded'), (1, 'memmap')]
)
def test_cpus_of_several_processes_cut_no_set(are_several, expected):
  mesh = mock.Mock(is_multi_process=bool(are_several))
  device = mock.Mock(platform='cpu', memory_stats=lambda: {'bytes_limit': 100})
  mesh.local_devices, mesh.devices = [device], np.array([device] * 4)
  assert sources.choose(150, mesh) == expected
  if are_several:
    with pytest.raises(ValueError, match='resident'):
      sources._check_sharded(mesh)
