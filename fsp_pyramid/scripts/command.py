"""Shared parts of the commands: options, the application of an ini file, and messages instead of tracebacks."""

import argparse
import configparser
import logging
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any, NoReturn

import plaster
from paste.deploy.loadwsgi import SERVER, loadcontext
from pyramid.scripting import prepare

from .._version import version
from ..model import ID_FORMAT
from ..standalone import COMMAND

# Sections whose values are read by other rules: percent signs are part of a format of the log.
_RAW = ('formatter_', 'handler_', 'logger_')
# Statuses that shells report for SIGPIPE and SIGINT.
BROKEN_PIPE, INTERRUPTED = 141, 130


class Failed(Exception):
    """A command failed; the message tells the reason."""


def command(run: Callable[[Sequence[str] | None], int | None]) -> Callable[..., int]:
    """Decorate the main function of a command, so that it ends with a message and a status instead of a traceback.

    The status is 1 for Failed, and that of shells for Ctrl-C and for a reader of its output that has gone.
    """

    @wraps(run)
    def wrapped(argv: Sequence[str] | None = None) -> int:
        try:
            status = run(argv) or 0
            sys.stdout.flush()
        except Failed as error:
            print(error, file=sys.stderr)
            return 1
        except BrokenPipeError:
            # The interpreter flushes standard output at its end, and would fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return BROKEN_PIPE
        except KeyboardInterrupt:
            print('Interrupted.', file=sys.stderr)
            return INTERRUPTED
        return status

    return wrapped


def new_parser(prog: str, description: str) -> argparse.ArgumentParser:
    """Return a parser that knows ``--version``."""
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument('--version', action='version', version=f'%(prog)s {version}')
    return parser


def seconds(most: float) -> Callable[[str], float]:
    """Return the type of an argument in seconds, up to *most*."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = 0
        if not 0 < value <= most:
            raise argparse.ArgumentTypeError(f'write a number of seconds, at most {most:.0f}')
        return value

    return parse


def beefree_id(text: str) -> str:
    """Return an argument that is a client id or uid, as Beefree may send it."""
    if not ID_FORMAT.fullmatch(text):
        raise argparse.ArgumentTypeError('write 1 to 200 letters of ASCII, digits, underscores and hyphens')
    return text


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Raise Failed, which says how to install the extra *name*, for imports that fail."""
    try:
        yield
    except ImportError as error:
        raise Failed(f'This needs more packages: pip install "fsp-pyramid[{name}]" ({error})') from error


@contextmanager
def environment(ini: str) -> Iterator[dict[str, Any]]:
    """Give Pyramid's environment of the application of an ini file. Raises Failed if it cannot be loaded."""
    loader = load_ini(ini)
    migrations = logging.getLogger('alembic')
    if migrations.level == logging.NOTSET:  # its lines are about a running service, and hide the result of a command
        migrations.setLevel(logging.WARNING)
    try:
        application = loader.get_wsgi_app(None, {'__script__': COMMAND})
    except SystemExit as error:  # our own application, on bad settings
        raise Failed(error) from error
    with prepare() as found:  # for the application that was loaded last
        # As pyramid.paster.bootstrap does; Pyramid itself has only a weak reference to the registry.
        found['app'] = application
        yield found


def load_ini(ini: str, variables: Mapping[str, str] | None = None) -> Any:
    """Set logging up, and return plaster's loader of an ini file. Raises Failed, which names file, line and key.

    To find the loader takes longer than to use it: plaster reads the metadata of all installed packages.

    :param ini: the name of the file, perhaps with ``#NAME`` of an application
    :param variables: values that the file may refer to besides its own section [DEFAULT]
    """
    path, variables = ini.partition('#')[0], dict(variables or {})
    if Path(path).suffix != '.ini':  # Pyramid finds the format of a file by its suffix
        raise Failed(f'{path} is no ini file: its name has to end with .ini.')
    text = _read(path)
    _check_syntax(path, text, variables)
    try:
        loader = plaster.get_loader(ini, ['wsgi'])
        loader.setup_logging(variables)
    except (ImportError, AttributeError, KeyError, TypeError, ValueError, RuntimeError, OSError) as error:
        raise Failed(f'{path}: logging cannot be set up: {error!r}') from error
    except configparser.Error as error:
        raise Failed(f'{path}: {error.message}') from error
    with _use_errors(path):
        loader.get_wsgi_app_settings(None, variables)
    return loader


def server_section(ini: str, variables: Mapping[str, str] | None = None) -> Any:
    """Return PasteDeploy's context of ``[server:main]``, as ``pserve`` finds it; None without such a section.

    Raises Failed if it cannot be loaded. No server is made.
    """
    path, _, name = ini.partition('#')
    file = Path(path).resolve()
    config = {'here': str(file.parent), '__file__': str(file), **(variables or {})}
    parser = configparser.RawConfigParser(strict=False)
    parser.read(file, encoding='utf-8')
    if not any(re.fullmatch(rf'server:\s*{re.escape(name or "main")}', section) for section in parser.sections()):
        return None
    with _use_errors(f'{path}, [server:{name or "main"}]'):
        return loadcontext(SERVER, f'config:{file}', name=name or 'main', global_conf=config)


@contextmanager
def _use_errors(location: str) -> Iterator[None]:
    """Raise Failed for errors of PasteDeploy about ``use``: its package, its module or its file."""
    try:
        yield
    except PackageNotFoundError as error:
        raise Failed(f'{location}: "use" names a package that is not installed: {error.name}') from error
    except LookupError as error:
        text = str(error).strip('"')
        raise Failed(f'{location}: {text}') from error
    except (ImportError, AttributeError, ValueError, OSError) as error:
        raise Failed(f'{location}: "use" cannot be loaded: {error}') from error


def _read(path: str) -> str:
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise Failed(f'There is no file {path}.') from None
    except OSError as error:
        raise Failed(f'{path} cannot be read: {error.strerror}.') from None
    if data.startswith(b'\xef\xbb\xbf'):
        raise Failed(f'{path} begins with a byte order mark: save it as UTF-8 without one.')
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b'\n', 0, error.start) + 1
        raise Failed(f'{path}, line {line}: this is no UTF-8: save the file as UTF-8.') from None


def _check_syntax(path: str, text: str, variables: Mapping[str, str]) -> None:
    """Raise Failed for syntax errors. configparser's own messages repeat values, which may be secrets."""
    here = {'here': str(Path(path).resolve().parent), '__file__': str(Path(path).resolve()), **variables}
    parser = configparser.ConfigParser(defaults=here)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        parser.read_string(text)
    except configparser.DuplicateSectionError as error:
        raise Failed(f'{path}, line {error.lineno}: there is a section [{error.section}] already.') from None
    except configparser.DuplicateOptionError as error:
        raise Failed(f'{path}, line {error.lineno}: {error.option} stands in [{error.section}] already.') from None
    except configparser.MissingSectionHeaderError as error:
        raise Failed(f'{path}, line {error.lineno}: a section such as [app:main] has to come first.') from None
    except configparser.ParsingError as error:
        lines = ', '.join(str(number) for number, _ in error.errors)
        raise Failed(f'{path}, line {lines}: this is neither "key = value" nor a section.') from None
    sections = [section for section in parser.sections() if not section.startswith(_RAW)]
    for section in sections:
        _check_values(path, text, parser, section)
    _check_references(path, text, parser, sections)


def _check_references(path: str, text: str, parser: configparser.ConfigParser, sections: Sequence[str]) -> None:
    """Raise Failed for "get KEY = NAME" without such a name: PasteDeploy's error has that name alone."""
    options = [(section, key) for section in sections for key in parser.options(section)]
    known = {*parser.defaults(), *(key.removeprefix('set ').strip() for _, key in options if key.startswith('set '))}
    for section, key in options:
        if key.startswith('get ') and (name := parser.get(section, key)) not in known:
            line = _line(text, section, key)
            raise Failed(f'{path}, line {line}: {key} in [{section}]: there is no "{name}" in [DEFAULT].')


def _check_values(path: str, text: str, parser: configparser.ConfigParser, section: str) -> None:
    for key in parser.options(section):
        location = f'{path}, line {_line(text, section, key)}: {key}'
        try:
            parser.get(section, key)
        except configparser.InterpolationMissingOptionError as error:
            raise Failed(
                f'{location}: there is no {error.reference} for %({error.reference})s; for a percent sign write %%.'
            ) from None
        except configparser.InterpolationError:
            raise Failed(f'{location}: in an ini file a percent sign in a value is written twice: %%.') from None


def _line(text: str, section: str, key: str) -> int:
    """Return the number of the line on which *key* of *section*, or of [DEFAULT], begins; 0 if it is not found."""
    found, here = 0, ''
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r'\[(.+)\]', line):
            here = header[1]
        elif here in {section, 'DEFAULT'} and re.match(rf'{re.escape(key)}\s*[=:]', line):
            found = number if here == section or not found else found
    return found


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C, so that it cleans up as well."""

    def interrupt(*_arguments: Any) -> NoReturn:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
