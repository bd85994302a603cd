"""SAE-3. python -m experiments.main --config=experiments/sae3.py[:quick]"""

from structae import config

get_config = config.variant('sae3')
