"""Exceptions of sources: each has a text for the user, and a reason for the log only."""

from ..i18n import Size, _, english


class SourceError(Exception):
    """Refused or failed source.

    ``text`` is for marketers and reveals nothing about our network; ``str(error)`` is the same in English. ``reason``
    is for the operator's log: it names hosts and rules, never a path or a query, because URLs may be signed.
    """

    def __init__(self, text: str, reason: str = '') -> None:
        super().__init__(text)
        self.text, self._reason = text, reason

    def __str__(self) -> str:
        return english(self.text)

    @property
    def reason(self) -> str:
        """Reason for the log."""
        return self._reason or str(self)


class SourceInvalid(SourceError):
    """The URL is invalid: not http(s), without a host, or with a password."""


class SourceUnavailable(SourceError):
    """The file could not be fetched completely.

    A refused address, an unreachable one, a bad status, a broken connection and a timeout share one text, so that it
    cannot be used to map our network.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(
            _(
                'source-unavailable',
                'The file could not be fetched from its address. Make sure that everybody on the internet can open the '
                'address, then try again.',
            ),
            reason,
        )


class SourceRefused(SourceUnavailable):
    """The address policy refuses the address. The text is that of SourceUnavailable."""


class SourceCompressed(SourceError):
    """The server compresses the file, although the request excludes that."""

    def __init__(self, origin: str, coding: str) -> None:
        super().__init__(
            _(
                'source-compressed',
                'The server at this address sends the file compressed (${coding}), and only files that come as they '
                'are can be stored. Ask its administrator to send it as it is, or take the file from another address.',
                coding=coding,
            ),
            f'{origin}: the body is compressed ({coding}), though that was not asked for',
        )


class SourceEmpty(SourceError):
    """The file is empty; Egnyte stores no empty files."""

    def __init__(self) -> None:
        super().__init__(_('source-empty', 'The file at this address is empty.'))


class SourceTooLarge(SourceError):
    """The file is larger than the site allows."""

    def __init__(self, max_size: int) -> None:
        super().__init__(
            _(
                'source-too-large',
                'The file is larger than ${size}, the most that can be stored here. Make it smaller, then try again.',
                size=Size(max_size),
            )
        )
        self.max_size = max_size


class SourceTypeRefused(SourceError):
    """The site does not take files of this type, or the content is not what the name says."""
