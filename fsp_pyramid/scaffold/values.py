"""Values of the templates: of the repository's own files, and of a new installation."""

import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass

from .._version import version

EXTRAS = 'accounts,heic,metrics,postgresql,redis'
EXAMPLE_NAME = 'bridge.example.com'
_CREDENTIALS = "#   FSP_USERNAME, FSP_PASSWORD   the credentials in Beefree's console; use a long password"
_URL = '#   FSP_EGNYTE_URL               https://DOMAIN.egnyte.com'
_LINK_KEY = (
    '#   FSP_PUBLIC_SECRET            signs the links in e-mails: openssl rand -hex 32. Keep it: without it they break.'
)
_VARIABLES = {
    'token': [
        _CREDENTIALS,
        _URL,
        '#   FSP_EGNYTE_TOKEN             an access token of the Egnyte user that the files belong to: see fsp-token',
        _LINK_KEY,
    ],
    'oauth': [
        _CREDENTIALS,
        _URL,
        '#   FSP_ACCOUNTS_MODE            oauth: each user connects an account, see the page "Connecting accounts"',
        '#   FSP_OAUTH_KEY, FSP_OAUTH_SECRET  your API key of https://developers.egnyte.com',
        '#   FSP_ACCOUNTS_KEYS            encrypts the tokens of users: fsp-accounts new-key',
        _LINK_KEY,
    ],
}
_TOKENS = {
    'token': '# Of the user that the files belong to: fsp-token INI --write environment\nFSP_EGNYTE_TOKEN=\n',
    'oauth': '# Each user connects an account: FSP_ACCOUNTS_KEYS encrypts their tokens.\n'
    'FSP_ACCOUNTS_MODE=oauth\nFSP_ACCOUNTS_KEYS={}\n',
}
_DEVELOPMENT_LINK_KEY = """
# Signs the links of public files.
fsp.public.secret = {}
"""
_TWO_PROCESSES = {
    'instances': 'fsp-pyramid@6543.service fsp-pyramid@6544.service',
    'upstream': """\
        server 127.0.0.1:6543 max_fails=1 fail_timeout=5s;
        server 127.0.0.1:6544 max_fails=1 fail_timeout=5s;""",
}
# Of a new installation, which has no Redis yet that several processes could share their state with.
_ONE_PROCESS = {
    'instances': 'fsp-pyramid@6543.service',
    'upstream': """\
        # One for each instance of fsp-pyramid.target; several of them need Redis.
        server 127.0.0.1:6543 max_fails=0;""",
}
_NGINX_ON_HOST = _TWO_PROCESSES | {
    'nginx_user': '# The second word is the group with read access to the cache.\nuser www-data fsp-pyramid;',
    'upstream_are': ' (the instances fsp-pyramid@PORT)',
}
# Of three machines, which share a Redis.
NGINX_OF_CLUSTER = {
    'upstream': """\
        server 10.0.0.1:6543 max_fails=1 fail_timeout=5s;
        server 10.0.0.2:6543 max_fails=1 fail_timeout=5s;
        server 10.0.0.3:6543 max_fails=1 fail_timeout=5s;""",
    'upstream_are': ' (the machines with the application)',
}
# The bridge sends the files itself: the containers share no directory.
NGINX_IN_COMPOSE = {
    'nginx_user': 'user nginx;',
    'upstream': '        server bridge:6543 max_fails=0;',
    'upstream_are': ' (the service of compose.yaml)',
}
_FROM_CLONE = """\
COPY requirements.lock /src/
RUN /opt/fsp-pyramid/bin/pip install --require-hashes -r /src/requirements.lock
COPY . /src
RUN /opt/fsp-pyramid/bin/pip install --no-deps /src"""
_FROM_INDEX = f'RUN /opt/fsp-pyramid/bin/pip install "fsp-pyramid[{EXTRAS}]=={version}"'

REPOSITORY = _NGINX_ON_HOST | {
    'build_context': '..',
    'build_image': 'podman build --format docker -f deploy/Containerfile -t fsp-pyramid .',
    'compose_environment': 'environment',
    'containerfile': 'deploy/Containerfile',
    'development_password': 'beefree',
    'development_secret': '',
    'environment_file': '',
    'install': _FROM_CLONE,
    'install_debug': ".venv/bin/pip install -e '.[debug]'",
    'install_redis': ".venv/bin/pip install -e '.[accounts,redis]'",
    'public_name': EXAMPLE_NAME,
    'required_variables': '\n'.join(_VARIABLES['token']),
    'serve_development': 'make serve',
    'version': version,
}


@dataclass(frozen=True, kw_only=True)
class Installation:
    """Decisions about a new installation.

    :param egnyte_url: ``https://DOMAIN.egnyte.com``; '' if it is not known yet
    :param mode: ``token`` or ``oauth``, as in ``fsp.accounts.mode``
    :param public_name: the host name of the bridge
    """

    egnyte_url: str = ''
    mode: str = 'token'
    public_name: str = EXAMPLE_NAME

    @property
    def public_base_url(self) -> str:
        """Value of ``fsp.public.base_url``; '' if the public name is not known yet."""
        return f'https://{self.public_name}/fsp-public' if self.public_name != EXAMPLE_NAME else ''

    def values(self) -> dict[str, str]:
        """Return the values of all templates, with new secrets."""
        return (
            REPOSITORY
            | _ONE_PROCESS
            | {
                'build_context': '.',
                'build_image': 'podman build --format docker -f deploy/Containerfile -t fsp-pyramid deploy',
                'containerfile': 'Containerfile',
                'database_password': secrets.token_urlsafe(24),
                'development_password': secrets.token_urlsafe(24),
                'development_secret': _DEVELOPMENT_LINK_KEY.format(secrets.token_hex(32)),
                'egnyte_url': self.egnyte_url,
                'environment_file': ', which the file "environment" has',
                'install': _FROM_INDEX,
                'install_debug': 'pip install "fsp-pyramid[debug]"',
                'install_redis': 'pip install "fsp-pyramid[accounts,redis]"',
                'password': secrets.token_urlsafe(24),
                'public_base_url': self.public_base_url,
                'public_name': self.public_name,
                'public_secret': secrets.token_hex(32),
                'required_variables': '\n'.join(_VARIABLES[self.mode]),
                'serve_development': 'fsp-serve development.ini',
                'tokens': _TOKENS[self.mode].format(urlsafe_b64encode(secrets.token_bytes(32)).decode()),
            }
        )
