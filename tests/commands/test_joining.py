"""Which place the variables and flags of a process give it."""

import pytest

from structae.commands import config_flags, evaluate, joining, parser, train
from structae.config import ConfigError

SLURM = {
  'SLURM_JOB_ID': '4711',
  'SLURM_STEP_ID': '2',
  'SLURM_NTASKS': '4',
  'SLURM_STEP_NUM_TASKS': '4',
  'SLURM_PROCID': '3',
  'SLURM_LOCALID': '1',
  'SLURM_STEP_TASKS_PER_NODE': '2(x2)',
  'SLURM_STEP_NODELIST': 'gpu[007-008]',
}
MPI = {
  'OMPI_COMM_WORLD_SIZE': '2',
  'OMPI_COMM_WORLD_RANK': '1',
  'OMPI_COMM_WORLD_LOCAL_SIZE': '2',
  'OMPI_COMM_WORLD_LOCAL_RANK': '1',
  'PMIX_NAMESPACE': 'prterun-node-1@1',
}
TORCHRUN = {
  'MASTER_ADDR': 'node1',
  'MASTER_PORT': '29500',
  'WORLD_SIZE': '4',
  'RANK': '2',
}
ENV = {
  'JAX_COORDINATOR_ADDRESS': 'node1:61500',
  'JAX_NUM_PROCESSES': '4',
  'JAX_PROCESS_ID': '2',
}
TPU = {'TPU_WORKER_HOSTNAMES': 'a,b', 'TPU_WORKER_ID': '1'}


def place(environment, *flags):
  reader = parser.Parser('structae train')
  joining.add(reader)
  return joining.place(reader.parse_args(flags), environment)


@pytest.mark.parametrize(
  'environment',
  [
    {},
    SLURM | {'SLURM_NTASKS': '1', 'SLURM_STEP_NUM_TASKS': '1'},  # a study's job
    # The script of a job, and a shell that came in by ssh.
    {k: v for k, v in SLURM.items() if 'STEP' not in k},
    {'SLURM_JOB_ID': '1', 'SLURM_NTASKS': '4'},
    MPI | {'OMPI_COMM_WORLD_SIZE': '1'},
    {'TPU_WORKER_HOSTNAMES': 'a', 'TPU_WORKER_ID': '0'},
    TORCHRUN,
    {'JAX_COORDINATOR_ADDRESS': 'node1:61500'},
    ENV | {'JAX_NUM_PROCESSES': '1', 'JAX_PROCESS_ID': '0'},
  ],
)
def test_one_task_is_left_alone(environment):
  assert place(environment) is None


@pytest.mark.parametrize('environment', [SLURM, MPI, TPU, ENV])
def test_several_are_joined_unless_that_is_off(environment):
  assert place(environment) is not None
  assert place(environment, '--distributed=off') is None


def test_each_says_where_it_belongs():
  slurm = place(SLURM, '--timeout=9', '--heartbeat=8')
  assert slurm[1:] == (4, 3, [1], 9, 8)
  host, port = slurm.coordinator.split(':')
  assert host == 'gpu007' and 61440 <= int(port) < 65536
  # All tasks of a step agree on the port; another step has another one.
  other = SLURM | {'SLURM_PROCID': '0'}
  assert place(other).coordinator == slurm.coordinator
  assert place(SLURM | {'SLURM_STEP_ID': '3'}) != slurm
  assert place(MPI)[1:4] == (2, 1, [1])
  assert place(TPU)[:4] == (None, None, None, None)
  assert place(ENV)[:4] == ('node1:61500', 4, 2, None)
  assert place(ENV, '--process_id=0')[:3] == ('node1:61500', 4, 0)
  # Its agent listens on the port itself.
  on = '--distributed=on'
  assert place(TORCHRUN, on)[:3] == ('node1:29500', 4, 2)
  agent = TORCHRUN | {'TORCHELASTIC_RUN_ID': 'x', 'LOCAL_WORLD_SIZE': '2'}
  assert place(agent, on)[:4] == ('node1:29501', 4, 2, [0])
  assert place({}, on)[:3] == (None, None, None)  # jax looks for itself


@pytest.mark.parametrize(
  'nodes, host',
  [('a', 'a'), ('a,b', 'a'), ('n[1-4],b', 'n1'), ('n[01,05]', 'n01')],
)
def test_the_first_host_of_a_list(nodes, host):
  found = place(SLURM | {'SLURM_STEP_NODELIST': nodes})
  assert found.coordinator.startswith(f'{host}:')


@pytest.mark.parametrize(
  'visible, local, ids',
  [
    (None, 1, [1]),
    ('0,1', 1, [1]),
    ('0,1,2,3', 1, [2, 3]),
    ('5', 1, None),  # the scheduler has given each its own
  ],
)
def test_tasks_of_a_machine_share_its_gpus(visible, local, ids):
  environment = SLURM | {'SLURM_LOCALID': str(local)}
  if visible:
    environment |= {'CUDA_VISIBLE_DEVICES': visible}
  assert place(environment).device_ids == ids


@pytest.mark.parametrize(
  'environment, flags, message',
  [
    ({}, ['--coordinator=a:1'], '--num_processes and --process_id must be'),
    ({}, ['--process_id=0'], '--coordinator and --num_processes must be'),
    (ENV, ['--distributed=off', '--process_id=1'], 'contradicts --process_id'),
    (ENV, ['--process_id=4'], 'process_id is 4; expected 0 to 3'),
    (ENV, ['--coordinator=node1'], "'node1'; expected HOST:PORT"),
    (ENV, ['--coordinator=node1:0'], "'node1:0'; expected HOST:PORT"),
    ({}, ['--processes=2', '--process_id=1'], 'leave out --process_id'),
    ({}, ['--processes=2', '--distributed=on'], 'leave out --distributed=on'),
    (SLURM, ['--processes=2'], 'but SLURM already says'),
    (ENV, ['--processes=2'], 'but JAX_COORDINATOR_ADDRESS and its kin'),
    (MPI | {'OMPI_COMM_WORLD_LOCAL_SIZE': '1'}, [], '--coordinator must be'),
    (ENV | {'JAX_PROCESS_ID': 'two'}, [], "'two'; a variable of several"),
  ],
)
def test_what_contradicts_itself_is_refused(environment, flags, message):
  with pytest.raises(ConfigError, match=message):
    place(environment, *flags)


def test_a_contradiction_is_one_line_before_jax(capsys):
  assert train.main(['sae12:smoke', '--coordinator=a:1']) == 2
  (line,) = capsys.readouterr().err.splitlines()
  assert 'must be given too' in line


def test_other_commands_say_that_they_are_one_process(capsys):
  with pytest.raises(SystemExit) as ended:
    evaluate.main(['--workdir=.', '--coordinator=a:1'])
  (line,) = capsys.readouterr().err.splitlines()
  assert ended.value.code == 2
  assert 'is one process; --coordinator is of `structae train`' in line


def test_the_flags_are_no_part_of_a_configuration():
  reader = parser.Parser('structae train')
  config_flags.add(reader)
  joining.add(reader)
  one, _ = config_flags.read(reader, ['sae12:smoke'])
  two, _ = config_flags.read(reader, ['sae12:smoke', *'--heartbeat 5'.split()])
  assert one.config.to_dict() == two.config.to_dict()
