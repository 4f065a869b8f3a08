"""Exceptions of sources: each has a text for the user, and a reason for the log only."""


class SourceError(Exception):
    """Refused or failed source.

    ``str(error)`` is text for marketers that reveals nothing about our network. ``reason`` is for the operator's log:
    it names hosts and rules, never a path or a query, because URLs may be signed.
    """

    def __init__(self, text: str, reason: str = '') -> None:
        super().__init__(text)
        self.reason = reason or text


class SourceInvalid(SourceError):
    """The URL is invalid: not http(s), without a host, or with a password."""


class SourceUnavailable(SourceError):
    """The file could not be fetched completely.

    A refused address, an unreachable one, a bad status, a broken connection and a timeout share one text, so that it
    cannot be used to map our network.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(
            'The file could not be fetched from its address. Make sure that everybody on the internet can open the '
            'address, then try again.',
            reason,
        )


class SourceRefused(SourceUnavailable):
    """The address policy refuses the address. The text is that of SourceUnavailable."""


class SourceCompressed(SourceError):
    """The server compresses the file, although the request excludes that."""

    def __init__(self, origin: str, coding: str) -> None:
        super().__init__(
            f'The server at this address sends the file compressed ({coding}), and only files that come as they are '
            'can be stored. Ask its administrator to send it as it is, or take the file from another address.',
            f'{origin}: the body is compressed ({coding}), though that was not asked for',
        )


class SourceEmpty(SourceError):
    """The file is empty; Egnyte stores no empty files."""

    def __init__(self) -> None:
        super().__init__('The file at this address is empty.')


class SourceTooLarge(SourceError):
    """The file is larger than the site allows."""

    def __init__(self, max_size: int) -> None:
        super().__init__(
            f'The file is larger than {_readable(max_size)}, the most that can be stored here. Make it smaller, then '
            'try again.'
        )
        self.max_size = max_size


class SourceTypeRefused(SourceError):
    """The site does not take files of this type, or the content is not what the name says."""


def _readable(size: int) -> str:
    for unit, name in ((1 << 30, 'GB'), (1 << 20, 'MB'), (1 << 10, 'KB')):
        if size >= unit:
            return f'{size / unit:.3g} {name}'
    return f'{size} bytes'
