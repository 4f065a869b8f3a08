"""A user with a minimal browser: forms and cookies."""

from typing import Any, Self
from urllib.parse import urljoin, urlsplit

import requests
import transaction
from webtest.forms import Form
from webtest.response import TestResponse

from fsp_pyramid.connect import connect_url
from fsp_pyramid.egnyte import Tokens
from fsp_pyramid.interfaces import IAccountStores

from ..timing import PATIENCE

UID = 'anna'


class Request:
    """The part of a request that the store of accounts uses."""

    def __init__(self, manager: transaction.TransactionManager) -> None:
        self.tm = manager

    def add_finished_callback(self, _callback: Any) -> None:
        """Do nothing; RequestLocalCache calls it."""


class Site:
    """An application on a socket."""

    def __init__(self, application: Any, url: str) -> None:
        self.application, self.url = application, url

    @property
    def registry(self) -> Any:
        return self.application.registry

    def link(self, uid: str = UID, **options: Any) -> str:
        """Return the link that the application gives to a user."""
        return connect_url(self.registry, self.url, 'shop', uid, **options)

    def connection(self, uid: str = UID) -> Any:
        """Return the stored connection of a user."""
        stores = self.registry.getUtility(IAccountStores)
        manager = transaction.TransactionManager(explicit=True)
        with manager:
            return stores(Request(manager)).find('fsp', 'shop', uid)

    def expire_access_token(self, uid: str = UID) -> None:
        """Expire the access token of a user; the refresh token stays valid."""
        stores = self.registry.getUtility(IAccountStores)
        manager = transaction.TransactionManager(explicit=True)
        with manager:
            found = stores(Request(manager)).find('fsp', 'shop', uid)
            ended = Tokens('an-access-token-that-ended', found.tokens.refresh, 1.0)
            stores(Request(manager)).connect('fsp', 'shop', uid, found.egnyte_url, found.username, ended)

    def files(self, uid: str = UID) -> requests.Response:
        """Return the root listing of a user, as Beefree gets it."""
        return self.ask('GET', '/', uid)

    def ask(self, method: str, path: str, uid: str = UID) -> requests.Response:
        """Return the response to a request of Beefree's for a user."""
        headers = {'X-BEE-ClientId': 'shop', 'X-BEE-Uid': uid}
        with new_session() as session:
            auth = ('beefree', 'secret-password')
            return session.request(method, f'{self.url}/fsp{path}', headers=headers, auth=auth, timeout=PATIENCE)


def new_session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


class Visitor:
    """A browser that shows one page."""

    def __init__(self) -> None:
        self.session = new_session()
        self.response: requests.Response

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.session.close()

    def open(self, url: str, **options: Any) -> Self:
        self.response = self.session.get(url, timeout=PATIENCE, **options)
        return self

    def follow(self, text: str) -> Self:
        """Click on a link."""
        (link,) = [link for link in self.page.html.find_all('a') if text in link.get_text()]
        return self.open(urljoin(self.url, link['href']))

    def submit(self, button: str, follow: bool = True, **fields: str) -> Self:
        """Fill in a form and press its button."""
        form, pressed = next(
            (form, found) for form in self.forms for found in _buttons(form) if found.get_text() == button
        )
        for name, value in fields.items():
            form[name] = value
        values = [(name, value) for name, value in form.submit_fields() if name != pressed.get('name')]
        if pressed.get('name'):
            values.append((pressed['name'], pressed['value']))
        method = 'params' if form.method.lower() == 'get' else 'data'
        self.response = self.session.request(
            form.method,
            urljoin(self.url, form.action or ''),
            **{method: values},
            headers={'Referer': self.url.partition('?')[0]},
            allow_redirects=follow,
            timeout=PATIENCE,
        )
        return self

    @property
    def url(self) -> str:
        return self.response.url

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def page(self) -> TestResponse:
        """The page, parsed."""
        return TestResponse(self.response.content, content_type='text/html', charset='utf-8')

    @property
    def forms(self) -> list[Form]:
        return list(self.page.forms.values())

    @property
    def heading(self) -> str:
        (heading,) = self.page.html.find_all('h1')
        return ' '.join(heading.get_text().split())

    @property
    def text(self) -> str:
        return ' '.join(self.page.html.main.get_text().split())

    def consent(self, username: str = 'alice', decision: str = 'Allow') -> Self:
        """Log in at Egnyte and press a button of its consent page."""
        return self.submit(decision, username=username, password=username)

    def connect(self, link: str, username: str = 'alice') -> Self:
        """Connect an account, from the link to the last page."""
        return self.open(link).submit('Go to Egnyte').consent(username)


def _buttons(form: Form) -> list[Any]:
    return TestResponse(form.text.encode(), content_type='text/html', charset='utf-8').html.find_all('button')
