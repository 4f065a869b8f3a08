"""Egnyte domains: the user's input, and the domain after the Enhanced Auth Service."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsp_pyramid.connect import domains
from fsp_pyramid.connect.domains import EGNYTE, DomainRefused, egnyte_url
from fsp_pyramid.egnyte import EgnyteError
from fsp_pyramid.settings import Settings

from .visitor import Site, Visitor

SETTINGS = Settings.parse(
    {
        'fsp.username': 'u',
        'fsp.password': 'p',
        'fsp.egnyte.url': 'https://Own.example.com',
        'fsp.egnyte.token': 't',
        'fsp.public.secret': 's' * 32,
        'fsp.oauth.domains': 'files.acme.com 127.0.0.1:7700 localhost:7701 beta.egnyte.com',
    },
    {},
).clients['']


@pytest.mark.parametrize(
    ('text', 'url'),
    [
        ('acme', 'https://acme.egnyte.com'),
        (' ACME.Egnyte.com ', 'https://acme.egnyte.com'),
        ('https://acme.egnyte.com/app/index.do#storage/files/1/Shared', 'https://acme.egnyte.com'),
        ('acme-2.egnytegov.com', 'https://acme-2.egnytegov.com'),
        ('http://acme.egnyte.com', 'https://acme.egnyte.com'),
        ('beta.egnyte.com', 'https://beta.egnyte.com'),
        ('own.example.com/', 'https://Own.example.com'),
        ('127.0.0.1:7700', 'http://127.0.0.1:7700'),
        ('http://localhost:7701/x', 'http://localhost:7701'),
    ],
)
def test_valid_domains_give_their_url(text: str, url: str) -> None:
    assert egnyte_url(text, SETTINGS) == url


@pytest.mark.parametrize(
    'text',
    [
        '',
        '   ',
        'https://',
        'egnyte.com',
        'evil.com',
        'acme.egnyte.com.evil.com',
        'evil.com/acme.egnyte.com',
        'evil.com#acme.egnyte.com',
        'evil.com\\.egnyte.com',
        'user@acme.egnyte.com',
        'evil.com:443',
        'acme.egnyte.com:8443',
        'a.b.egnyte.com',
        '-acme.egnyte.com',
        'xegnyte.com',
        '127.0.0.1',
        '127.0.0.1:7702',
        'localhost:7700',
        '[::1]:7700',
        '169.254.169.254',
        'acme.egnyte.com\r\nX: y',
        'acmé.egnyte.com',
        'javascript:alert(1)',
        'us-partner-integrations.egnyte.com',
        'partner-integrations.egnyte.com',
    ],
)
def test_invalid_domains_are_refused(text: str) -> None:
    with pytest.raises(DomainRefused):
        egnyte_url(text, SETTINGS)


@given(
    st.text(max_size=40)
    | st.from_regex(r'(https?://)?[a-z.@:/#?\\-]{0,20}(\.egnyte\.com)?[a-z.:/]{0,5}', fullmatch=True)
)
def test_any_text_gives_an_egnyte_url_or_a_refusal(text: str) -> None:
    try:
        url = egnyte_url(text, SETTINGS)
    except DomainRefused:
        return
    assert EGNYTE.fullmatch(urlsplit(url).netloc)
    assert urlsplit(url).scheme == 'https'


def test_custom_host_is_resolved_to_its_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def resolve(_session: Any, url: str, *, timeout: float) -> str:
        asked.append((url, timeout))
        if len(asked) > 1:
            raise EgnyteError('the answer names no domain of Egnyte')
        return 'acme.egnyte.com'

    monkeypatch.setattr(domains, 'resolve_domain', resolve)
    assert egnyte_url('https://FILES.acme.com/login', SETTINGS) == 'https://acme.egnyte.com'
    with pytest.raises(DomainRefused, match='does not tell which Egnyte'):
        egnyte_url('files.acme.com', SETTINGS)
    assert asked == [('https://files.acme.com', 30.0)] * 2


@pytest.fixture
def service(make: Callable[..., Site], egnyte: str) -> Site:
    return make(oauth__domain='service', oauth__service_url=f'{egnyte}/services/oauth/code')


def come_back(visitor: Visitor, site: Site, egnyte: str, **headers: str) -> str:
    """Return the URL of the callback, after the user's consent at the service."""
    visitor.open(site.link()).submit('Go to Egnyte')
    assert urlsplit(visitor.url).path == '/services/oauth/code'
    visitor.submit('Continue', domain=urlsplit(egnyte).netloc)
    visitor.submit('Allow', follow=False, username='alice', password='alice')
    return visitor.response.headers['Location']


def test_domain_is_taken_from_the_referer(service: Site, egnyte: str) -> None:
    with Visitor() as visitor:
        back = come_back(visitor, service, egnyte)
        assert visitor.open(back, headers={'Referer': f'{egnyte}/'}).heading == 'Egnyte is connected'


def test_domain_is_taken_from_a_parameter(service: Site, egnyte: str) -> None:
    with Visitor() as visitor:
        back = come_back(visitor, service, egnyte) + '&domain=' + urlsplit(egnyte).netloc
        assert visitor.open(back, headers={'Referer': 'https://evil.com/'}).heading == 'Egnyte is connected'


@pytest.mark.parametrize(
    'referer', [None, 'https://evil.com/', 'https://us-partner-integrations.egnyte.com/x', 'http://[x']
)
def test_callback_without_a_domain_asks_the_user(service: Site, egnyte: str, referer: str | None) -> None:
    with Visitor() as visitor:
        back = come_back(visitor, service, egnyte)
        visitor.open(back, headers={'Referer': referer} if referer else {})
        assert visitor.heading == 'One more question'
        visitor.submit('Continue', domain='evil.com')
        assert (visitor.response.status_code, visitor.heading) == (400, 'One more question')
        assert 'cannot be connected here' in visitor.text
        visitor.submit('Continue', domain=urlsplit(egnyte).netloc)
        assert visitor.heading == 'Egnyte is connected'
    assert service.files().status_code == 200


def test_domain_is_asked_for_before_the_redirect(make: Callable[..., Site], egnyte: str) -> None:
    site = make(oauth__domain='ask')
    with Visitor() as visitor:
        visitor.open(site.link()).submit('Go to Egnyte', domain='evil.com')
        assert (visitor.response.status_code, visitor.heading) == (400, 'Connect Egnyte')
        (field,) = visitor.page.html.find_all(id='domain')
        assert (field['value'], field['aria-invalid']) == ('evil.com', 'true')
        assert visitor.page.html.find(id='problem')['role'] == 'alert'
        visitor.submit('Go to Egnyte', follow=False, domain='acme')
        target = urlsplit(visitor.response.headers['Location'])
        assert (target.scheme, target.netloc) == ('https', 'acme.egnyte.com')
        assert parse_qs(target.query)['redirect_uri'] == [f'{site.url}/fsp-connect/callback']
        visitor.open(site.link()).submit('Go to Egnyte', domain=egnyte).consent()
        assert visitor.heading == 'Egnyte is connected'
        assert visitor.page.html.find(id='domain')['value'] == urlsplit(egnyte).netloc
