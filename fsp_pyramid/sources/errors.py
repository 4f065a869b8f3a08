"""What goes wrong with a source: a text for the person who gave the address, and a reason for the log alone."""


class SourceError(Exception):
    """A source that we do not take.

    ``str(error)`` is text that a marketer understands and that tells nothing about our network. ``reason`` is for the
    log of the operator; it names hosts and rules, never a path or a query, because addresses may be signed.
    """

    def __init__(self, text: str, reason: str = '') -> None:
        super().__init__(text)
        self.reason = reason or text


class SourceInvalid(SourceError):
    """The address is none that can be fetched at all: not http(s), no host, a password in it."""


class SourceUnavailable(SourceError):
    """Nothing came, or not all of it.

    A refused address, an unreachable one, a bad status, a cut and a timeout all share one text, so that nobody can map
    the inside of our network by reading it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(
            'The file could not be fetched from its address. Make sure that everybody on the internet can open the '
            'address, then try again.',
            reason,
        )


class SourceRefused(SourceUnavailable):
    """The address is inside of our network, or none that we go to. Its text is that of all that is not available."""


class SourceCompressed(SourceError):
    """The server sends the file compressed, though that was not asked for."""

    def __init__(self, origin: str, coding: str) -> None:
        super().__init__(
            f'The server at this address sends the file compressed ({coding}), and only files that come as they are '
            'can be stored. Ask its administrator to send it as it is, or take the file from another address.',
            f'{origin}: the body is compressed ({coding}), though that was not asked for',
        )


class SourceEmpty(SourceError):
    """The file has no bytes; Egnyte keeps no empty files."""

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
