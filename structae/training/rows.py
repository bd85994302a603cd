"""The rows of a `metrics.jsonl`, one JSON object a line, each with a step."""

import math
from pathlib import Path
from typing import Any

from structae import files


def read(path: Path, strict: bool = True) -> list[dict[str, Any]]:
  """Reads rows.

  Args:
    path: the file; none at all counts as empty.
    strict: whether lines that are no rows are refused, or left out.

  Returns:
    The rows. A last line that was cut off while it was written is left out.

  Raises:
    ValueError: if any other line is no row; names it.
  """
  text = path.read_text('utf-8', 'replace') if path.exists() else ''
  whole, _, last = text.rpartition('\n')
  lines = [*whole.splitlines(), last]
  rows = []
  for number, line in enumerate(lines, 1):
    row = _parse(line)
    if row is None and number == len(lines):
      break  # nothing, or a part of a row
    if not _has_step(row):
      if not strict:
        continue
      raise ValueError(
        f'{path}, line {number} must be a JSON object with a "step", '
        f'got {line!r:.60}.'
      )
    rows.append(row)
  return rows


def _parse(line: str) -> Any:
  try:
    return files.parse_json(line)
  except ValueError:
    return None


def _has_step(row: Any) -> bool:
  try:
    return math.isfinite(row['step'])
  except (TypeError, KeyError):
    return False
