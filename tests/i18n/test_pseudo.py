"""The pseudo-locale itself."""

import pytest

from . import pseudo


@pytest.mark.parametrize(
    ('text', 'rest'),
    [('⟦á⟧', ''), ('⟦á ⟦b⟧ c⟧', ''), ('a ⟦b⟧ c', 'a  c'), ('English', 'English')],
)
def test_text_outside_of_brackets(text: str, rest: str) -> None:
    assert pseudo.outside(text) == rest


@pytest.mark.parametrize('text', ['⟦a', 'a⟧', '⟧⟦'])
def test_brackets_that_do_not_match(text: str) -> None:
    with pytest.raises(ValueError, match='bracket'):
        pseudo.outside(text)


def test_pseudo_text_is_longer_and_keeps_its_values() -> None:
    text = pseudo.pseudo('The connection of ${application} has ended. ' + 'x' * 100)
    assert '${application}' in text
    assert 'connection' not in text
    assert len(text) >= len('The connection of ${application} has ended. ') + 1.4 * 100
