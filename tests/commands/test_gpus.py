"""Each job is given one GPU, out of those that were chosen already."""

import pytest

from structae.commands import gpus
from structae.commands.gpus import Gpus


def machine(folder, nvidia=0, amd=0):
  """A file system with the files of GPUs, and of what is none."""
  (folder / 'dev').mkdir()
  for name in (
    'nvidiactl',
    'nvidia-uvm',
    *(f'nvidia{i}' for i in range(nvidia)),
  ):
    (folder / 'dev' / name).touch()
  for i in range(amd + 1):  # the first is the processor
    node = folder / 'sys/class/kfd/kfd/topology/nodes' / str(i)
    node.mkdir(parents=True)
    (node / 'gpu_id').write_text(f'{i and 4000 + i}\n')
  return folder


def test_gpus_are_numbered(tmp_path):
  for name, kinds in {
    'none': {},
    'cuda': {'nvidia': 3},
    'amd': {'amd': 2},
  }.items():
    (tmp_path / name).mkdir()
    machine(tmp_path / name, **kinds)
  find = lambda name: gpus.find({}, tmp_path / name)
  assert find('none') == Gpus()
  assert find('cuda') == Gpus('CUDA_VISIBLE_DEVICES', ('0', '1', '2'))
  assert find('amd') == Gpus('ROCR_VISIBLE_DEVICES', ('0', '1'))


@pytest.mark.parametrize(
  'environment, ids',
  [
    ({'CUDA_VISIBLE_DEVICES': '5, 2'}, ('5', '2')),
    ({'CUDA_VISIBLE_DEVICES': 'MIG-7f,GPU-8e'}, ('MIG-7f', 'GPU-8e')),
    ({'CUDA_VISIBLE_DEVICES': ''}, ()),
    ({'CUDA_VISIBLE_DEVICES': '-1'}, ()),
    ({'JAX_PLATFORMS': 'cpu'}, ()),
    ({'JAX_PLATFORMS': 'cuda,cpu'}, ('0', '1')),
  ],
)
def test_what_was_chosen_already_is_kept_to(tmp_path, environment, ids):
  assert gpus.find(environment, machine(tmp_path, nvidia=2)).ids == ids


def test_the_ids_of_amd_s_other_variable_are_kept_to(tmp_path):
  found = gpus.find({'HIP_VISIBLE_DEVICES': '1'}, machine(tmp_path, amd=4))
  assert found == Gpus('HIP_VISIBLE_DEVICES', ('1',))


def test_jobs_share_gpus_and_their_memory_where_there_are_too_few():
  two = Gpus('SEEN', ('x', 'y'))
  assert two.of_job(1, 2) == {'SEEN': 'y'}
  share = 'XLA_PYTHON_CLIENT_MEM_FRACTION'
  assert [two.of_job(i, 3) for i in range(3)] == [
    {'SEEN': 'x', share: '0.450'}, {'SEEN': 'y'}, {'SEEN': 'x', share: '0.450'}
  ]  # fmt: skip
  assert Gpus().of_job(0, 2) == {}
