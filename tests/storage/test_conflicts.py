"""Resolution of name conflicts, and rules for names."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsp_pyramid import errors, model
from fsp_pyramid.model import (
    Access,
    Entry,
    Listing,
    Strategy,
)
from fsp_pyramid.paths import fold
from fsp_pyramid.storage.conflicts import free_name, resolve_conflict, unguessable_name
from fsp_pyramid.storage.name_rules import MAX_NAME_BYTES, check_name


def listing(*names: str) -> Listing:
    """Return a directory with those items; a slash at the end of a name makes it a directory."""
    items = [
        Entry((name.rstrip('/'),), is_directory=name.endswith('/'), id=name, modified=0, access=Access.FULL)
        for name in names
    ]
    return Listing(
        Entry((), is_directory=True, id='root', modified=0, access=Access.FULL),
        tuple(sorted(items, key=lambda item: item.order)),
    )


@pytest.mark.parametrize('strategy', Strategy)
def test_free_name_is_unchanged(strategy: Strategy) -> None:
    assert resolve_conflict(listing('b.png'), 'a.png', strategy) == ('a.png', None)


def test_keep_takes_the_next_number() -> None:
    assert resolve_conflict(listing('a.png'), 'a.png', Strategy.KEEP) == ('a_1.png', None)
    assert resolve_conflict(listing('a.png', 'A_1.PNG', 'a_3.png'), 'a.png', Strategy.KEEP) == ('a_2.png', None)
    assert resolve_conflict(listing('a/'), 'A', Strategy.KEEP) == ('A_1', None)


@pytest.mark.parametrize('make', [lambda name: free_name(listing(name), name), unguessable_name])
@pytest.mark.parametrize('name', ['a.' + 'b' * 243, '.' + 'ä' * 122, 'ä' * 119 + '.jpeg', 'a.' + 'b' * 40])
def test_name_of_any_length_has_room_for_a_number(make: Callable[[str], str], name: str) -> None:
    found = make(name)
    check_name(found)
    assert fold(found) != fold(name)
    assert found.endswith('.jpeg') == name.endswith('.jpeg')


def test_exact_spelling_is_found_first() -> None:
    both = listing('A', 'a', 'e\u0301.txt', '\xe9.txt')
    assert [both.find(name) for name in ('A', 'a', 'e\u0301.txt', '\xe9.txt')] == list(both.items)
    assert both.find('\xc9.txt') == both.items[2]


@given(st.lists(st.text('aAbé/\u0301', min_size=1, max_size=3)), st.text('aAbé\u0301', max_size=3))
def test_item_is_found_as_by_a_look_at_each(names: list[str], name: str) -> None:
    found = listing(*names)
    same = [item for item in found.items if fold(item.name) == fold(name)]
    assert found.named(name) == same
    assert found.find(name) == next((item for item in same if item.name == name), same[0] if same else None)


def test_item_of_a_large_listing_is_found_by_a_few_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    found, folded = listing(*(f'{number:05}.png' for number in range(10_000))), list[str]()
    monkeypatch.setattr(model, 'fold', lambda name: folded.append(name) or fold(name))
    assert found.find('09999.PNG') == found.items[-1]
    assert len(folded) < 50


def test_replace_takes_the_stored_spelling() -> None:
    there = listing('A.png')
    assert resolve_conflict(there, 'a.PNG', Strategy.REPLACE) == ('A.png', there.items[0])


def test_ask_and_refuse_have_their_own_statuses() -> None:
    with pytest.raises(errors.Conflict, match=r'file called "a\.png"') as ask:
        resolve_conflict(listing('a.png'), 'A.png', Strategy.ASK)
    with pytest.raises(errors.NameTaken) as refuse:
        resolve_conflict(listing('a.png'), 'A.png', Strategy.REFUSE)
    assert (ask.value.status, ask.value.code) == (409, 3400)
    assert (refuse.value.status, refuse.value.code) == (403, 3400)


@pytest.mark.parametrize('strategy', [Strategy.ASK, Strategy.REPLACE, Strategy.REFUSE])
def test_directory_of_that_name_is_refused(strategy: Strategy) -> None:
    with pytest.raises(errors.DirectoryInTheWay) as caught:
        resolve_conflict(listing('a/'), 'a', strategy)
    assert (caught.value.status, caught.value.code) == (409, 3401)


@given(
    st.lists(st.sampled_from(['a', 'a_1', 'A_2', 'a.b', 'a.b_1', 'ä' * 122])), st.sampled_from(['a', 'a.b', 'ä' * 122])
)
def test_generated_name_is_free_and_allowed(names: list[str], name: str) -> None:
    found = free_name(listing(*names), name)
    assert fold(found) not in {fold(other) for other in names}
    assert len(found.encode()) <= MAX_NAME_BYTES
    check_name(found)


@pytest.mark.parametrize(
    'name',
    [
        '&yet', '_foo', 'zażółćGęśląJaźń', 'Русские Буквы', 'download(1).foo', 'brs{}', 'fifty%', 'z;z', '#bang#bang',
        "allAtOnce-. _~!$&'(),;=@^][`+#", 'Iñtërnâtiônàlizætiøν☃ test', 'hello $world & co.txt', '@@x', '.hidden',
        'data.data',
    ],
)  # fmt: skip
def test_name_is_allowed(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize(
    ('name', 'complaint'),
    [
        ('a:b', 'character :'),
        ('a"b', 'character "'),
        ('what?', 'character \\?'),
        ('a\x01b', r'U\+0001'),
        ('party 🎉.png', '🎉'),
        (' a', 'space'),
        ('a ', 'space'),
        ('a.', 'period'),
        ('Thumbs.DB', 'reserved'),
        ('._a', 'reserved'),
        ('a.tmp', 'reserved'),
        ('~$report.docx', 'reserved'),
        ('x' * 246, 'too long'),
    ],
)
def test_name_is_refused(name: str, complaint: str) -> None:
    with pytest.raises(errors.NameNotAllowed, match=complaint) as caught:
        check_name(name)
    assert (caught.value.status, caught.value.code) == (400, 3905)
