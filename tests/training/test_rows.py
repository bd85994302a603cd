from structae.training import rows as rows_lib


def test_a_last_row_that_was_cut_off_is_left_out(tmp_path):
  path = tmp_path / 'metrics.jsonl'
  assert rows_lib.read(path) == []
  for cut in range(len('{"step": 2}')):
    path.write_text('{"step": 1}\n' + '{"step": 2}'[:cut])
    assert rows_lib.read(path) == [{'step': 1}]
  path.write_text('{"step": 1}\n{"step": 2}')
  assert rows_lib.read(path) == [{'step': 1}, {'step': 2}]
