"""The error of whatever a configuration gets wrong."""


class ConfigError(ValueError):
  """A setting that cannot be used; the message is one line for the user."""
