"""What can be wrong with a deployment's choices.

ConfigError             the message names the file or variable, the setting and what is wrong with it
"""


class ConfigError(ValueError):
    """Base: the message is written for the operator."""
