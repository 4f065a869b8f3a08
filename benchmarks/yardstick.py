"""The yardstick: a bare Pyramid application under waitress, with a JSON view and a file view and nothing else."""

import argparse
import json
from pathlib import Path
from typing import Any

import waitress
from pyramid.config import Configurator
from pyramid.response import FileResponse

# Those of production.ini.
THREADS = 32


def make_app(directory: Path) -> Any:
    """``/json/NAME`` renders what is in NAME.json, read once, ``/file/NAME`` serves the file NAME."""
    values = {path.stem: json.loads(path.read_bytes()) for path in directory.glob('*.json')}

    def value(request: Any) -> Any:
        return values[request.matchdict['name']]

    def file(request: Any) -> FileResponse:
        return FileResponse(directory / request.matchdict['name'], request, content_type='application/octet-stream')

    with Configurator() as config:
        config.add_route('json', '/json/{name}')
        config.add_route('file', '/file/{name}')
        config.add_view(value, route_name='json', renderer='json')
        config.add_view(file, route_name='file')
        return config.make_wsgi_app()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--directory', type=Path, required=True)
    parser.add_argument('--port', type=int, required=True)
    options = parser.parse_args()
    waitress.serve(make_app(options.directory), host='127.0.0.1', port=options.port, threads=THREADS, _quiet=True)


if __name__ == '__main__':
    main()
