"""Counting what a program for a GPU launches, from its text."""

import pytest

from experiments.benchmarks import launches

# As XLA prints it, shortened.
TEXT = """HloModule jit_update, is_scheduled=true

%fused_mish (param_0: bf16[8,4,4,16]) -> bf16[8,4,4,16] {
  %param_0 = bf16[8,4,4,16]{3,2,1,0} parameter(0)
  ROOT %exponential.1 = bf16[8,4,4,16]{3,2,1,0} exponential(%param_0)
}

%wrapped_transpose_computation (param_0.1: bf16[3,3,16,16]) -> bf16[16,3,3,16] {
  %param_0.1 = bf16[3,3,16,16]{3,2,1,0} parameter(0)
  ROOT %transpose.3 = bf16[16,3,3,16]{3,2,1,0} transpose(%param_0.1), dimensions={3,0,1,2}
}

ENTRY %main.1 (x: bf16[8,4,4,16], k: bf16[3,3,16,16]) -> (bf16[8,4,4,16], f32[]) {
  %x.1 = bf16[8,4,4,16]{3,2,1,0} parameter(0), metadata={op_name="x"}
  %k.1 = bf16[3,3,16,16]{3,2,1,0} parameter(1)
  %zero = f32[] constant(0)
  %wrapped_transpose = bf16[16,3,3,16]{3,2,1,0} fusion(%k.1), kind=kInput, calls=%wrapped_transpose_computation
  %cudnn-conv.1 = (bf16[8,4,4,16]{3,2,1,0}, /*index=1*/u8[100]{0}) custom-call(%x.1, %wrapped_transpose), custom_call_target="__cudnn$convForward"
  %get-tuple-element.2 = bf16[8,4,4,16]{3,2,1,0} get-tuple-element(%cudnn-conv.1), index=0
  %gemm.1 = f32[8,8]{1,0} custom-call(%get-tuple-element.2), custom_call_target="__cublas$lt$matmul"
  %mish = bf16[8,4,4,16]{3,2,1,0} fusion(%get-tuple-element.2), kind=kLoop, calls=%fused_mish
  ROOT %tuple.4 = (bf16[8,4,4,16]{3,2,1,0}, f32[]) tuple(%mish, %zero)
}
"""  # noqa: E501


def test_launches_and_the_bytes_of_their_operands_and_results():
  x, kernel = 8 * 4 * 4 * 16 * 2, 9 * 16 * 16 * 2
  assert [*launches.of(TEXT)] == [
    ('layout copies', 2 * kernel),
    ('convolutions', x + kernel + x + 100),
    ('products', x + 8 * 8 * 4),
    ('everything else', 2 * x),
  ]


@pytest.mark.parametrize(
  'shapes, expected',
  [
    ('f32[]', 4),
    ('(pred[7]{0}, s64[2,3]{1,0})', 7 + 48),
    ('f8e4m3fn[10]{0}', 10),
    ('bf16[0,3]{1,0}', 0),
  ],
)
def test_bytes_of_shapes(shapes, expected):
  assert launches.num_bytes(shapes) == expected
