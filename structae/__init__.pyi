from .export import load_pretrained as load_pretrained
from .export import save_pretrained as save_pretrained
from .model import Model as Model
from .run import Run as Run
from .trainer import train as train

__version__: str
