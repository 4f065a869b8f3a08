"""Templates: text files with ``@{name}`` for values, which has no meaning in ini files, nginx, shells and YAML."""

import re
from collections.abc import Mapping
from pathlib import Path

from .values import NGINX_IN_COMPOSE, NGINX_OF_CLUSTER

FILES = Path(__file__).parent / 'files'
ENVIRONMENT_INI = FILES / 'environment.ini'
ENVIRONMENT = 'environment'
INI_FILES = ('development.ini', 'production.ini')
# Files of each kind of deployment.
DEPLOYMENTS = {
    'systemd': ('deploy/fsp-pyramid@.service', 'deploy/fsp-pyramid.target', 'deploy/sysusers.conf'),
    'nginx': ('deploy/nginx.conf', 'deploy/nginx-cluster.conf'),
    'container': ('deploy/Containerfile', 'deploy/compose.yaml', 'deploy/nginx-compose.conf'),
    'kubernetes': tuple(
        f'deploy/kubernetes/{name}.yaml'
        for name in (
            *('kustomization', 'configmap', 'deployment', 'service', 'ingress', 'networkpolicy'),
            'poddisruptionbudget',
        )
    ),
}
_SECOND_USE = {
    'deploy/nginx-cluster.conf': ('deploy/nginx.conf', NGINX_OF_CLUSTER),
    'deploy/nginx-compose.conf': ('deploy/nginx.conf', NGINX_IN_COMPOSE),
}


def render(name: str, values: Mapping[str, str]) -> str:
    """Return the text of the file *name* (``deploy/nginx.conf``). Raises KeyError for a value that is missing."""
    template, more = _SECOND_USE.get(name, (name, {}))
    found = {**values, **more}
    text = (FILES / template).read_text(encoding='utf-8')
    return re.sub(r'@\{(\w+)\}', lambda match: found[match[1]], text)
