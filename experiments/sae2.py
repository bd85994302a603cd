"""SAE-2. python -m experiments.main --config=experiments/sae2.py[:quick]"""

from structae import config

get_config = config.variant('sae2')
