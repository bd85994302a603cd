"""Editors and type checkers see what public names are."""

import re
import subprocess
import sys

PROGRAM = """
import structae
from structae import evaluation, figures, pages, sampling

reveal_type(structae.load_pretrained)
reveal_type(structae.save_pretrained)
reveal_type(structae.train)
reveal_type(structae.Model.encode)
reveal_type(structae.Run.model)
reveal_type(evaluation.mig)
reveal_type(evaluation.dci)
reveal_type(evaluation.frechet_distance)
reveal_type(evaluation.score_codes)
reveal_type(figures.grid)
reveal_type(figures.loss_curve)
reveal_type(figures.save_figure)
reveal_type(pages.write_report)
reveal_type(sampling.hybrid)
"""


def test_public_names_have_types(tmp_path):
  path = tmp_path / 'program.py'
  path.write_text(PROGRAM)
  done = subprocess.run(
    [sys.executable, '-m', 'mypy', path], capture_output=True, text=True
  )
  revealed = re.findall(r'Revealed type is "(.*)"', done.stdout)
  assert len(revealed) == PROGRAM.count('reveal_type'), done.stdout
  for text in revealed:
    assert text.startswith('def ('), text
