"""Tests of ``fsp-hash-password``."""

import getpass
import io
import sys
from types import SimpleNamespace

import pytest

from fsp_pyramid.passwords import Passwords
from fsp_pyramid.scripts.hash_password import main


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a function that types texts into getpass, in turn."""
    lines: list[str] = []
    monkeypatch.setattr(getpass, 'getpass', lambda _prompt: lines.pop(0))
    monkeypatch.setattr(sys, 'stdin', SimpleNamespace(isatty=lambda: True))
    return lines


def test_only_the_hash_is_printed(typed: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    typed += ['secret', 'secret']
    assert main() == 0
    printed = capsys.readouterr()
    assert 'secret' not in printed.out + printed.err
    assert Passwords({'acme': printed.out.strip()}).check('acme', 'secret')


@pytest.mark.parametrize(('first', 'second', 'said'), [('a', 'b', 'two passwords'), ('', '', 'not empty')])
def test_bad_passwords_are_refused(
    typed: list[str], capsys: pytest.CaptureFixture[str], first: str, second: str, said: str
) -> None:
    typed += [first, second]
    assert main() == 1
    assert said in capsys.readouterr().err


def test_pipe_is_read(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, 'stdin', io.StringIO('secret\n'))
    assert main() == 0
    assert Passwords({'acme': capsys.readouterr().out.strip()}).check('acme', 'secret')
