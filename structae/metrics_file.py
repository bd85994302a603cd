"""The rows of a `metrics.jsonl`, one JSON object a line, each with a step."""

import json
import math
from pathlib import Path
from typing import Any


def read(path: Path) -> list[dict[str, Any]]:
  """Reads rows.

  Args:
    path: the file; none at all counts as empty.

  Returns:
    The rows. A last line that was cut off while it was written is left out.

  Raises:
    ValueError: if any other line is no row; names it.
  """
  text = path.read_text('utf-8', 'replace') if path.exists() else ''
  whole, _, last = text.rpartition('\n')
  lines = [*whole.splitlines(), *([last] if _is_json(last) else [])]
  for number, line in enumerate(lines, 1):
    if not _is_row(line):
      raise ValueError(
        f'{path}, line {number} must be a JSON object with a "step", '
        f'got {line!r:.60}.'
      )
  return [json.loads(line) for line in lines]


def _is_json(line: str) -> bool:
  try:
    json.loads(line)
  except ValueError:
    return False
  return True


def _is_row(line: str) -> bool:
  try:
    return math.isfinite(json.loads(line)['step'])
  except (ValueError, TypeError, KeyError):
    return False
