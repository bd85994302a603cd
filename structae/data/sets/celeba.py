"""CelebA: a zip of aligned 178x218 JPEGs, and text tables beside it."""

import csv
import pathlib
import threading
import zipfile

import numpy as np

from structae.data import archives, pictures, reading
from structae.data.data_set import Crop, DataSet, File, Tfds
from structae.data.reading import Originals, Reading

_ATTRIBUTES = (
  '5_o_Clock_Shadow Arched_Eyebrows Attractive Bags_Under_Eyes Bald Bangs '
  'Big_Lips Big_Nose Black_Hair Blond_Hair Blurry Brown_Hair Bushy_Eyebrows '
  'Chubby Double_Chin Eyeglasses Goatee Gray_Hair Heavy_Makeup '
  'High_Cheekbones Male Mouth_Slightly_Open Mustache Narrow_Eyes No_Beard '
  'Oval_Face Pale_Skin Pointy_Nose Receding_Hairline Rosy_Cheeks Sideburns '
  'Smiling Straight_Hair Wavy_Hair Wearing_Earrings Wearing_Hat '
  'Wearing_Lipstick Wearing_Necklace Wearing_Necktie Young'
).split()
_DRIVE = 'https://drive.google.com/uc?export=download&id='


def _read(data_set: DataSet, originals: Originals) -> Reading:
  """Opens CelebA, with its 40 attributes as factors.

  The crop 128 keeps rows 45 to 172 and columns 25 to 152 of the aligned
  picture. `partition` (0 training, 1 validation, 2 test) and `identity` are
  extras where their files exist.

  Raises:
    ValueError: if a file is damaged, or the tables and pictures disagree.
  """
  paths, side = originals.paths, int(originals.crop)
  attributes = paths['list_attr_celeba.txt']
  names, table, header = _attributes(attributes)
  if tuple(header) != data_set.factor_names:
    raise ValueError(f'{attributes}: its columns are not the 40 attributes.')
  reading.require_length(len(names), data_set.num_examples, attributes)
  if not np.isin(table, (-1, 1)).all():
    raise ValueError(f'{attributes}: attributes must be -1 or 1.')
  extras = {}
  for extra, original in (
    ('partition', 'list_eval_partition.txt'),
    ('identity', 'identity_CelebA.txt'),
  ):
    if original in paths:
      extras[extra] = _column(paths[original], names)
  path = paths['img_align_celeba.zip']
  archive = archives.open_zip(path)
  members = _members(archive, names, path)
  lock = threading.Lock()
  corrupt: dict[int, str] = {}

  def load(row: int) -> bytes:
    with lock:
      try:
        return archive.read(members[row])
      except (zipfile.BadZipFile, EOFError) as error:
        raise ValueError(str(error)) from error

  def read(start: int, stop: int) -> np.ndarray:
    out = np.empty((stop - start, side, side, 3), np.uint8)
    crop = lambda picture: pictures.centre_crop(picture, side, side)
    pictures.decode_rows(start, load, crop, out, corrupt)
    return out

  return Reading(
    num_examples=len(names),
    image_shape=(side, side, 3),
    read=read,
    factors=(table > 0).astype(np.int32),
    extras=extras,
    block=1024,
    corrupt=corrupt,
  )


def _members(
  archive: zipfile.ZipFile, names: list[str], where: object
) -> list[zipfile.ZipInfo]:
  found = {
    pathlib.PurePosixPath(info.filename).name: info
    for info in archive.infolist()
  }
  missing = [name for name in names if name not in found]
  if missing:
    raise ValueError(
      f'{where}: {len(missing):,} pictures are missing, the first is '
      f'{missing[0]}; fetch it again, or unpack it and train on what there is '
      'as the data set `folder`.'
    )
  return [found[name] for name in names]


def _attributes(path: pathlib.Path) -> tuple[list[str], np.ndarray, list[str]]:
  """Reads the published table (a count, a header, rows) or the .csv form."""
  rows = _rows(path)
  if path.suffix == '.csv':
    header, body = rows[0][1:], rows[1:]
  else:
    header, body = rows[1], rows[2:]
    count = rows[0][0]
    if count != str(len(body)):
      raise ValueError(
        f'{path}: cut off: it announces {count} rows and has {len(body)}.'
      )
  names, table = _split(body, path)
  if table.shape[1] != len(header):
    raise ValueError(
      f'{path}: {table.shape[1]} columns, but {len(header)} names.'
    )
  return names, table, header


def _column(path: pathlib.Path, names: list[str]) -> np.ndarray:
  rows = _rows(path)
  found, table = _split(rows[1:] if path.suffix == '.csv' else rows, path)
  if found != names:
    raise ValueError(
      f'{path}: lists other pictures than the attributes do '
      f'({len(found):,} against {len(names):,}).'
    )
  return table[:, 0]


def _rows(path: pathlib.Path) -> list[list[str]]:
  archives.refuse_web_page(path)
  try:
    text = path.read_text(encoding='utf-8')
  except UnicodeDecodeError as error:
    raise ValueError(f'{path}: no text file.') from error
  lines = [line for line in text.splitlines() if line.strip()]
  if len(lines) < 2:
    raise ValueError(f'{path}: too short; fetch it again.')
  if path.suffix == '.csv':
    return list(csv.reader(lines))
  return [line.split() for line in lines]


def _split(
  body: list[list[str]], path: pathlib.Path
) -> tuple[list[str], np.ndarray]:
  try:
    table = np.array([[int(v) for v in row[1:]] for row in body], np.int32)
  except ValueError as error:
    raise ValueError(f'{path}: not a table of numbers ({error}).') from error
  return [row[0] for row in body], table.reshape(len(body), -1)


DATA_SET = DataSet(
  name='celeba',
  title='CelebA',
  image_shape=(128, 128, 3),
  sizes=(32, 64, 128),
  num_examples=202_599,
  factors=dict.fromkeys(_ATTRIBUTES, ('no', 'yes')),
  read=_read,
  files=(
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
  crop=Crop(range(1, 179), 128),
  official=True,
  preset='128px',
  homepage='http://mmlab.ie.cuhk.edu.hk/projects/CelebA.html',
  licence='non-commercial research only; no redistribution',
  citation=(
    'Liu et al., Deep Learning Face Attributes in the Wild, ICCV 2015, '
    'https://arxiv.org/abs/1411.7766'
  ),
  tfds=Tfds(
    'celeb_a',
    labels={name: f'attributes/{name}' for name in _ATTRIBUTES},
    extras={'identity': 'identity/Identity_No'},
  ),
  note=(
    'The 128x128 centre of the aligned 178x218 picture. Google Drive often '
    'serves a quota page in place of the zip: fetch it with a browser.'
  ),
)
