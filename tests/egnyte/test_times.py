"""Times in Egnyte's answers."""

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsp_pyramid.egnyte.times import http_date


@given(st.datetimes(min_value=datetime.fromisoformat('1970-01-01')))
def test_usual_dates_are_read_as_by_the_library(when: datetime) -> None:
    text = format_datetime(when.replace(tzinfo=UTC), usegmt=True)
    assert http_date(text) == parsedate_to_datetime(text).timestamp()


@pytest.mark.parametrize(
    'text',
    [
        'Tue, 31 Feb 2026 10:00:00 GMT',
        'Tue, 24 Nov 2026 25:00:00 GMT',
        'Tue, 24 Nox 2026 10:00:00 GMT',
        'Tue, 00 Nov 2026 10:00:00 GMT',
        'Tue, 24 Nov 0000 10:00:00 GMT',
        '',
    ],
)
def test_other_text_is_no_date(text: str) -> None:
    with pytest.raises(ValueError, match=r'.'):
        http_date(text)


def test_other_forms_are_read() -> None:
    usual = http_date('Tue, 24 Nov 2026 10:00:00 GMT')
    for text in ('24 Nov 2026 10:00:00 GMT', 'Tue, 24 Nov 2026 11:00:00 +0100', 'Tue, 24 Nov 2026 10:00:00'):
        assert http_date(text) == usual
    assert http_date('Tue, 24 Nov 2026 09:00:00 -0100') == usual
    assert datetime.fromtimestamp(usual, UTC) == datetime(2026, 11, 24, 10, tzinfo=UTC)
