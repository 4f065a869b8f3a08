"""Pictures in e-mails, for years: one call ever, stable URLs, and service while Egnyte is down."""

import io
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image
from pyramid.request import Request

from fsp_pyramid.concurrency.growing_file import GrowingFile, Reader
from fsp_pyramid.content.cache import CachedContent, ContentCache, VersionLookup
from fsp_pyramid.egnyte import Download
from fsp_pyramid.interfaces import IBackends, IPublic
from fsp_pyramid.metrics import IMetrics, Metrics
from fsp_pyramid.testing import Sandbox

from ..background import settle
from ..conftest import Source
from ..imaging.pictures import picture
from ..protocol.beefree import PNG, Beefree, outcome

DOWN = {'status': 503, 'times': 1000, 'path_prefix': '/pubapi'}


def url_of(client: Beefree, path: str, which: str = 'public-url') -> str:
    answer = client.get(path)
    assert outcome(answer) == (200, None)
    return answer.json['data']['meta'][which]


@pytest.fixture
def make_client(make_app: Callable[..., Any], tmp_path: Path) -> Callable[..., Beefree]:
    """Return a factory of clients of applications that share a cache directory, like processes."""
    return lambda **more: Beefree(make_app(public__cache_dir=str(tmp_path / 'cache'), **more))


# One call


def test_content_costs_one_call_ever(make_client: Callable[..., Beefree], sandbox: Sandbox) -> None:
    sandbox.upload('/Shared/Beefree/u1/a.png', PNG)
    client = make_client()
    url = url_of(client, '/a.png')
    sandbox.forget_calls()
    for _ in range(3):
        answer = client.public(url)
        assert (answer.status_int, answer.body, answer.content_type) == (200, PNG, 'image/png')
        settle()
    assert len(sandbox.calls) == 1
    assert make_client().public(url).body == PNG, 'after a restart'
    assert len(sandbox.calls) == 1


def test_uploaded_content_costs_no_call(client: Beefree, sandbox: Sandbox, source: Source) -> None:
    url = client.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    sandbox.forget_calls()
    assert client.public(url).body == PNG
    assert sandbox.calls == []


def test_concurrent_requests_cost_one_call(client: Beefree, sandbox: Sandbox) -> None:
    content = PNG + bytes(3_000_000)
    sandbox.upload('/Shared/Beefree/u1/a.png', content)
    url = url_of(client, '/a.png')
    sandbox.forget_calls()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: client.public(url), range(16)))
    assert {(answer.status_int, answer.body == content) for answer in answers} == {(200, True)}
    assert len(sandbox.calls) == 1


def test_concurrent_processes_cost_one_call(make_client: Callable[..., Beefree], sandbox: Sandbox) -> None:
    content = PNG + bytes(3_000_000)
    sandbox.upload('/Shared/Beefree/u1/a.png', content)
    clients = [make_client(), make_client()]
    url = url_of(clients[0], '/a.png')
    sandbox.forget_calls()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: clients[number % 2].public(url), range(8)))
    assert {answer.body == content for answer in answers} == {True}
    assert len(sandbox.calls) == 1


# The same URL


def test_url_survives_move_rename_and_replace(client: Beefree, sandbox: Sandbox, source: Source) -> None:
    url = client.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    token = url.split('/')[-2]
    client.create('/d/')
    moved = client.move('/a.png', '/d/').json['data']['meta']['public-url']
    assert moved == url
    body = {'action': 'move', 'destination': '/Shared/Beefree/u1/d/b.png'}
    assert sandbox.api('POST', '/pubapi/v1/fs/Shared/Beefree/u1/d/a.png', json=body).status_code == 200
    replaced = client.upload('/d/b.png', source.offer(PNG + b'2'), 'replace')
    assert outcome(replaced) == (201, None)
    assert client.public(url).body == client.public(url.replace('a.png', 'any%2Fthing.txt')).body
    assert token in url


def test_own_replacement_is_served_at_once(client: Beefree, source: Source) -> None:
    first = client.upload('/a.png', source.offer(PNG)).json['data']['meta']
    second = client.upload('/a.png', source.offer(PNG + b'2'), 'replace').json['data']['meta']
    assert second['public-url'] == first['public-url']
    assert second['thumbnail'] != first['thumbnail']
    answer = client.public(first['public-url'])
    assert answer.body == PNG + b'2'
    assert answer.headers['Cache-Control'].startswith('public, max-age=300, stale-while-revalidate=')
    assert 'stale-if-error=' in answer.headers['Cache-Control']


def test_foreign_replacement_is_served_after_the_last_version(
    make_client: Callable[..., Beefree], sandbox: Sandbox, source: Source
) -> None:
    client = make_client(cache__ttl='0')
    url = client.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    sandbox.upload('/Shared/Beefree/u1/a.png', PNG + b'theirs')
    assert client.public(url).body == PNG, 'nothing tells us yet'
    client.get('/')
    answer = client.public(url)
    assert answer.body == PNG, 'nobody waits'
    assert int(answer.headers['Age']) >= 0
    settle()
    answer = client.public(url)
    assert answer.body == PNG + b'theirs'
    assert 'Age' not in answer.headers


def test_stale_version_is_revalidated_in_the_background(
    make_client: Callable[..., Beefree], sandbox: Sandbox, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(public__revalidate='3600')
    url = client.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    sandbox.upload('/Shared/Beefree/u1/a.png', PNG + b'theirs')
    sandbox.forget_calls()
    assert client.public(url).body == PNG
    settle()
    assert sandbox.calls == []
    later(client, 3601, monkeypatch)
    assert client.public(url).body == PNG
    settle()
    assert [call.split()[0] for call in sandbox.calls] == ['GET'], 'one look, and nobody waited'
    client.public(url)
    settle()
    assert client.public(url).body == PNG + b'theirs'


def test_foreign_replacement_is_revalidated_after_an_event(
    make_client: Callable[..., Beefree], sandbox: Sandbox, source: Source
) -> None:
    client = make_client(events__interval='300')
    url = client.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    sandbox.upload('/Shared/Beefree/u1/a.png', PNG + b'theirs')
    client.public(url)
    settle()
    assert client.public(url).body == PNG, 'nothing tells us yet'
    listing_cache = client.app.app.registry.getUtility(IBackends).listing_cache
    now = listing_cache.clock()
    listing_cache.clock = lambda: now + 301
    client.get('/nothing/')
    client.public(url)
    settle()
    client.public(url)
    settle()
    assert client.public(url).body == PNG + b'theirs'


def later(client: Beefree, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Advance the clock of the content cache."""
    content_service = client.app.app.registry.getUtility(IPublic).content_service
    for part in (content_service.cache, content_service.backoff):
        monkeypatch.setattr(part, 'clock', lambda: time.time() + seconds)


# Gone


def test_own_deletion_costs_no_call(client: Beefree, sandbox: Sandbox, source: Source) -> None:
    meta = client.upload('/a.png', source.offer(PNG)).json['data']['meta']
    client.delete('/a.png')
    sandbox.forget_calls()
    for url in (meta['public-url'], meta['thumbnail']):
        assert client.public(url).status_int == 404
    assert sandbox.calls == []


def test_foreign_deletion_costs_one_call(
    make_client: Callable[..., Beefree], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = sandbox.upload('/Shared/Beefree/u1/a.png', PNG)
    client = make_client()
    url = url_of(client, '/a.png')
    sandbox.api('DELETE', f'/pubapi/v1/fs/ids/file/{file["group_id"]}')
    sandbox.forget_calls()
    assert [client.public(url).status_int for _ in range(3)] == [404] * 3
    assert len(sandbox.calls) == 1
    later(client, 86401, monkeypatch)
    assert client.public(url).status_int == 404
    settle()
    assert len(sandbox.calls) > 1, 'it may have been restored'


def test_restored_file_is_served_after_a_listing(
    make_client: Callable[..., Beefree], sandbox: Sandbox, source: Source
) -> None:
    client = make_client(cache__ttl='0')
    url = client.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    client.delete('/a.png')
    assert client.public(url).status_int == 404
    (item,) = sandbox.api('GET', '/pubapi/v2/fs/trash').json()['items']
    sandbox.api('POST', '/pubapi/v1/fs/trash', json={'action': 'RESTORE', 'ids': [item['id']]})
    client.get('/')
    assert client.public(url).body == PNG


@pytest.mark.parametrize('which', ['public-url', 'thumbnail'])
def test_forged_link_costs_no_call(client: Beefree, sandbox: Sandbox, which: str) -> None:
    sandbox.upload('/Shared/Beefree/u1/a.png', PNG)
    url = url_of(client, '/a.png', which)
    sandbox.forget_calls()
    for at in (30, 40, 60, len(url) - 10):
        other = 'a' if url[at] != 'a' else 'b'
        answer = client.public(f'{url[:at]}{other}{url[at + 1 :]}')
        assert answer.status_int == 404 or '/' in url[at]
    assert sandbox.calls == []


def test_thumbnail_link_does_not_open_the_file(client: Beefree, source: Source) -> None:
    meta = client.upload('/a.png', source.offer(picture())).json['data']['meta']
    base, token, digits, name = meta['thumbnail'].rsplit('/', 3)
    assert client.public(f'{base}/{token}/{name}').status_int == 404
    content_token = meta['public-url'].split('/')[-2]
    # The link of the file is no link of a thumbnail: what follows it is a name.
    assert client.public(f'{base}/{content_token}/{digits}/{name}').body == picture()


# Trouble


def test_cached_content_is_served_while_egnyte_is_down(
    make_client: Callable[..., Beefree], sandbox: Sandbox, source: Source
) -> None:
    client = make_client()
    meta = client.upload('/a.png', source.offer(picture())).json['data']['meta']
    settle()
    sandbox.upload('/Shared/Beefree/u1/never.png', PNG)
    sandbox.upload('/Shared/Beefree/u1/d.png', PNG)
    client.get('/')
    never = url_of(make_client(cache__ttl='0'), '/never.png')
    sandbox.fail(DOWN)
    sandbox.forget_calls()
    answer = client.public(meta['public-url'])
    assert (answer.status_int, answer.body) == (200, picture())
    assert client.public(meta['thumbnail']).content_type == 'image/webp'
    assert sandbox.calls == [], 'what is here needs nobody'
    answers = [client.public(never) for _ in range(5)]
    assert {answer.status_int for answer in answers} == {503}
    assert all(int(answer.headers['Retry-After']) > 0 for answer in answers)
    assert len(sandbox.calls) == 1, 'one question, and then nobody waits for it in vain'


def test_last_version_is_served_while_the_current_one_is_unavailable(
    make_client: Callable[..., Beefree], sandbox: Sandbox, source: Source
) -> None:
    client = make_client(cache__ttl='0')
    url = client.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    sandbox.upload('/Shared/Beefree/u1/a.png', PNG + b'theirs')
    client.get('/')
    sandbox.fail(DOWN)
    for _ in range(3):
        answer = client.public(url)
        settle()
        assert (answer.status_int, answer.body) == (200, PNG)
        assert 'Age' in answer.headers
        assert 'Warning' not in answer.headers


def test_damaged_content_never_looks_complete(
    make_client: Callable[..., Beefree], sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = PNG + bytes(300_000)
    sandbox.upload('/Shared/Beefree/u1/a.png', content)
    client = make_client()
    url = url_of(client, '/a.png')
    original = Download.__next__
    monkeypatch.setattr(Download, '__next__', lambda self: original(self).replace(b'\0', b'\1'))
    answer = Request.blank(urlsplit(url).path).get_response(client.app.app)
    if answer.status_int != 503:  # it is an error where nobody could read it yet; else its end does not come
        assert len(b''.join(answer.app_iter)) < len(content) == answer.content_length
        answer.app_iter.close()
    settle()
    assert not list((tmp_path / 'cache' / 'copies').glob('*/*'))
    sandbox.forget_calls()
    assert client.public(url).status_int == 503, 'the next one costs no call'
    assert sandbox.calls == []
    monkeypatch.undo()
    client.app.app.registry.getUtility(IPublic).content_service.backoff.clear()  # ten seconds later
    assert client.public(url).body == content


def test_rolled_back_version_is_not_served(
    make_app: Callable[..., Any], sandbox: Sandbox, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Beefree(make_app())
    url = client.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']

    def failing(*_arguments: Any) -> None:
        raise RuntimeError('the subscriber fails')

    monkeypatch.setattr('fsp_pyramid.protocol.views.FileStored', failing)
    assert client.upload('/a.png', source.offer(PNG + b'2'), 'replace').status_int == 503
    settle()
    assert client.public(url).body == PNG
    settle()
    assert client.public(url).body == PNG


# Headers


def test_conditions_and_ranges_of_cached_content(client: Beefree, source: Source) -> None:
    content = PNG + bytes(range(256)) * 1000
    url = client.upload('/a.png', source.offer(content)).json['data']['meta']['public-url']
    whole = client.public(url)
    etag, modified = whole.headers['ETag'], whole.headers['Last-Modified']
    assert whole.headers['Accept-Ranges'] == 'bytes'
    assert not etag.startswith('W/')

    def ask(**headers: str) -> Any:
        return client.public(url, headers={name.replace('_', '-'): value for name, value in headers.items()})

    assert ask(If_None_Match=etag).status_int == 304
    assert ask(If_None_Match='"other"').status_int == 200
    assert ask(If_None_Match='*').status_int == 304
    assert ask(If_Modified_Since=modified).status_int == 304
    assert ask(If_None_Match='"other"', If_Modified_Since=modified).status_int == 200
    part = ask(Range='bytes=1000-1999')
    assert (part.status_int, part.body) == (206, content[1000:2000])
    assert part.headers['Content-Range'] == f'bytes 1000-1999/{len(content)}'
    assert ask(Range='bytes=-10').body == content[-10:]
    assert ask(Range='bytes=200000-').body == content[200000:]
    behind = ask(Range='bytes=9999999-')
    assert (behind.status_int, behind.headers['Content-Range']) == (416, f'bytes */{len(content)}')
    several = ask(Range='bytes=0-1,5-9')
    assert (several.status_int, several.body) == (200, content)
    assert ask(Range='bytes=0-9', If_Range=etag).body == content[:10]
    assert ask(Range='bytes=0-9', If_Range='"other"').body == content
    assert ask(Range='bytes=0-9', If_Range=modified).body == content[:10]
    assert ask(Range='lines=1-2').body == content
    head = client.public(url, method='HEAD')
    assert (head.body, head.headers['Content-Length']) == (b'', str(len(content)))
    for method in ('POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'):
        answer = client.public(url, method=method)
        assert (answer.status_int, answer.headers['Allow']) == (405, 'GET, HEAD')


class Counting(Metrics):
    """Metrics that record what was served."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []

    def served(self, outcome: str, size: int) -> None:
        self.told.append((outcome, size))


def test_outcomes_are_counted(client: Beefree, sandbox: Sandbox) -> None:
    sandbox.upload('/Shared/Beefree/u1/a.png', PNG)
    url, metrics = url_of(client, '/a.png'), Counting()
    client.app.app.registry.registerUtility(metrics, IMetrics)
    etag = client.public(url).headers['ETag']
    settle()
    client.public(url)
    client.public(url, headers={'Range': 'bytes=0-9'})
    client.public(url, headers={'If-None-Match': etag})
    client.public(url, method='HEAD')
    assert metrics.told == [('fetched', len(PNG)), ('kept', len(PNG)), ('kept', 10), ('known', 0), ('kept', 0)]


def test_calling_request_counts_as_fetched(client: Beefree, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if the download is complete before it is read, with any number of waiting requests."""
    sandbox.upload('/Shared/Beefree/u1/a.png', PNG)
    url, metrics = url_of(client, '/a.png'), Counting()
    client.app.app.registry.registerUtility(metrics, IMetrics)
    reader = GrowingFile.reader

    def late(file: GrowingFile) -> Reader:
        settle()
        return reader(file)

    monkeypatch.setattr(GrowingFile, 'reader', late)
    client.public(url)
    client.public(url)
    assert metrics.told == [('fetched', len(PNG)), ('kept', len(PNG))]


def test_one_of_concurrent_requests_counts_as_fetched(client: Beefree, sandbox: Sandbox) -> None:
    sandbox.upload('/Shared/Beefree/u1/a.png', PNG)
    url, metrics = url_of(client, '/a.png'), Counting()
    client.app.app.registry.registerUtility(metrics, IMetrics)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client.public(url), range(8)))
    assert sorted(metrics.told) == [('fetched', len(PNG)), *[('kept', len(PNG))] * 7]


def test_copy_that_is_completed_after_the_look_up_is_not_stale(
    client: Beefree, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another request brings the current version between the look-up of the version and that of a copy."""
    sandbox.upload('/Shared/Beefree/u1/a.png', PNG)
    url, metrics = url_of(client, '/a.png'), Counting()
    client.app.app.registry.registerUtility(metrics, IMetrics)
    open_current = ContentCache.open_current

    def late(cache: ContentCache, lookup: VersionLookup) -> CachedContent | None:
        monkeypatch.setattr(ContentCache, 'open_current', open_current)
        client.public(url)
        settle()
        return open_current(cache, lookup)

    monkeypatch.setattr(ContentCache, 'open_current', late)
    assert 'Age' not in client.public(url).headers
    assert metrics.told == [('fetched', len(PNG)), ('kept', len(PNG))]


PAGE = b'<!DOCTYPE html><script>alert(1)</script>'
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><style>rect{fill:red}</style><rect width="9" height="9"/></svg>'


@pytest.mark.parametrize(
    ('name', 'content', 'mime_type', 'disposition', 'policy'),
    [
        ('a.png', PNG, 'image/png', 'inline', "sandbox; default-src 'none'"),
        ('page.html', PAGE, 'text/html', 'attachment', "sandbox; default-src 'none'"),
        ('a.pdf', b'%PDF-1.4', 'application/pdf', 'attachment', "sandbox; default-src 'none'"),
        ('page.xhtml', PAGE, 'application/xhtml+xml', 'attachment', "sandbox; default-src 'none'"),
        (
            'a.svg', SVG, 'image/svg+xml', 'inline',
            "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
        ),
        ('a.unknown', b'x', 'application/octet-stream', 'inline', "sandbox; default-src 'none'"),
    ],
)  # fmt: skip
def test_headers_keep_content_from_acting_under_our_origin(
    client: Beefree, sandbox: Sandbox, name: str, content: bytes, mime_type: str, disposition: str, policy: str
) -> None:
    sandbox.upload(f'/Shared/Beefree/u1/{name}', content)
    answer = client.public(url_of(client, f'/{name}'))
    assert answer.headers['Content-Type'] == mime_type
    assert answer.headers['Content-Security-Policy'] == policy
    assert answer.headers['Content-Disposition'] == f'{disposition}; filename="{name}"; filename*=UTF-8\'\'{name}'
    assert answer.headers['X-Content-Type-Options'] == 'nosniff'
    assert answer.headers['Cross-Origin-Resource-Policy'] == 'cross-origin'
    assert answer.headers['Access-Control-Allow-Origin'] == '*'
    assert 'Set-Cookie' not in answer.headers


def test_disposition_has_the_name_of_the_file(client: Beefree, sandbox: Sandbox) -> None:
    sandbox.upload('/Shared/Beefree/u1/Straße 5%; "x".png'.replace('"', "'"), PNG)
    (item,) = (item for item in client.get('/').json['data']['items'] if item['name'].startswith('Stra'))
    url = item['public-url'].rsplit('/', 1)[0]
    answer = client.public(f'{url}/invoice.exe')
    assert answer.headers['Content-Type'] == 'image/png'
    assert answer.headers['Content-Disposition'] == (
        "inline; filename=\"Stra_e 5_; 'x'.png\"; filename*=UTF-8''Stra%C3%9Fe%205%25%3B%20%27x%27.png"
    )


# Thumbnails


def size_of(content: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(content)) as image:
        return image.size


def test_uploaded_picture_has_a_thumbnail(client: Beefree, sandbox: Sandbox, source: Source) -> None:
    meta = client.upload('/a.png', source.offer(picture(900, 300))).json['data']['meta']
    settle()
    sandbox.forget_calls()
    answer = client.public(meta['thumbnail'])
    assert (answer.status_int, answer.content_type) == (200, 'image/webp')
    assert size_of(answer.body) == (200, 67)
    assert answer.headers['Cache-Control'] == 'public, max-age=31536000, immutable'
    # A deletion has to show: nginx asks again.
    assert answer.headers['X-Accel-Expires'] == '300'
    assert answer.headers['Content-Security-Policy'] == "sandbox; default-src 'none'"
    assert sandbox.calls == []
    assert client.public(meta['thumbnail'], headers={'If-None-Match': answer.headers['ETag']}).status_int == 304


def test_first_thumbnail_costs_one_call(client: Beefree, sandbox: Sandbox) -> None:
    sandbox.upload('/Shared/Beefree/u1/a.png', picture())
    url = url_of(client, '/a.png', 'thumbnail')
    sandbox.forget_calls()
    assert [client.public(url).content_type for _ in range(3)] == ['image/webp'] * 3
    settle()
    assert len(sandbox.calls) == 1
    client.public(url_of(client, '/a.png'))
    assert len([call for call in sandbox.calls if '/fs-content/' in call]) == 1, 'its content is kept as well'


def test_copy_of_a_picture_shares_its_thumbnail(client: Beefree, sandbox: Sandbox, source: Source) -> None:
    client.upload('/a.png', source.offer(picture()))
    settle()
    sandbox.upload('/Shared/Team/copy.png', picture())
    url = url_of(client, '/team/copy.png', 'thumbnail')
    client.get('/team/')
    sandbox.forget_calls()
    assert client.public(url).content_type == 'image/webp'
    assert sandbox.calls == []


def test_other_files_have_no_thumbnail(client: Beefree, sandbox: Sandbox) -> None:
    for name in ('a.svg', 'a.pdf', 'a.mp4', 'a.txt'):
        sandbox.upload(f'/Shared/Beefree/u1/{name}', b'x')
    items = [item for item in client.get('/').json['data']['items'] if item['mime-type'] != 'application/directory']
    assert len(items) == 4
    assert not [item for item in items if 'thumbnail' in item]


def test_broken_picture_is_rendered_once(client: Beefree, sandbox: Sandbox) -> None:
    sandbox.upload('/Shared/Beefree/u1/a.png', PNG)
    url = url_of(client, '/a.png', 'thumbnail')
    sandbox.forget_calls()
    client.public(url)
    settle()
    assert [client.public(url).status_int for _ in range(3)] == [404] * 3
    assert len(sandbox.calls) == 1


def test_old_thumbnail_url_shows_the_replacement(client: Beefree, source: Source) -> None:
    old = client.upload('/a.png', source.offer(picture(400, 400))).json['data']['meta']['thumbnail']
    new = client.upload('/a.png', source.offer(picture(400, 100)), 'replace').json['data']['meta']['thumbnail']
    assert old != new
    settle()
    for url, caching in ((old, 'max-age=300'), (new, 'immutable')):
        answer = client.public(url)
        assert size_of(answer.body) == (200, 50)
        assert caching in answer.headers['Cache-Control']


def test_folder_of_new_pictures_gets_placeholders_first(
    make_client: Callable[..., Beefree], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every answer is a picture, and placeholders are not cacheable."""
    monkeypatch.setattr('fsp_pyramid.content.thumbnail_service.WAIT', 0.05)
    for number in range(30):
        sandbox.upload(f'/Shared/Team/{number}.png', picture(210 + number))
    client = make_client()
    urls = [item['thumbnail'] for item in client.get('/team/').json['data']['items']]
    sandbox.forget_calls()
    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(client.public, urls))
    assert {(answer.status_int, answer.content_type) for answer in answers} == {(200, 'image/webp')}
    waiting = [answer for answer in answers if answer.headers['Cache-Control'] == 'no-store']
    assert waiting
    assert {size_of(answer.body) for answer in waiting} == {(200, 200)}
    settle()
    assert [client.public(url).headers['Cache-Control'] for url in urls] == ['public, max-age=31536000, immutable'] * 30
    assert len(sandbox.calls) == 30


def spend(client: Beefree, calls: int) -> None:
    """Let Egnyte have reported so many of the day's 1,000 calls as used."""
    rate_limiter = client.app.app.registry.getUtility(IBackends).rate_limiter
    told = {'X-Accesstoken-Quota-Allotted': '1000', 'X-Accesstoken-Quota-Current': str(calls)}
    rate_limiter.observe(rate_limiter.acquire('sandbox', 5), told)


def test_thumbnails_leave_the_last_calls_of_the_day_to_visitors(
    make_client: Callable[..., Beefree], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client()
    sandbox.upload('/Shared/Team/a.png', picture())
    url = url_of(client, '/team/a.png', 'thumbnail')
    spend(client, 850)
    sandbox.forget_calls()
    answer = client.public(url)
    assert (answer.status_int, answer.headers['Cache-Control']) == (200, 'no-store')
    settle()
    assert sandbox.calls == []
