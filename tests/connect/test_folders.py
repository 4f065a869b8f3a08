"""The folder chooser."""

from collections.abc import Callable, Iterator

import pytest
from pyramid.events import ContextFound

from fsp_pyramid.testing import Sandbox

from ..timing import PATIENCE
from .visitor import Site, Visitor


@pytest.fixture
def visitor(site: Site, sandbox: Sandbox) -> Iterator[Visitor]:
    """Yield the browser of a connected user at the chooser, in the user's private folder."""
    with Visitor() as visitor:
        yield visitor.connect(site.link()).follow('Choose a folder').follow('/Private/alice')


def folders(visitor: Visitor) -> list[str]:
    return [item.get_text().strip() for item in visitor.page.html.select('.folders a')]


def crumbs(visitor: Visitor) -> list[str]:
    return [item.get_text().strip() for item in visitor.page.html.select('.crumbs li')]


def starts(visitor: Visitor) -> dict[str, str]:
    """Return the folders of the start page, and their explanations."""
    lines = [[*item.stripped_strings] for item in visitor.page.html.select('.folders a')]
    return dict(lines)


def make_folders(sandbox: Sandbox, *paths: str, token: str = 'sandbox-alice') -> None:
    for path in paths:
        sandbox.api('POST', f'/pubapi/v1/fs{path}', token=token, json={'action': 'add_folder'}).raise_for_status()


def test_chooser_starts_at_both_roots_until_a_folder_is_chosen(site: Site, visitor: Visitor, sandbox: Sandbox) -> None:
    visitor.open(site.link(purpose='folder'))
    assert visitor.heading == 'Choose a folder'
    assert '/Private/alice/Beefree' in visitor.text
    assert crumbs(visitor) == []
    assert starts(visitor) == {
        '/Shared': 'Folders that you share with others',
        '/Private/alice': 'Folders of your own',
    }
    assert not visitor.page.html.find(id='name')
    make_folders(sandbox, '/Private/alice/Chosen', '/Private/alice/Chosen/2026')
    visitor.follow('/Private/alice').follow('Chosen').submit('Use “Chosen”')
    assert crumbs(visitor) == ['Egnyte', 'Private', 'alice', 'Chosen']
    assert folders(visitor) == ['2026']
    assert 'Your files go to this folder.' in visitor.text
    assert list(starts(visitor.follow('Egnyte'))) == ['/Shared', '/Private/alice']


def test_chooser_starts_at_both_roots_if_the_chosen_folder_is_gone(
    site: Site, visitor: Visitor, sandbox: Sandbox
) -> None:
    make_folders(sandbox, '/Private/alice/Chosen')
    visitor.open(visitor.url).follow('Chosen').submit('Use “Chosen”')
    sandbox.api('DELETE', '/pubapi/v1/fs/Private/alice/Chosen', token='sandbox-alice').raise_for_status()
    visitor.follow('Choose another folder')
    assert list(starts(visitor)) == ['/Shared', '/Private/alice']
    assert '/Private/alice/Chosen' in visitor.text


def test_user_without_a_private_folder_starts_at_the_shared_ones(
    site: Site, visitor: Visitor, sandbox: Sandbox
) -> None:
    sandbox.fail({'path_prefix': '/pubapi/v1/fs/Private/alice', 'status': 404})
    assert list(starts(visitor.open(site.link(purpose='folder')))) == ['/Shared']


def test_chosen_folder_is_stored_and_reset(site: Site, visitor: Visitor, sandbox: Sandbox) -> None:
    make_folders(sandbox, '/Private/alice/Pictures & more')
    visitor.open(visitor.url).follow('Pictures & more').submit('Use “Pictures & more”')
    assert visitor.heading == 'Egnyte is connected'
    assert '/Private/alice/Pictures & more' in visitor.text
    assert site.connection().folder == '/Private/alice/Pictures & more'
    visitor.follow('Choose another folder').submit('Use the usual folder')
    assert site.connection().folder is None


def test_back_link_leads_to_the_overview(site: Site, visitor: Visitor) -> None:
    assert visitor.follow('Back without choosing').heading == 'Egnyte is connected'
    assert 'Back without' not in visitor.open(site.link(purpose='folder')).text


def test_folder_link_returns_to_the_chooser(site: Site, visitor: Visitor) -> None:
    visitor.open(site.link(purpose='folder')).follow('/Private/alice').submit('Use “alice”')
    assert visitor.heading == 'Choose a folder'
    assert 'Your files go to /Private/alice from now on.' in visitor.text


def test_created_folder_is_shown_and_bad_names_are_refused(visitor: Visitor, sandbox: Sandbox) -> None:
    visitor.submit('Create', name=' 50% of <b>Ärger+#? ')
    assert crumbs(visitor) == ['Egnyte', 'Private', 'alice'], 'a question mark is not allowed'
    assert visitor.response.status_code == 400
    assert '?' in visitor.page.html.find(id='problem').get_text()
    for name in ('', 'a/b', '..'):
        assert visitor.submit('Create', name=name).response.status_code == 400
        assert visitor.page.html.find(id='problem')
    visitor.submit('Create', name=' 50% of Ärger+#& ')
    assert crumbs(visitor)[-1] == '50% of Ärger+#&'
    visitor.follow('alice').submit('Create', name='50% OF ÄRGER+#&')
    assert visitor.response.status_code == 400
    assert folders(visitor) == ['50% of Ärger+#&']
    assert visitor.follow('50%').submit('Use “50% of Ärger+#&”').heading == 'Egnyte is connected'


def test_creating_a_folder_costs_one_listing_and_one_call(visitor: Visitor, sandbox: Sandbox) -> None:
    sandbox.forget_calls()
    visitor.submit('Create', follow=False, name='New')
    assert len(sandbox.calls) == 2, sandbox.calls


def test_created_folder_is_deleted_if_the_transaction_aborts(site: Site, visitor: Visitor, sandbox: Sandbox) -> None:
    site.registry.registerHandler(lambda event: event.request.tm.doom(), (ContextFound,))
    visitor.submit('Create', follow=False, name='New')
    assert visitor.response.status_code == 303
    assert not sandbox.exists('/Private/alice/New')


def test_created_folder_is_deleted_if_the_view_fails(
    visitor: Visitor, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_location: str) -> None:
        assert sandbox.exists('/Private/alice/New')
        raise RuntimeError

    monkeypatch.setattr('fsp_pyramid.connect.folders.redirect', failing)
    assert visitor.submit('Create', name='New').response.status_code == 503
    assert not sandbox.exists('/Private/alice/New')


def test_search_filters_one_level(visitor: Visitor, sandbox: Sandbox) -> None:
    make_folders(sandbox, *(f'/Private/alice/Folder {number}' for number in range(12)), '/Private/alice/Folder 1/Élan')
    visitor.open(visitor.url)
    assert len(folders(visitor)) == 12
    visitor.submit('Search', find='ER 1')
    assert folders(visitor) == ['Folder 1', 'Folder 10', 'Folder 11']
    assert crumbs(visitor)[-1] == 'alice'
    assert len(folders(visitor.follow('Show all 12'))) == 12
    assert 'No folder here has “élan”' in visitor.submit('Search', find='élan').text


def test_long_lists_are_cut(visitor: Visitor, sandbox: Sandbox) -> None:
    make_folders(sandbox, *(f'/Private/alice/{number:03}' for number in range(203)))
    visitor.open(visitor.url)
    assert len(folders(visitor)) == 200
    assert 'Folders that are not shown: 3.' in visitor.text
    assert folders(visitor.submit('Search', find='202')) == ['202']


def test_only_writable_folders_can_be_chosen(site: Site, visitor: Visitor, sandbox: Sandbox) -> None:
    make_folders(sandbox, '/Shared/Readable', '/Shared/Writable', token='sandbox')
    for path, level in (('/Shared/Readable', 'Viewer'), ('/Shared/Writable', 'Editor')):
        body = {'users': ['alice'], 'permission': level}
        sandbox.api('POST', f'/pubapi/v1/perms/folder{path}', json=body).raise_for_status()
    for crumb in ('Private', 'Egnyte', 'Shared'):
        visitor.follow(crumb)
        assert 'Use “' not in visitor.text
        assert 'New folder' not in visitor.text
    assert folders(visitor) == ['Readable', 'Writable']
    visitor.follow('Readable')
    assert 'You may not add files to this folder' in visitor.text
    assert 'New folder' not in visitor.text
    page = site.link() + '/folder'
    for at in ('/Shared/Readable', '/Shared', '/Private', '/'):
        answer = visitor.session.post(page, {'action': 'choose', 'at': at}, timeout=PATIENCE)
        assert answer.status_code == 403, at
    for at, status in {'/Private/bob': 404, '/Shared/../x': 404, '': 404, '/Private/alice/none': 404}.items():
        for answer in (
            visitor.session.post(page, {'action': 'choose', 'at': at}, timeout=PATIENCE),
            visitor.session.get(page, params={'at': at}, timeout=PATIENCE),
        ):
            assert answer.status_code == status, at
    assert site.connection().folder is None
    visitor.open(page + '?at=/Shared/writable').submit('Use “Writable”')
    assert site.connection().folder == '/Shared/Writable'
    assert site.files().status_code == 200


def test_chooser_without_a_connection_is_an_error_page(site: Site) -> None:
    with Visitor() as visitor:
        visitor.open(site.link('bert') + '/folder')
        assert (visitor.response.status_code, visitor.heading) == (403, 'Egnyte is not connected')
        assert visitor.follow('Back').heading == 'Connect Egnyte'


def test_revoked_token_is_an_error_page(site: Site, visitor: Visitor, sandbox: Sandbox) -> None:
    access = site.connection().tokens.access
    body = {'token': access, 'client_secret': 'sandbox-secret'}
    sandbox.api('POST', '/pubapi/v1/tokens/revoke', token=access, data=body).raise_for_status()
    visitor.open(visitor.url)
    assert (visitor.response.status_code, visitor.heading) == (403, 'Connect Egnyte again')
    assert visitor.follow('Back').heading == 'Connect Egnyte again'


# Folders that the ini file decides


@pytest.mark.parametrize(
    ('folders', 'shown'),
    [
        ('/ /Shared/Team', ['/Shared/Team']),
        ('/ /Shared/Team/{uid}', ['/Shared/Team/anna']),
        ('/ /Private/{egnyte_user}/Mail', ['/Private/alice/Mail']),
        (
            '/ /Shared/Team/{client_id}\n/brand/ /Shared/Brand ro',
            ['/Shared/Team/shop', '/Shared/Brand (shown as /brand/), read-only'],
        ),
    ],
)
def test_pages_offer_no_choice_that_has_no_effect(
    make: Callable[..., Site], sandbox: Sandbox, folders: str, shown: list[str]
) -> None:
    site = make(folders=folders)
    with Visitor() as visitor:
        visitor.connect(site.link())
        assert visitor.heading == 'Egnyte is connected'
        assert [item.get_text() for item in visitor.page.html.select('dd')][2:] == shown
        assert 'Beefree' not in visitor.text
        assert 'Choose' not in visitor.text
        assert 'choose where' not in visitor.text
        for link in (site.link() + '/folder', site.link(purpose='folder')):
            visitor.open(link)
            assert (visitor.response.status_code, visitor.heading) == (404, 'There is nothing to choose')
            assert shown[0] in visitor.text
            assert visitor.forms == []
        for action in ('choose', 'default', 'create'):
            answer = visitor.session.post(
                site.link() + '/folder', {'action': action, 'at': '/Private/alice', 'name': 'x'}, timeout=10
            )
            assert answer.status_code == 404
    assert site.connection().folder is None
    assert not sandbox.exists('/Private/alice/x')


def test_folder_below_the_chosen_one_is_shown(make: Callable[..., Site], sandbox: Sandbox) -> None:
    site = make(folders='/ {folder}/pictures')
    with Visitor() as visitor:
        visitor.connect(site.link())
        assert '/Private/alice/Beefree/pictures' in visitor.text
        assert visitor.follow('Choose a folder').heading == 'Choose a folder'


@pytest.mark.parametrize('is_there', [True, False])
def test_refusal_names_the_folder_and_who_can_grant_it(
    make: Callable[..., Site], sandbox: Sandbox, is_there: bool
) -> None:
    if is_there:
        make_folders(sandbox, '/Shared/Team', token='sandbox')
    site = make(folders='/ /Shared/Team')
    with Visitor() as visitor:
        visitor.connect(site.link())
    answer = site.ask('POST', '/New/')
    assert (answer.status_code, answer.json()['code']) == (403, 3300)
    assert '"/Shared/Team"' in answer.json()['details']
    assert 'administrator of your Egnyte' in answer.json()['details']
