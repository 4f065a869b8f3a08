"""Mapping of Egnyte's errors to those of the protocol."""

import math

import pytest

from fsp_pyramid import egnyte, errors
from fsp_pyramid.storage.egnyte_errors import as_fsp_errors


@pytest.mark.parametrize(
    ('error', 'kind', 'status', 'code'),
    [
        (egnyte.NotFound('x'), errors.NotFound, 404, 3200),
        (egnyte.Forbidden('x'), errors.Forbidden, 403, 3300),
        (egnyte.Locked('x'), errors.Locked, 403, 3909),
        (egnyte.AlreadyExists('x'), errors.Conflict, 409, 3400),
        (egnyte.Corrupted('f', 'v'), errors.SourceFailed, 422, 3450),
        (egnyte.NameRejected('x', status=400), errors.NameNotAllowed, 400, 3905),
        (egnyte.NameRejected('x', status=413), errors.FileTooLarge, 422, 3906),
        (egnyte.ChecksumRefused('x', status=400), errors.SourceFailed, 422, 3450),
        (egnyte.RangeRefused('x', status=416), errors.BadRequest, 400, 3500),
        (egnyte.Rejected('x', status=400), errors.InternalError, 503, 3001),
        (egnyte.Throttled('x', 2), errors.Busy, 503, 3904),
        (egnyte.QuotaExceeded('x', 2), errors.QuotaUsedUp, 503, 3903),
        (egnyte.Unavailable('x', status=502), errors.EgnyteUnavailable, 503, 3100),
        (egnyte.Unreachable('x'), errors.EgnyteUnavailable, 503, 3100),
        (egnyte.Unauthorized('x', status=401), errors.TokenRefused, 503, 3001),
        (egnyte.GrantRefused('x'), errors.ConnectionExpired, 403, 3902),
        (egnyte.EgnyteError('x', status=302), errors.InternalError, 503, 3001),
    ],
)
def test_error_is_mapped(error: egnyte.EgnyteError, kind: type, status: int, code: int) -> None:
    with pytest.raises(errors.FSPError) as caught, as_fsp_errors(('Shared', 'hidden', 'pic.png')):
        raise error
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.code) == (status, code)
    assert caught.value.__cause__ is error
    assert str(caught.value)
    assert 'hidden' not in str(caught.value)
    assert '"x"' not in str(caught.value)


@pytest.mark.parametrize(
    ('seconds', 'words'),
    [
        (5, '1 minute'),
        (3599, '1 hour'),
        (7260, '2 hours and 1 minute'),
        (7260.5, '2 hours and 2 minutes'),
        (86_399, '24 hours'),
        (0, '1 minute'),
    ],
)
def test_wait_for_the_next_day_is_in_words_and_seconds(seconds: float, words: str) -> None:
    with pytest.raises(errors.QuotaUsedUp) as caught, as_fsp_errors(()):
        raise egnyte.QuotaExceeded('x', seconds)
    assert str(caught.value).endswith(f' in {words}, at midnight UTC.')
    assert 'are used up. ' in str(caught.value)
    assert int(caught.value.headers['Retry-After']) == math.ceil(seconds)


def test_reserved_quota_has_its_own_message() -> None:
    with pytest.raises(errors.QuotaUsedUp) as caught, as_fsp_errors(()):
        raise egnyte.QuotaReserved('x', 60)
    assert 'only those that are kept for changes are left. ' in str(caught.value)
    assert 'used up' not in str(caught.value)
