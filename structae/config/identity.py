"""What tells configurations apart: the fields that decide what is computed."""

import hashlib
import json
from typing import Any

from structae.config.resolve import default_config, flat

# May change when a run is resumed: none changes what is trained or encoded.
RESUMABLE = frozenset(
  ['train.num_steps', 'train.num_runs', 'train.seeds', 'train.log_every',
   'train.validate_every', 'train.save_minutes', 'train.keep_checkpoints',
   'train.steps_per_dispatch', 'train.hook',
   'data.storage', 'data.verify',
   'evaluation.metrics', 'evaluation.points', 'evaluation.num_fid_images']
)  # fmt: skip
# Tell runs apart, but may change too: the images themselves are compared.
MOVABLE = frozenset(['data.path', 'data.skip_corrupt'])


def identity(config: Any) -> dict[str, Any]:
  """The fields that decide what a run computes, by dotted name.

  Those at their defaults are left out: a field that a later version adds then
  changes the identity of no earlier run.
  """
  fields = flat(config)
  # A cosine ends at num_steps, so there the number shapes every step.
  free = RESUMABLE - ({'train.num_steps'} if _is_scheduled(fields) else set())
  # Folders of runs are named by their content, and may lie anywhere.
  start = fields.get('train.init_from', '')
  fields['train.init_from'] = start.rstrip('/').rpartition('/')[2]
  usual = flat(default_config())
  return {
    name: value
    for name, value in fields.items()
    if name not in free and value != usual.get(name)
  }


def _is_scheduled(fields: dict[str, Any]) -> bool:
  return fields['train.schedule'] != 'constant'


def config_hash(config: Any) -> str:
  """Eight hexadecimal digits that tell runs apart by what they compute."""
  text = json.dumps(identity(config), sort_keys=True)
  return hashlib.sha256(text.encode()).hexdigest()[:8]


def differences(old: Any, new: Any) -> list[str]:
  """What keeps a run with config `old` from going on with config `new`.

  Args:
    old: the config of the run, as a nested mapping.
    new: the config it would go on with.

  Returns:
    One line per field that differs; none if the run may go on.
  """
  usual = flat(default_config())
  before, after = usual | identity(old), usual | identity(new)
  lines = [
    f'{name} was {before[name]!r:.200}, now {after[name]!r:.200}'
    for name in sorted({*before, *after} - MOVABLE)
    if before[name] != after[name]
  ]
  steps = [flat(c)['train.num_steps'] for c in (old, new)]
  if steps[1] < steps[0] and not lines:
    lines.append(f'train.num_steps was {steps[0]}, and may only grow')
  return lines
