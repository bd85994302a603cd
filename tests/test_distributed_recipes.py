"""The commands of docs/distributed.md, read as their readers would run them."""

import re
import shlex
from pathlib import Path

import pytest

from experiments import faults
from experiments.benchmarks import scaling
from structae.commands import config_flags, joining, parser

DOCUMENT = Path(__file__).parent.parent / 'docs' / 'distributed.md'
TEXT = DOCUMENT.read_text('utf-8')
BLOCKS = re.findall(r'```(\w+)\n(.*?)```', TEXT, re.DOTALL)
COMMANDS = [
  line.partition('  #')[0]
  for kind, block in BLOCKS
  for line in block.splitlines()
  if kind == 'bash' and 'structae train' in line
]
# What each starter leaves in the environment of its second process.
STARTERS = {
  'srun': {
    'SLURM_JOB_ID': '1',
    'SLURM_PROCID': '1',
    'SLURM_NTASKS': '8',
    'SLURM_STEP_NODELIST': 'node[1-2]',
  },
  'mpirun': {'OMPI_COMM_WORLD_SIZE': '4', 'OMPI_COMM_WORLD_RANK': '1'},
  'torchrun': {
    'MASTER_ADDR': 'node1',
    'MASTER_PORT': '29500',
    'WORLD_SIZE': '8',
    'RANK': '1',
  },
}


def place(arguments, environment):
  """The place of a process, whose configuration is checked too."""
  reader = parser.Parser('structae train')
  reader.add_argument('--workdir')
  config_flags.add(reader)
  joining.add(reader)
  _, asked = config_flags.read(reader, arguments)
  return joining.place(asked, environment)


@pytest.mark.parametrize('command', COMMANDS)
def test_a_command_gives_each_process_its_place(command):
  words = shlex.split(command)
  remote = [x for x in words if x.startswith('--command=')]
  if remote:
    words = shlex.split(remote[0].removeprefix('--command='))
  at = words.index('train')
  environment = dict(STARTERS.get(words[0], {}))
  if words[0] == 'mpirun' and '--host' not in words:  # all on one machine
    environment['OMPI_COMM_WORLD_LOCAL_SIZE'] = '4'
  found = place(words[at + 1 :], environment)
  if any(word.startswith('--processes') for word in words):
    assert found is None  # it starts the others
  else:
    assert found is not None
    assert remote or found.num_processes > 1 == found.process_id


def test_a_set_of_jobs_says_where_each_belongs():
  yaml = pytest.importorskip('yaml')
  ((_, block),) = [x for x in BLOCKS if x[0] == 'yaml']
  content = yaml.safe_load(block)
  assert content['kind'] == 'JobSet' and len(block.splitlines()) <= 25
  (group,) = content['spec']['replicatedJobs']
  job = group['template']['spec']
  (container,) = job['template']['spec']['containers']
  variables = {x['name']: x.get('value', '1') for x in container['env']}
  found = place(container['command'][2:], variables)
  assert found.num_processes == job['parallelism'] == job['completions']
  name, pod = content['metadata']['name'], group['name']
  # The first pod of the first job, as JobSet names it.
  assert found.coordinator == f'{name}-{pod}-0-0.{name}:61500'


def test_the_tables_are_what_their_command_prints():
  assert scaling.table() in TEXT and scaling.study() in TEXT


def test_every_fault_stands_in_the_table():
  rows = re.findall(r'^\| (\w+) \|', TEXT, re.MULTILINE)
  assert {*faults.FAULTS} <= {*rows}
