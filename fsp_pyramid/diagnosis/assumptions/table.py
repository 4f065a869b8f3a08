"""Table of assumptions, shown by ``docs/assumptions.rst``. Switches are arguments of the sandbox's ``make_app``."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """Basis of an assumption."""

    DOCUMENTED = 'documented'
    SEEN = 'seen in SDKs'
    INFERRED = 'inferred'


@dataclass(frozen=True, slots=True)
class Assumption:
    """One assumption about Egnyte.

    :ivar id: stable name, ``group.assumption``
    :ivar statement: what we assume
    :ivar source: where it comes from
    :ivar switch: argument of the sandbox's ``make_app`` that makes it answer otherwise; '' without one
    :ivar remedy: what to do if it does not hold: a setting of ours, or '' if the bridge copes with both
    """

    id: str
    statement: str
    status: Status
    source: str
    switch: str = ''
    remedy: str = ''


D, S, I = Status.DOCUMENTED, Status.SEEN, Status.INFERRED  # noqa: E741 - the marks of the research
NO_SETTING = 'report it: the bridge relies on it'

ASSUMPTIONS: tuple[Assumption, ...] = (
    # Identity and limits
    Assumption('identity.userinfo', 'userinfo answers with a username', D, 'API documentation', remedy=NO_SETTING),
    Assumption('identity.bad-token', 'A wrong token is answered with 401', D, 'API documentation'),
    Assumption('limits.headers', 'Answers tell the calls that are allowed and used (X-Accesstoken-...), and the reset',
               S, 'captured answer, JavaScript SDK',
               remedy='keep fsp.pace.backend shared: only our own calls are counted'),
    Assumption('limits.allotted', 'A token has 2 calls a second and 1,000 a day', D, 'API documentation'),
    Assumption('limits.counted', 'Each call of the token is counted, whatever its answer', I, 'headers of answers'),
    Assumption('limits.reset', 'The count of a day ends at 00:00 UTC', D, 'API documentation; captured answer'),
    Assumption('limits.refusal', 'A call too many is answered with 429 and Retry-After', S, 'Go SDK; older: 403',
               switch='throttle'),
    Assumption('limits.grants', 'The token endpoint refuses the 101st request of an hour', D, 'integrations cookbook',
               switch='hourly_grants'),
    Assumption('identity.refresh', 'Tokens expire after 30 days and come with a refresh token', S, 'Go SDK, CLI',
               switch='refresh_tokens'),
    Assumption('identity.clock', "Egnyte's Date is within 2 seconds of this machine's clock", I, 'HTTP',
               remedy='synchronize the clock of this machine (NTP)'),
    # Folders
    Assumption('folders.create', 'Creating a folder is answered with 201 and its folder_id',
               S, 'Python and JavaScript SDK'),
    Assumption('folders.exists', 'Creating one that exists is refused with 403, "Folder already exists"',
               S, 'Python SDK'),
    Assumption('folders.parents', 'Missing parents of a new folder are created',
               S, "tests of the Python SDK; Egnyte's AI skills say no", switch='strict_parents'),
    Assumption('folders.options', 'The owner of a folder can set its description', S, '.NET SDK'),
    Assumption('folders.times', 'The time of a folder is lastModified, in milliseconds', S, 'Go SDK'),
    # Uploads
    Assumption('uploads.answer', 'An upload is answered with 200, group_id, entry_id and a SHA-512',
               S, 'captured answer', remedy=NO_SETTING),
    Assumption('uploads.etag', 'Its ETag is the entry_id, without quotes',
               S, 'captured answer; tests of the .NET SDK: quoted'),
    Assumption('uploads.version', 'A second upload makes a version: another entry_id, the same group_id',
               S, 'tests of the Python SDK', remedy=NO_SETTING),
    Assumption('uploads.parents', 'Missing parents of an upload are created',
               S, 'tests of the Python SDK; Go SDK says no', switch='strict_parents'),
    Assumption('uploads.empty', 'An empty file is refused', S, 'Python SDK, CLI', switch='empty_uploads'),
    Assumption('uploads.checksum', 'Other bytes than X-Sha512-Checksum announces are refused with 400', I, 'no source',
               switch='checksum_status'),
    Assumption('uploads.onto-folder', 'An upload onto a folder is refused', I, 'no source', remedy=NO_SETTING),
    Assumption('uploads.shared', 'A file directly in /Shared is refused', I, 'third-party client',
               switch='files_in_shared', remedy='do not map /Shared itself (fsp.folders)'),
    Assumption('uploads.chunk', 'A chunk that is not the last has 10 MB or more', S, 'Go SDK, CLI',
               switch='chunk_minimum'),
    # Metadata
    Assumption('metadata.file',
               'A file tells checksum (SHA-512), size, group_id, entry_id, and last_modified as RFC 1123', S, 'Go SDK',
               remedy=NO_SETTING),
    Assumption('metadata.versions', 'versions lists the older ones without the current one', S, 'Go SDK'),
    Assumption('metadata.permission', 'include_perm tells the level of the caller in a known word', S, 'Go SDK',
               remedy='without it, refusals of Egnyte decide'),
    # Downloads
    Assumption('downloads.headers', 'A download has ETag, X-Sha512-Checksum and Content-Length',
               S, '.NET and Android SDK'),
    Assumption('downloads.range', 'A range is answered with 206 and Content-Range', S, 'Python SDK'),
    Assumption('downloads.range-end', 'A range beyond the end is answered with 416', S, 'CLI'),
    Assumption('downloads.condition', 'If-None-Match has no effect: the content comes', I, 'no source'),
    Assumption('downloads.version', 'entry_id gets the content of an older version', S, 'Python SDK'),
    # Moves
    Assumption('moves.ids', 'After a move the group_id leads to the new path', D, 'API documentation',
               remedy=NO_SETTING),
    Assumption('moves.taken', 'A move onto a taken name is refused with 403', I, 'no source', switch='exists_status',
               remedy=NO_SETTING),
    Assumption('moves.parents', 'A missing parent of the destination is created', I, 'by analogy',
               switch='strict_parents'),
    Assumption('moves.missing', 'A move of a missing file is answered with 404', I, 'by analogy'),
    Assumption('moves.unknown-keys', 'An unknown key in the body is refused with 400', S, 'Go SDK'),
    Assumption('moves.copy', 'A copy has another group_id', I, 'by analogy'),
    # Locks
    Assumption('locks.lock', 'Locking a file answers with lock_token and timeout', S, 'Go SDK'),
    Assumption('locks.own', 'The owner of a lock may upload to the file', I, 'no source'),
    Assumption('locks.wrong-token', 'Unlocking with a wrong token is answered with 404',
               S, 'tests of the JavaScript SDK'),
    Assumption('locks.unlock', 'The owner may unlock without the token', S, 'tests of the JavaScript SDK'),
    Assumption('locks.other', 'An upload to a file that another user has locked is refused with 403', I, 'no source',
               switch='locked_status'),
    # Listings
    Assumption('listings.all', 'A listing without count is complete, folders and files', S, 'Python SDK, iOS SDK'),
    Assumption('listings.paging', 'count and offset page through folders and files together, folders first',
               S, 'Go SDK'),
    Assumption('listings.total', 'total_count counts folders and files', S, 'Go SDK, iOS SDK', remedy=NO_SETTING),
    Assumption('listings.without', 'list_content=false leaves the items out', S, 'Python SDK'),
    # Names
    Assumption('names.special', 'Letters of all languages, +, %, # and & in names are stored as they are',
               S, 'tests of the JavaScript SDK', remedy=NO_SETTING),
    Assumption('names.characters', 'Names with a colon or a star are refused with 400',
               I, 'help desk; the status is a guess', switch='bad_name_status'),
    Assumption('names.trailing-dot', 'Names that end with a period are refused', D, 'help desk'),
    Assumption('names.suffix', 'Names that end with .tmp are refused', D, 'help desk'),
    Assumption('names.emoji', 'Names with emoji are refused', D, 'help desk'),
    Assumption('names.length', 'Names of more than 245 bytes are refused', D, 'help desk'),
    Assumption('names.case', 'Names that differ only in case are one name', I, 'rclone, help desk',
               switch='case_sensitive', remedy=NO_SETTING),
    Assumption('names.unicode', 'The composed and the decomposed form of a name are two names', I, 'no source',
               switch='normalizing'),
    # Deletions, trash and events
    Assumption('deletions.by-id', 'A file is deleted by its id, with 200', D, 'API documentation', remedy=NO_SETTING),
    Assumption('deletions.again', 'A second deletion is answered with 404', S, 'tests of the JavaScript SDK'),
    Assumption('deletions.version', 'entry_id deletes one version, and the others stay',
               S, 'tests of the JavaScript SDK'),
    Assumption('deletions.tree', 'Deleting a folder takes all that is in it',
               S, 'Python SDK, Go SDK; its comments say no', remedy=NO_SETTING),
    Assumption('trash.access', 'Only administrators see the trash', I, 'no source', switch='trash_for_all'),
    Assumption('trash.found', 'A deleted file is found in the trash by its path', I, 'Go SDK has the fields'),
    Assumption('trash.restore', 'A restored file has its former path and group_id', I, 'no source'),
    Assumption('errors.missing', 'A missing path is answered with 404 and errorMessage', I, 'Go SDK'),
    Assumption('errors.content', 'Missing content is answered with 404', I, 'by analogy'),
    Assumption('events.cursor', 'events/cursor tells latest_event_id', S, 'Python SDK'),
    Assumption('events.list', 'Events after a cursor have greater ids, and our changes are among them',
               S, 'Python SDK'),
)  # fmt: skip
BY_ID = {assumption.id: assumption for assumption in ASSUMPTIONS}
