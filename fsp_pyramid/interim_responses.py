"""Interim responses of HTTP (status 1xx): skipped, up to a limit, before the final response."""

from http.client import CONTINUE, SWITCHING_PROTOCOLS, HTTPException, HTTPResponse

# 100 Continue, 102 Processing, 103 Early Hints... A slow server or a gateway sends some before its answer.
MAX_INTERIM = 8


class FinalResponse(HTTPResponse):
    """Response that skips a limited number of interim ones. http.client skips 100 only, without a limit.

    :ivar interim: number of interim responses so far
    """

    interim = 0

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]  # private
        if not 100 <= status < 200 or status == SWITCHING_PROTOCOLS:
            return version, status, reason
        self.interim += 1
        if self.interim > MAX_INTERIM:
            raise HTTPException(f'more than {MAX_INTERIM} interim answers (status 1xx)')
        return version, CONTINUE, reason  # http.client skips its headers and reads the next status
