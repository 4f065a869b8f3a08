"""Links with the user's label, a return URL and a language: signed, checked, and shown."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyramid.config import Configurator
from pyramid.response import Response
from webtest import TestApp

from fsp_pyramid import main
from fsp_pyramid.connect.links import Link, Links, Purpose
from fsp_pyramid.connect.states import States
from fsp_pyramid.routing import origin_of

from .test_host import make_host
from .visitor import Site, Visitor

ORIGIN = 'https://app.example.com'
RETURN_URL = f'{ORIGIN}/settings?tab=files#egnyte'
LABEL = 'anna.berg@example.com'
MORE = {'user_label': LABEL, 'return_url': RETURN_URL, 'language': 'en'}


@pytest.fixture
def visitor() -> Any:
    with Visitor() as visitor:
        yield visitor


@pytest.fixture
def site(make: Callable[..., Site]) -> Site:
    return make(title='Acme Mailer', support_url='mailto:help@acme.com', connect__return_origins=ORIGIN)


def way_back(visitor: Visitor) -> str | None:
    """Return the address of the link back; None without one."""
    link = visitor.page.html.find(id='back')
    return link and link['href']


def told_state(visitor: Visitor) -> str | None:
    """Return the state that the page's script tells the opener; None without a script."""
    scripts = visitor.page.html.find_all('script')
    policy = visitor.response.headers['Content-Security-Policy']
    assert [f"script-src 'nonce-{script['nonce']}'" in policy for script in scripts] == [True] * len(scripts)
    assert ('script-src' in policy) == bool(scripts)
    assert [script['data-origin'] for script in scripts] == [ORIGIN] * len(scripts)
    return scripts[0]['data-state'] if scripts else None


# What a user sees


def test_pages_name_application_and_person(site: Site, visitor: Visitor) -> None:
    visitor.open(site.link(**MORE))
    asked = f'Acme Mailer asks to keep the images and files of {LABEL} in your Egnyte account.'
    warning = f'Go on only if you are {LABEL}, and the link to this page came from Acme Mailer itself.'
    assert asked in visitor.text
    assert warning in visitor.text
    identifiers = visitor.page.html.find(class_='ids').get_text()
    assert identifiers == 'Application shop, user anna'
    assert 'anna ' not in visitor.text.replace(identifiers, '')
    visitor.submit('Go to Egnyte').consent()
    assert f'Images and files that {LABEL} uses in Acme Mailer are kept in this Egnyte account.' in visitor.text
    assert [item.get_text() for item in visitor.page.html.select('dd')][:1] == ['alice']
    visitor.follow('Choose a folder')
    assert f'Images and files that {LABEL} uses in Acme Mailer go to /Private/alice/Beefree.' in visitor.text


def test_page_names_the_egnyte_to_log_in_at(make: Callable[..., Site], site: Site, visitor: Visitor) -> None:
    netloc = site.application.registry.settings['fsp.egnyte.url'].removeprefix('http://')
    assert f'You log in at {netloc}' in visitor.open(site.link()).text
    assert f'You log in at {netloc}' not in visitor.open(make(oauth__domain='ask').link()).text


def test_without_title_and_label_ids_are_shown(make: Callable[..., Site], visitor: Visitor) -> None:
    assert 'shop asks to keep the images and files of anna' in visitor.open(make().link()).text


def test_error_pages_link_to_the_support(site: Site, visitor: Visitor) -> None:
    visitor.open(site.link(lifetime=-1, **MORE))
    assert visitor.response.status_code == 410
    assert 'ask the support of Acme Mailer' in visitor.text
    (link,) = [link['href'] for link in visitor.page.html.find_all('a') if link.get_text() == 'Acme Mailer']
    assert link == 'mailto:help@acme.com'
    assert way_back(visitor) == RETURN_URL


def test_errors_in_beefree_name_the_application(site: Site, make: Callable[..., Site]) -> None:
    assert 'Look for "Connect Egnyte" in Acme Mailer' in site.files().json()['details']
    assert 'the application that you opened this editor from' in make().files().json()['details']


# Ways back


def test_last_pages_lead_back_and_tell_the_opener(site: Site, visitor: Visitor) -> None:
    visitor.open(site.link(**MORE))
    assert (way_back(visitor), told_state(visitor)) == (RETURN_URL, None)
    visitor.submit('Go to Egnyte').consent(decision='Deny')
    assert (way_back(visitor), told_state(visitor)) == (RETURN_URL, 'denied')
    visitor.follow('Start again').submit('Go to Egnyte').consent()
    assert (way_back(visitor), told_state(visitor)) == (RETURN_URL, 'connected')
    assert visitor.page.html.find(id='back').get_text() == 'Back to Acme Mailer'
    visitor.follow('Choose a folder')
    assert (way_back(visitor), told_state(visitor)) == (RETURN_URL, None)
    visitor.follow('/Private/alice').submit('Create', name='New').submit('Use “New”')
    assert (visitor.heading, told_state(visitor)) == ('Egnyte is connected', 'folder')
    visitor.submit('Disconnect')
    assert (way_back(visitor), told_state(visitor)) == (RETURN_URL, 'disconnected')


def test_folder_link_leads_back(site: Site, visitor: Visitor) -> None:
    visitor.connect(site.link())
    visitor.open(site.link(purpose='folder', **MORE)).follow('/Private/alice').submit('Use “alice”')
    assert (way_back(visitor), told_state(visitor)) == (RETURN_URL, 'folder')


@pytest.mark.parametrize('done', ['connected', 'folder', 'disconnected', 'forgotten', 'denied', 'other'])
def test_outcome_in_the_url_alone_is_not_told(site: Site, visitor: Visitor, done: str) -> None:
    visitor.open(f'{site.link(**MORE)}?done={done}')
    assert (way_back(visitor), told_state(visitor)) == (RETURN_URL, None)


def test_without_a_return_url_there_is_neither_link_nor_script(site: Site, visitor: Visitor) -> None:
    visitor.connect(site.link())
    assert (way_back(visitor), told_state(visitor)) == (None, None)


def test_return_url_is_checked_again_when_the_page_is_shown(
    make: Callable[..., Site], site: Site, visitor: Visitor
) -> None:
    link = site.link(**MORE)
    other = make(connect__return_origins='https://other.example.com')
    visitor.connect(other.url + link.removeprefix(site.url))
    assert (visitor.heading, way_back(visitor), told_state(visitor)) == ('Egnyte is connected', None, None)
    assert LABEL in visitor.text


@pytest.mark.parametrize(
    'url',
    [
        ORIGIN,
        f'{ORIGIN}/',
        f'{ORIGIN}:443/x',
        'HTTPS://App.Example.COM/x',
        f'{ORIGIN}?next=https://evil.com',
        f'{ORIGIN}/%5Cevil',
        'http://localhost:8080/x',
        'http://[::1]/x',
    ],
)
def test_return_urls_of_allowed_origins(make: Callable[..., Site], url: str, visitor: Visitor) -> None:
    site = make(connect__return_origins=f'{ORIGIN} http://localhost:8080 http://[::1]:80')
    assert way_back(visitor.open(site.link(return_url=url))) == url


@pytest.mark.parametrize(
    'url',
    [
        'https://app.example.com.evil/x',
        'https://app.example.com@evil/',
        'https://app.example.com:443@evil/',
        'https://user@app.example.com/',
        'https://evil/app.example.com',
        'https://evil#https://app.example.com/',
        'https://xapp.example.com/',
        'https://app.example.com./',
        'https://app.example.com:8443/',
        'http://app.example.com/',
        '//evil',
        '//app.example.com/',
        '/settings',
        'settings',
        'https:app.example.com',
        'https:/app.example.com',
        'https:///app.example.com',
        'javascript:alert(1)',
        'javascript://app.example.com/%0aalert(1)',
        'data:text/html,x',
        'ftp://app.example.com/',
        'https:\\\\app.example.com\\',
        'https://app.example.com\\@evil/',
        'https://evil\\.app.example.com/',
        'https://app.example.com/a\\b',
        'https://app.example.com/\n',
        'https://app.example.com/a\tb',
        'https://app.example.com/a b',
        ' https://app.example.com/',
        'https://app.example.com\x00.evil/',
        'https://app.example.com/ä',
        'https://app.éxample.com/',
        'https://app.example.com%2eevil/',
    ],
)
def test_return_urls_of_other_origins_are_refused(site: Site, url: str, visitor: Visitor) -> None:
    with pytest.raises(ValueError, match='return_url'):
        site.link(return_url=url)
    # Signed nevertheless, by an older version for example.
    links = Links(('s' * 32,))
    token = links.sign(links.make('fsp', '', 'shop', 'anna', Purpose.CONNECT, 60, return_url=url))
    assert way_back(visitor.open(f'{site.url}/fsp-connect/{token}')) is None
    assert visitor.response.status_code == 200


def test_long_return_urls_are_refused(site: Site) -> None:
    url = f'{ORIGIN}/'
    assert site.link(return_url=url + 'x' * (1000 - len(url)))
    with pytest.raises(ValueError, match='return_url: at most 1000 characters'):
        site.link(return_url=url + 'x' * (1001 - len(url)))


@pytest.mark.parametrize('label', ['a' * 201, 'a\nb', 'a\x00', 'a\x7f', 'a\u202eb', 'a\u2028b', '\ud800', 'a\u2066b'])
def test_labels_that_do_not_fit_into_a_sentence_are_refused(site: Site, label: str) -> None:
    with pytest.raises(ValueError, match='user_label'):
        site.link(user_label=label)


@pytest.mark.parametrize('label', ['<b>Anna</b> & "co"', '安娜 🙂 ' * 30, 'آنا', 'נועה', 'a\u200db'])
def test_labels_of_all_scripts_are_shown(site: Site, label: str, visitor: Visitor) -> None:
    visitor.connect(site.link(user_label=label))
    assert f'Images and files that {" ".join(label.split())} uses' in visitor.text


@pytest.mark.parametrize('language', ['xx', 'de-AT', 'DE', 'de\n'])
def test_unknown_languages_are_refused(site: Site, language: str) -> None:
    with pytest.raises(ValueError, match='language: one of en, de'):
        site.link(language=language)


@pytest.mark.parametrize(
    ('url', 'origin'),
    [
        ('https://A.example.com:0443/x', 'https://a.example.com'),
        ('http://127.0.0.1:80?x', 'http://127.0.0.1'),
        ('http://a.example.com', ''),
        ('https://a.example.com:99999999', ''),
        ('', ''),
    ],
)
def test_origins_are_written_as_browsers_do(url: str, origin: str) -> None:
    assert origin_of(url) == origin


# Tokens


def payload(token: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(token + '=' * (-len(token) % 4))[1:-16])


def test_tokens_of_six_fields_are_read() -> None:
    links, states = Links(('s' * 32,)), States(('s' * 32,))
    link = links.make('fsp', '', 'shop', 'anna', Purpose.CONNECT, 60)
    assert len(payload(links.sign(link))) == 6  # as all links were, and as older processes read them
    assert len(payload(states.make(link, '', 'b' * 22))[0]) == 6
    assert links.read(links.sign(link)) == link == Link(*link[:6], label='', return_url='', language='')
    assert states.read(states.make(link, '', 'b' * 22), 'b' * 22).link == link


def test_label_return_url_and_language_are_signed() -> None:
    links, states = Links(('s' * 32,)), States(('s' * 32,))
    link = links.make(
        'fsp', '', 'shop', 'anna', Purpose.CONNECT, 60, label='Änne', return_url=RETURN_URL, language='de'
    )
    assert links.read(links.sign(link)) == link
    assert states.read(states.make(link, '', 'b' * 22), 'b' * 22).link == link


# Languages


def language_of(visitor: Visitor) -> str:
    html = visitor.page.html.html
    assert html['dir'] == 'ltr'
    assert visitor.response.headers['Content-Language'] == html['lang']
    return html['lang']


@pytest.mark.parametrize(
    ('of_link', 'accepted', 'expected'),
    [
        ('', None, 'nl'),
        ('', 'de-AT, fr;q=0.5', 'de'),
        ('', 'tlh', 'nl'),
        ('ja', 'de', 'ja'),
    ],
)
def test_language_is_that_of_link_browser_or_client(
    make: Callable[..., Site], visitor: Visitor, of_link: str, accepted: str | None, expected: str
) -> None:
    site = make(language='nl')
    headers = {'Accept-Language': accepted} if accepted else {}
    visitor.session.headers.pop('Accept-Language', None)
    assert language_of(visitor.open(site.link(language=of_link), headers=headers)) == expected
    assert language_of(visitor.open(site.link(language=of_link, lifetime=-1), headers=headers)) == expected


def test_pages_without_a_valid_link_are_in_the_language_of_browser_or_application(
    make: Callable[..., Site], visitor: Visitor
) -> None:
    site = make(language='nl')
    for path in ('/fsp-connect/x', '/fsp-connect/callback', '/fsp-connect/%FF'):
        assert language_of(visitor.open(site.url + path)) == 'nl'
        assert language_of(visitor.open(site.url + path, headers={'Accept-Language': 'pl'})) == 'pl'
        long = 'pl' + '-a' * 12_000  # the look-up takes the square of the length of a tag
        assert language_of(visitor.open(site.url + path, headers={'Accept-Language': long})) == 'pl'


def test_negotiator_of_the_host_wins(ini: dict[str, str], serve: Callable[[Any], Site], visitor: Visitor) -> None:
    def negotiate(config: Any) -> None:
        config.set_locale_negotiator(lambda request: request.GET.get('lang', 'it'))

    site = serve(make_host(ini, negotiate))
    headers = {'Accept-Language': 'de'}
    assert language_of(visitor.open(site.link(language='fr'), headers=headers)) == 'it'
    assert language_of(visitor.open(f'{site.link(language="fr")}?lang=xx', headers=headers)) == 'fr'


def broken_path(request: Any) -> str:
    return request.path_info


def broken_query(request: Any) -> str:
    return request.params.get('lang', 'de')


def broken_database(_request: Any) -> str:
    raise OSError('no database')


class Locale:
    """Like that of Babel."""

    def __str__(self) -> str:
        return 'de_AT'


@pytest.mark.parametrize('negotiate', [broken_path, broken_query, broken_database])
def test_failing_negotiator_of_the_host_breaks_no_page(
    ini: dict[str, str], serve: Callable[[Any], Site], visitor: Visitor, negotiate: Callable[[Any], str]
) -> None:
    site = serve(make_host(ini, lambda config: config.set_locale_negotiator(negotiate)))
    for path, status in (('/files/fsp-connect/abc%ff', 400), ('/files/fsp-connect/abc?x=%ff', 404)):
        answer = visitor.session.get(site.url + path)
        assert (answer.status_code, 'Content-Language' in answer.headers) == (status, True)


def test_negotiator_may_return_a_locale(ini: dict[str, str], serve: Callable[[Any], Site], visitor: Visitor) -> None:
    site = serve(make_host(ini, lambda config: config.set_locale_negotiator(lambda request: Locale())))
    assert language_of(visitor.open(site.link())) == 'de'


def test_language_of_the_link_is_kept_through_egnyte(site: Site, visitor: Visitor) -> None:
    visitor.open(site.link(language='ja'))
    button = visitor.page.html.find('button')
    visitor.submit(button.get_text()).consent()
    assert language_of(visitor) == 'ja'
    assert site.connection() is not None


def test_own_words_are_shown(make: Callable[..., Site], visitor: Visitor, tmp_path: Path) -> None:
    words = tmp_path / 'own.ini'
    words.write_text('[en]\nerror-internal-title = Oops & more\n')
    site = make(messages=str(words))
    visitor.open(site.link()).submit('Go to Egnyte')
    state = visitor.url.partition('state=')[2].partition('&')[0]
    visitor.open(f'{site.url}/fsp-connect/callback', params={'error': 'invalid_scope', 'state': state})
    assert visitor.heading == 'Oops & more'


# In the host's pages


def host(ini: dict[str, str]) -> TestApp:
    def show(request: Any) -> Response:
        url = request.fsp_connect_url('shop', request.GET.get('uid', 'anna'))
        return Response(f'{request.fsp_connect_available} {url}')

    with Configurator(settings=ini) as config:
        config.include('fsp_pyramid')
        config.add_route('show', '/show')
        config.add_view(show, route_name='show')
        return TestApp(config.make_wsgi_app())


def test_without_accounts_there_is_no_link(ini: dict[str, str], tmp_path: Path) -> None:
    least = {key: ini[key] for key in ('fsp.username', 'fsp.password', 'tm.manager_hook')}
    app = host(least | {'fsp.egnyte.url': f'sandbox:{tmp_path / "embedded"}'})
    assert app.get('/show').text == 'False None'
    assert app.get('/show?uid=a/b').text == 'False None'


def test_with_accounts_there_is_a_link_and_bad_arguments_raise(ini: dict[str, str]) -> None:
    app = host(ini)
    assert app.get('/show').text.startswith('True http://localhost/fsp-connect/')
    with pytest.raises(ValueError, match='uid'):
        app.get('/show?uid=a/b')


# Logo


PNG = base64.b64decode(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg=='
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(('content', 'media_type'), [(PNG, 'image/png'), (SVG, 'image/svg+xml')])
def test_logo_is_shown_and_harmless(
    make: Callable[..., Site], visitor: Visitor, tmp_path: Path, content: bytes, media_type: str
) -> None:
    (tmp_path / 'logo').write_bytes(content)
    site = make(title='Acme Mailer', logo=str(tmp_path / 'logo'))
    (image,) = visitor.open(site.link()).page.html.find_all('img')
    assert (image['src'], image['alt']) == ('/fsp-connect/logo/fsp/-', 'Acme Mailer')
    assert "img-src 'self'" in visitor.response.headers['Content-Security-Policy']
    answer = visitor.open(site.url + image['src']).response
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers['Content-Type'] == media_type
    assert answer.headers['X-Content-Type-Options'] == 'nosniff'
    assert answer.headers['Cache-Control'] == 'public, max-age=3600'
    policy = answer.headers['Content-Security-Policy']
    assert policy.endswith('; sandbox')
    assert "default-src 'none'" in policy
    again = visitor.open(answer.url, headers={'If-None-Match': answer.headers['ETag']}).response
    assert (again.status_code, again.content) == (304, b'')
    for part in ('bytes=0-1', 'bytes=' + '9' * 5000):
        assert visitor.open(answer.url, headers={'Range': part}).response.status_code == 200


def test_each_client_has_its_own_logo(ini: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / 'logo').write_bytes(PNG)
    shared = {key: value for key, value in ini.items() if key not in {'fsp.username', 'fsp.password'}}
    own = {'fsp.clients': 'acme shop', 'fsp.client.acme.logo': str(tmp_path / 'logo')}
    own |= {f'fsp.client.{name}.{key}': name for name in ('acme', 'shop') for key in ('username', 'password')}
    app = TestApp(main({}, **shared | own))
    assert app.get('/fsp-connect/logo/fsp/acme').body == PNG
    for path in ('fsp/shop', 'fsp/-', 'fsp/none', 'none/acme'):
        page = app.get(f'/fsp-connect/logo/{path}', status=404)
        assert page.content_type == 'text/html'
    app.post('/fsp-connect/logo/fsp/acme', status=404)
