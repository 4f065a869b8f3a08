"""The scratch folder of a run, its calls, and the findings that come of their answers."""

import hashlib
import json
import secrets
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import requests

from ...egnyte import EgnyteError, QuotaExceeded, Throttled
from ...egnyte.errors import from_response
from ...egnyte.transport import succeeded
from ..calls import Caller
from .masking import Mask
from .model import Finding, NotTried, Outcome, Stopped

FS, CONTENT = '/pubapi/v1/fs', '/pubapi/v1/fs-content'


class Lab:
    """Scratch folder of one run.

    :param caller: calls with the token of a client
    :param parent: Egnyte path of the folder that gets the scratch folder
    :param second: calls with the token of another user; None without one
    :ivar path: of the scratch folder
    :ivar is_created: whether the scratch folder may exist
    :ivar facts: what experiments leave for later ones: ids, and names of the user
    """

    def __init__(self, caller: Caller, parent: str, second: Caller | None = None) -> None:
        self.caller, self.second, self.parent = caller, second, parent.rstrip('/')
        self.path = f'{self.parent}/fsp-probe-{secrets.token_hex(4)}'
        self.facts: dict[str, str] = {}
        self._folder_id, self.is_created = '', False

    # Calls

    def call(self, method: str, path: str, *, caller: Caller | None = None, **kwargs: Any) -> requests.Response:
        """Make a call. Raises NotTried for a broken connection, Stopped if no more calls are allowed."""
        try:
            response = (caller or self.caller).call(method, path, **kwargs)
            if not succeeded(response) and isinstance(error := from_response(response, method), Throttled):
                raise error
        except QuotaExceeded as error:
            raise Stopped('the calls of this day are used up') from error
        except Throttled as error:
            raise Stopped('Egnyte refuses calls at the moment') from error
        except EgnyteError as error:
            raise NotTried(f'the connection broke ({error.args[0]})') from error
        return response

    def action(self, name: str, action: str, caller: Caller | None = None, **more: Any) -> requests.Response:
        """Make a call with an action on an item of the scratch folder; '' for the folder itself."""
        return self.call('POST', FS + self.quoted(name), json={'action': action, **more}, caller=caller)

    def upload(self, name: str, content: bytes, caller: Caller | None = None, **headers: str) -> requests.Response:
        """Upload a file into the scratch folder. Underscores in names of headers become hyphens."""
        return self.call(
            'POST',
            CONTENT + self.quoted(name),
            data=content,
            headers={key.replace('_', '-'): value for key, value in headers.items()},
            caller=caller,
        )

    def stat(self, name: str, **params: str) -> requests.Response:
        """Return the metadata of an item, without those below it unless *params* say so."""
        return self.call('GET', FS + self.quoted(name), params={'list_content': 'false', **params})

    def quoted(self, name: str) -> str:
        """Return the path of an item of the scratch folder for a URL."""
        return quote(f'{self.path}/{name}' if name else self.path)

    def file_id(self, name: str, content: bytes = b'text') -> str:
        """Upload a file that an experiment needs, and return its id. Raises NotTried if that fails."""
        return str(self.need(self.upload(name, content), 'a file could not be uploaded')['group_id'])

    def need(self, response: requests.Response, reason: str) -> dict[str, Any]:
        """Return the body of an answer that later calls need. Raises NotTried if it is no success, or no object."""
        data = body_of(response)
        if not succeeded(response) or not data:
            raise NotTried(f'{reason} (status {response.status_code})')
        return data

    # Findings

    def finding(
        self, name: str, holds: object, response: requests.Response | None, got: str = '', fits: str = ''
    ) -> Finding:
        """Return the finding of an experiment: confirmed if *holds*, else different, with the masked answer.

        :param got: what was seen, instead of the status
        :param fits: value of the switch that fits if it does not hold
        """
        if response is None:
            return Finding(name, Outcome.CONFIRMED if holds else Outcome.DIFFERENT, got, fits='' if holds else fits)
        mask, status = self.mask(), response.status_code
        got = mask.text(got) or f'status {status}'
        if holds:
            return Finding(name, Outcome.CONFIRMED, got, status)
        body = mask.body(response.content, response.headers.get('Content-Type', ''))
        return Finding(name, Outcome.DIFFERENT, got, status, mask.headers(response.headers), body, fits)

    def mask(self) -> Mask:
        """Return a mask for what is known to be private."""
        names = [name for name in self.path.split('/')[2:] if len(name) > 2]
        users = [value for key, value in self.facts.items() if key.startswith('user.') and len(value) > 2]
        tokens = [caller.token for caller in (self.caller, self.second) if caller]
        host = self.caller.url.partition('//')[2]
        hosts = [host, host.partition('.')[0] if 'egnyte' in host else '']
        return Mask({'name': names, 'user': users, 'token': tokens, 'host': hosts})

    # The scratch folder

    def create(self) -> requests.Response:
        """Create the scratch folder. Raises NotTried if that fails.

        The folder above has to exist: Egnyte may create it as well, and it would be left.
        """
        above = self.call('GET', FS + quote(self.parent), params={'list_content': 'false'})
        self.need(above, 'the folder is not there, or the user may not see it')
        self.is_created = True
        try:
            response = self.action('', 'add_folder')
        except Stopped:
            self.is_created = False
            raise
        data = self.need(response, 'no folder could be created in it')
        self._folder_id = str(data.get('folder_id', ''))
        return response

    def remove(self) -> str:
        """Delete the scratch folder, if it was created or may have been. Return its path if it may be left."""
        if not self.is_created:
            return ''
        with suppress(NotTried, Stopped):
            path = f'{FS}/ids/folder/{quote(self._folder_id)}' if self._folder_id else FS + self.quoted('')
            if self.call('DELETE', path).status_code in {200, 204, 404}:
                return ''
        return self.path


def body_of(response: requests.Response) -> dict[str, Any]:
    """Return the JSON object in a body; an empty one if there is none."""
    try:
        value = json.loads(response.content)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def sha512(content: bytes) -> str:
    """Return the checksum of a content as Egnyte writes it."""
    return hashlib.sha512(content).hexdigest()
