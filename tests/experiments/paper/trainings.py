"""Stand-ins: finished runs without training, and a launcher that makes them."""

import json
from pathlib import Path

import numpy as np

from structae.commands import config_flags
from structae.commands.parser import Parser
from structae.run import Run


def read(*flags):
  """The command that flags of a configuration are read as."""
  parser = Parser('test')
  parser.add_argument('--workdir', type=Path)
  parser.add_argument('--hold_out')
  config_flags.add(parser)
  return config_flags.read(parser, flags)[0]


def finish(job, **rows):
  """Leaves what `structae train` would, but for the model."""
  asked = read(*job.command[3:])
  run = Run(job.folder)
  run.begin(asked.name, asked.config, {})
  lines = [json.dumps({'step': 1, key: value}) for key, value in rows.items()]
  (job.folder / 'metrics.jsonl').write_text('\n'.join(lines) + '\n')
  run.save_pool(np.zeros((1, 2, 1), np.float32), 1)
  run.complete(asked.config)
  return asked.config


class Ended:
  """A job that has ended."""

  def __init__(self, code):
    self.code = code

  def poll(self):
    return self.code

  def terminate(self):
    pass


class Instant:
  """A launcher whose trainings end at once: the loss is `loss(rate)`.

  An error stands for the loss of a training that fails with it.
  """

  room = at_once = 100

  def __init__(self, loss):
    self.loss, self.started = loss, []

  def start(self, jobs, logs):
    return [self._start(job, log) for job, log in zip(jobs, logs)]

  def _start(self, job, log):
    self.started.append(job.name)
    loss = self.loss(job)
    if isinstance(loss, str):
      log.parent.mkdir(parents=True, exist_ok=True)
      log.write_text(f'error: {loss}\n')
      job.folder.mkdir(parents=True, exist_ok=True)
      return Ended(1)
    finish(job, validation_loss=loss)
    return Ended(0)
