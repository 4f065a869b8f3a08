"""A yardstick: the bridge that is written in an afternoon on Egnyte's own client. It keeps nothing, and asks each time.

Its listings take a call for the folder, and one for the link of each file in it.
"""

import argparse
from typing import Any
from urllib.request import urlopen

import waitress
from egnyte.client import EgnyteClient
from pyramid.config import Configurator
from pyramid.request import Request

# Those of production.ini.
THREADS = 32


class Naive:
    """Views of the protocol, for one user whose files are below *home*."""

    def __init__(self, egnyte: EgnyteClient, home: str) -> None:
        self._egnyte, self._home = egnyte, home

    def __call__(self, request: Request) -> dict[str, Any]:
        """Answer one request."""
        path = '/' + '/'.join(request.matchdict['path'])
        is_directory = request.path_info.endswith('/')
        operation = f'{request.method.lower()}_{"directory" if is_directory else "file"}'
        data = getattr(self, operation)(path, request)
        request.response.status_int = 201 if request.method == 'POST' else 200
        return {'status': 'success', 'data': data}

    def get_directory(self, path: str, _request: Request) -> dict[str, Any]:
        """List a directory."""
        folder = self._egnyte.folder(self._home + path)
        folder.list()
        items = [{'name': one.name, 'path': f'{path.rstrip("/")}/{one.name}/'} for one in folder.folders]
        items += [self._file(f'{path.rstrip("/")}/{one.name}') for one in folder.files]
        return {'meta': {'path': path}, 'items': items}

    def post_directory(self, path: str, _request: Request) -> dict[str, Any]:
        """Create a directory."""
        self._egnyte.folder(self._home + path).create()
        return {'meta': {'path': path}}

    def post_file(self, path: str, request: Request) -> dict[str, Any]:
        """Upload a file."""
        with urlopen(request.json_body['source']) as source:
            self._egnyte.file(self._home + path).upload(source.read())
        return {'meta': self._file(path)}

    def patch_file(self, path: str, request: Request) -> dict[str, Any]:
        """Move a file."""
        name = path.rsplit('/', 1)[1]
        target = f'{request.json_body["new_path"]}{name}'
        if target != path:
            self._egnyte.file(self._home + path).move(self._home + target)
        return {'meta': self._file(target)}

    def delete_file(self, path: str, _request: Request) -> None:
        """Delete a file."""
        self._egnyte.file(self._home + path).delete()

    def _file(self, path: str) -> dict[str, Any]:
        (link,) = self._egnyte.file(self._home + path).link(accessibility='anyone')
        return {'name': path.rsplit('/', 1)[1], 'path': path, 'public-url': link.url}


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--egnyte', required=True)
    parser.add_argument('--token', required=True)
    parser.add_argument('--home', required=True)
    parser.add_argument('--port', type=int, required=True)
    options = parser.parse_args()
    egnyte = EgnyteClient({'domain': 'sandbox', 'access_token': options.token})
    egnyte._url_prefix = f'{options.egnyte}/'
    with Configurator() as config:
        config.add_route('all', '/fsp*path')
        config.add_view(Naive(egnyte, options.home), route_name='all', renderer='json')
        application = config.make_wsgi_app()
    waitress.serve(application, host='127.0.0.1', port=options.port, threads=THREADS, _quiet=True)


if __name__ == '__main__':
    main()
