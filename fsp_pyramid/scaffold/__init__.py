"""Files of an installation: ini files, units for systemd, nginx, containers, Kubernetes.

They are package data, so that a wheel contains them. ``fsp-init`` writes them with the values of an installation. The
files of the repository are the same with :data:`REPOSITORY`'s values: ``python -m fsp_pyramid.scaffold`` updates them.
"""

from .templates import (
    DEPLOYMENTS,
    ENVIRONMENT,
    ENVIRONMENT_INI,
    INI_FILES,
    render,
)
from .values import EXAMPLE_NAME, EXTRAS, REPOSITORY, Installation

__all__ = [
    'DEPLOYMENTS',
    'ENVIRONMENT',
    'ENVIRONMENT_INI',
    'EXAMPLE_NAME',
    'EXTRAS',
    'INI_FILES',
    'REPOSITORY',
    'Installation',
    'render',
]
