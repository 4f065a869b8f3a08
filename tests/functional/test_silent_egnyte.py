"""Silent Egnyte at a real ``pserve``: it occupies a part of the threads, and the health check is answered."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import pytest

from .envelope import caller
from .processes import PATIENCE, Answer, serving

TOP = Path(__file__).parents[2]
USERS, THREADS, CALLS = 20, 8, 5


@pytest.mark.parametrize('user', ['u{}', 'u'], ids=['directories of their own', 'one directory'])
def test_silent_egnyte_leaves_threads_to_others(tmp_path: Path, user: str) -> None:
    ini = tmp_path / 'production.ini'
    ini.write_text((TOP / 'production.ini').read_text())
    with socket.create_server(('127.0.0.1', 0), backlog=USERS) as silent, ThreadPoolExecutor(USERS) as pool:
        environ = {
            'FSP_EGNYTE_URL': f'http://127.0.0.1:{silent.getsockname()[1]}',
            'FSP_EGNYTE_TOKEN': 'token',
            'FSP_EGNYTE_TIMEOUT': f'{PATIENCE:.0f}',
            'FSP_THREADS': str(THREADS),
            'FSP_USERNAME': 'beefree',
            'FSP_PASSWORD': 'beefree',
            'FSP_PUBLIC_SECRET': 'x' * 32,
            'FSP_REQUIRE_HTTPS': 'false',
        }
        with serving(ini, **environ) as server:

            def listing(number: int) -> Answer:
                (answer,) = server.ask('GET /fsp/', headers=caller(uid=user.format(number)))
                return answer

            try:  # one request for each slot waits, for Egnyte or for the first one
                answers = as_completed([pool.submit(listing, number) for number in range(USERS)], timeout=PATIENCE)
                refused = [next(answers).result() for _ in range(USERS - CALLS)]
                assert {(answer.status, json.loads(answer.body)['code']) for answer in refused} == {(503, 3904)}
                (health,) = server.ask('GET /fsp-ops/health')
                assert health.status == 200
            finally:
                silent.close()  # ends the others
