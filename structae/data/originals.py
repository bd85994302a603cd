"""The original files of the data sets: names, addresses, sizes, checksums.

Sizes and SHA-256 values are those that TensorFlow Datasets records for the
same addresses. MD5 values are those that https://github.com/nmichlo/disent
records. Where no source states one, none is given, and none is checked.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class File:
  """One original file of a data set.

  Attributes:
    name: the file's published name.
    urls: addresses that serve it, best first.
    num_bytes: its size; None where no source states it.
    sha256: its checksum, or '' if unknown.
    md5: its MD5, or '' if unknown (many sets publish only this one).
    strict: whether another checksum is an error, or a warning since the
      published file is known to have been replaced.
    aliases: other names or forms under which it circulates; these are read
      too, without a checksum.
    optional: whether the set can be prepared without it.
  """

  name: str
  urls: tuple[str, ...] = ()
  num_bytes: int | None = None
  sha256: str = ''
  md5: str = ''
  strict: bool = True
  aliases: tuple[str, ...] = ()
  optional: bool = False


_DRIVE = 'https://drive.google.com/uc?export=download&id='
_MPI3D = 'https://huggingface.co/datasets/waleedgondal/mpi3d/resolve/main/'
_MPI3D_OLDER = (
  'https://storage.googleapis.com/disentanglement_dataset/Final_Dataset/'
)
_NORB = 'https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/'
_DSPRITES = 'dsprites_ndarray_co1sh3sc6or40x32y32_64x64'


def _mpi3d(variant: str, md5: str, strict: bool = True) -> tuple[File, ...]:
  name = f'mpi3d_{variant}.npz'
  return (
    File(
      name=name,
      urls=(_MPI3D + name, _MPI3D_OLDER + name),
      md5=md5,
      strict=strict,
      aliases=(f'{variant}.npz',),
    ),
  )


def _norb(part: str, num_bytes: int, sha256: str) -> File:
  name = f'smallnorb-5x{part}.mat'
  return File(
    name=f'{name}.gz',
    urls=(f'{_NORB}{name}.gz',),
    num_bytes=num_bytes,
    sha256=sha256,
    aliases=(name,),
  )


def _rfd(folder: str, images: str) -> tuple[File, ...]:
  return (
    File(
      name='robot_finger_datasets.tar',
      urls=(
        'https://people.tuebingen.mpg.de/ei-datasets/iclr_transfer_paper/'
        'robot_finger_datasets.tar',
      ),
      aliases=(f'{folder}/{folder}_{images}', f'{folder}_{images}'),
    ),
  )


FILES: dict[str, tuple[File, ...]] = {
  'shapes3d': (
    File(
      name='3dshapes.h5',
      urls=('https://storage.googleapis.com/3d-shapes/3dshapes.h5',),
      num_bytes=267_573_662,
      sha256='0a0f6ed98baff276a50f3a081a7434d788da63cb135a98189b2a5b5769be1785',
      md5='099a2078d58cec4daad0702c55d06868',
    ),
  ),
  'mpi3d_toy': _mpi3d('toy', '55889cb7c7dfc655d6e0277beee88868'),
  'mpi3d_realistic': _mpi3d('realistic', '59a6225b88b635365f70c91b3e52f70f'),
  # Its authors once replaced a corrupted file; this may be the old one's sum.
  'mpi3d_real': _mpi3d('real', '0f33f609918fb5c97996692f91129802', False),
  'mpi3d_complex': (
    File(
      name='real3d_complicated_shapes_ordered.npz',
      urls=(_DRIVE + '1Tp8eTdHxgUMtsZv5uAoYAbJR1BOa_OQm',),
      aliases=('mpi3d_complex.npz', 'mpi3d_real_complex.npz'),
    ),
  ),
  'celeba': (
    File(
      name='img_align_celeba.zip',
      urls=(_DRIVE + '0B7EVK8r0v71pZjFTYXZWM3FlRnM',),
      num_bytes=1_443_490_838,
      sha256='46fb89443c578308acf364d7d379fe1b9efb793042c0af734b6112e4fd3a8c74',
    ),
    File(
      name='list_attr_celeba.txt',
      urls=(_DRIVE + '0B7EVK8r0v71pblRyaVFSWGxPY0U',),
      num_bytes=26_721_026,
      sha256='f0e5da289d5ccf75ffe8811132694922b60f2af59256ed362afa03fefba324d0',
      aliases=('list_attr_celeba.csv',),
    ),
    File(
      name='list_eval_partition.txt',
      urls=(_DRIVE + '0B7EVK8r0v71pY0NSMzRuSXJEVkk',),
      num_bytes=2_836_386,
      sha256='fc955bcb3ef8fbdf7d5640d9a8693a8431b5f2ee291a5c1449a1549e7e073fe7',
      aliases=('list_eval_partition.csv',),
      optional=True,
    ),
    File(
      name='identity_CelebA.txt',
      urls=(_DRIVE + '1_ee_0u7vcNLOfNLegJRHmolfH5ICW-XS',),
      num_bytes=3_424_458,
      sha256='c6143857c3e2630ac2da9f782e9c1232e5e59be993a9d44e8a7916c78a6158c0',
      optional=True,
    ),
  ),
  'rfd': _rfd('finger', 'images.tar'),
  'rfd_heldout': _rfd('finger_heldout_colors', 'images.tar'),
  'rfd_real': _rfd('finger_real', 'images.npz'),
  'dsprites': (
    File(
      name=f'{_DSPRITES}.hdf5',
      urls=(
        'https://github.com/deepmind/dsprites-dataset/raw/master/'
        f'{_DSPRITES}.hdf5',
      ),
      num_bytes=28_024_106,
      sha256='729fa22e884c9c500e1f17415d580746b4c5894fbbb780a1319bbcfa39a745bb',
      md5='b331c4447a651c44bf5e8ae09022e230',
      aliases=(f'{_DSPRITES}.npz',),
    ),
  ),
  'cars3d': (
    File(
      name='nips2015-analogy-data.tar.gz',
      urls=('http://www.scottreed.info/files/nips2015-analogy-data.tar.gz',),
      md5='4e866a7919c1beedf53964e6f7a23686',
    ),
  ),
  'smallnorb': (
    _norb(
      '46789x9x18x6x2x96x96-training-dat',
      131_896_188,
      '5ffd6272a07d32695ee1082a26a41a93a37aab8c28da047f8c34ed348d214873',
    ),
    _norb(
      '46789x9x18x6x2x96x96-training-cat',
      348,
      '2784e542c1922060691090952b6cd6278879a216c90f81476f0f00256d42cdaa',
    ),
    _norb(
      '46789x9x18x6x2x96x96-training-info',
      71_052,
      'de7eb932ebe7a4ee16217fead60660d0eb3d23632c2f4d1c51f88c501c17bf32',
    ),
    _norb(
      '01235x9x18x6x2x96x96-testing-dat',
      130_799_817,
      'cf7104eed3e51174d2f65b66d1e5878b9da233b886f161b0d88f4510ba2c7474',
    ),
    _norb(
      '01235x9x18x6x2x96x96-testing-cat',
      347,
      'ecaf6d5bb8c3bc5eab9cf0258f6d2198dd474e016e374836fc097f2e5ff509ff',
    ),
    _norb(
      '01235x9x18x6x2x96x96-testing-info',
      10_428,
      '16adf314226327ee006d1a44db8cfef52773c06c829951d5653a9f6f310248a2',
    ),
  ),
}
