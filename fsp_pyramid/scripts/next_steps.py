"""Next steps after ``fsp-init``."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from ..scaffold import ENVIRONMENT, EXAMPLE_NAME, EXTRAS, Installation

_KINDS = {
    'systemd': [
        'install in /opt/fsp-pyramid/.venv: pip install "fsp-pyramid[{extras}]"',
        'mkdir -p /etc/fsp-pyramid && cp {dir}/production.ini {dir}/environment /etc/fsp-pyramid/',
        'cp {dir}/deploy/sysusers.conf /usr/lib/sysusers.d/fsp-pyramid.conf && systemd-sysusers',
        'cp {dir}/deploy/fsp-pyramid@.service {dir}/deploy/fsp-pyramid.target /etc/systemd/system/',
        'systemctl daemon-reload && systemctl enable --now fsp-pyramid.target',
        'a second process needs Redis: see "Several processes on one machine" in the page "Deployment"',
    ],
    'nginx': [
        'check the certificate and the ports in {dir}/deploy/nginx.conf, and copy it to /etc/fsp-pyramid/',
        'nginx -t -c /etc/fsp-pyramid/nginx.conf',
    ],
    'container': [
        'export TLS_CERTIFICATE=/path/of/cert.pem TLS_KEY=/path/of/key.pem',
        'docker compose --env-file {dir}/environment -f {dir}/deploy/compose.yaml up --build --wait',
    ],
    'kubernetes': [
        'read {dir}/deploy/kubernetes/kustomization.yaml: image, secret, Redis and PostgreSQL',
        'kubectl apply -k {dir}/deploy/kubernetes',
    ],
}


def next_steps(
    directory: Path, installation: Installation, kinds: Sequence[str], *, lacks_base_url: bool = False
) -> str:
    """Return the commands and edits that follow. Secrets are not in them, but the places where they are.

    :param lacks_base_url: the file of variables has no ``FSP_PUBLIC_BASE_URL``
    """
    where, environment = shlex.quote(str(directory)), shlex.quote(str(directory / ENVIRONMENT))
    production = _production(where, environment, installation, lacks_base_url)
    lines = [
        '',
        'Try it with a local Egnyte on this disk; the second command lists its root:',
        f'  fsp-serve {where}/development.ini',
        f'  curl -u "beefree:$(sed -n \'s/^fsp.password = //p\' {where}/development.ini)" \\',
        '      -H X-BEE-ClientId:app -H X-BEE-Uid:demo http://localhost:6543/fsp/',
        '',
        'Then with your Egnyte domain:',
        *(f'  {number}. {step}' for number, step in enumerate(production, 1)),
    ]
    for kind in dict.fromkeys(kinds):
        steps = (step.format(dir=where, extras=EXTRAS) for step in _KINDS[kind])
        lines += ['', f'Deployment with {kind}:', *(f'  {number}. {step}' for number, step in enumerate(steps, 1))]
    return '\n'.join(lines)


def _production(where: str, environment: str, installation: Installation, lacks_base_url: bool) -> list[str]:
    missing = [] if installation.egnyte_url else ['FSP_EGNYTE_URL (https://DOMAIN.egnyte.com)']
    missing += ['FSP_OAUTH_KEY', 'FSP_OAUTH_SECRET']
    name = installation.public_name if installation.public_name != EXAMPLE_NAME else 'YOUR-HOST'
    missing += [f'FSP_PUBLIC_BASE_URL (https://{name}/fsp-public)'] if lacks_base_url else []
    if installation.mode == 'token':
        redirect_uri = 'https://localhost/'
        access = f'get a token: fsp-token {where}/production.ini --write {environment}; then read the file again'
    else:
        redirect_uri = f'https://{name}/fsp-connect/callback'
        access = 'install what accounts of users need: pip install "fsp-pyramid[accounts]"'
    return [
        f'at https://developers.egnyte.com get an API key with the redirect URI {redirect_uri}',
        f'write into {environment}: {", ".join(missing)}',
        f'read that file in your shell: set -a; . {environment}; set +a',
        access,
        f'fsp-serve {where}/production.ini, behind a proxy that terminates TLS',
        f"in Beefree's console: base URL https://{name}/fsp, user name and password FSP_USERNAME and FSP_PASSWORD",
    ]
