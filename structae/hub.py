"""Saved models of the Hugging Face hub, `hf://OWNER/NAME[@REVISION]`.

Of a model its settings and its weights are fetched, into the cache that
huggingface_hub keeps; from there they are opened like any folder.
"""

import os
import re
from pathlib import Path

from structae import extras, streams

_SCHEME = 'hf:'
# A path loses the second slash.
_FORM = re.compile(r'hf:/{1,2}([\w.-]+/[\w.-]+)(?:@([\w./-]+))?/?')


def is_on_hub(name: str | os.PathLike) -> bool:
  """Whether a name is one of the hub, not a folder."""
  return str(name).startswith(_SCHEME) and not Path(name).exists()


def fetch(name: str | os.PathLike) -> Path:
  """Fetches a model, unless the cache holds it already.

  Args:
    name: `hf://OWNER/NAME`, perhaps with `@REVISION`, a branch, a tag or a
      commit.

  Returns:
    Its folder in the cache.

  Raises:
    ValueError: if there is no such model, or it cannot be reached.
    extras.Missing: if huggingface_hub is not installed.
  """
  found = _FORM.fullmatch(str(name))
  if not found:
    raise ValueError(
      f'{name} is no model of the hub; expected hf://OWNER/NAME[@REVISION]'
    )
  library = extras.require('huggingface_hub', 'hub', f'opening {name}')
  from structae import saved_model  # which imports jax

  repository, revision = found.groups()
  files = ['config.json', saved_model.WEIGHTS]
  try:
    folder = library.snapshot_download(
      repository, revision=revision, allow_patterns=files
    )
  except Exception as error:  # of the network, the hub or the cache
    reason = streams.letters(str(error))[:300]
    raise ValueError(f'{name} cannot be fetched: {reason}') from error
  return Path(folder)
