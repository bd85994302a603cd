from structae import metrics_file


def test_a_last_row_that_was_cut_off_is_left_out(tmp_path):
  path = tmp_path / 'metrics.jsonl'
  assert metrics_file.read(path) == []
  for cut in range(len('{"step": 2}')):
    path.write_text('{"step": 1}\n' + '{"step": 2}'[:cut])
    assert metrics_file.read(path) == [{'step': 1}]
  path.write_text('{"step": 1}\n{"step": 2}')
  assert metrics_file.read(path) == [{'step': 1}, {'step': 2}]
