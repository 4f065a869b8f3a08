from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fsp_pyramid.sources.address_policy import (
    SPECIAL,
    Allowances,
    Special,
    Verdict,
    is_metadata,
)

NOTHING = Allowances()


def verdict(address: str, *allow: str, host: str = 'files.example.com', port: int = 443) -> Verdict:
    return Allowances.parse(allow).judge(host, ip_address(address), port)


@pytest.mark.parametrize(
    ('address', 'rule'),
    [
        ('0.0.0.0', 'this host'),
        ('10.1.2.3', 'private network'),
        ('100.64.0.1', 'carrier-grade NAT'),
        ('100.100.100.200', 'carrier-grade NAT'),
        ('127.0.0.1', 'loopback'),
        ('127.255.255.254', 'loopback'),
        ('168.63.129.16', "Azure's wire server"),
        ('169.254.169.254', "clouds' metadata"),
        ('172.31.255.255', 'private network'),
        ('192.0.0.192', 'protocol assignments'),
        ('192.168.1.1', 'private network'),
        ('198.19.0.1', 'benchmarking'),
        ('203.0.113.5', 'documentation'),
        ('224.0.0.1', 'multicast'),
        ('250.0.0.1', 'reserved'),
        ('255.255.255.255', 'broadcast'),
        ('::', 'this host'),
        ('::1', 'loopback'),
        ('::127.0.0.1', 'IPv4-compatible'),
        ('::ffff:127.0.0.1', 'IPv4-mapped'),
        ('::ffff:8.8.8.8', 'IPv4-mapped'),
        ('::ffff:0:127.0.0.1', 'IPv4-translated'),
        ('64:ff9b::7f00:1', 'NAT64, loopback'),
        ('64:ff9b::10.0.0.1', 'NAT64, private network'),
        ('64:ff9b::169.254.169.254', "NAT64, link-local, clouds' metadata"),
        ('64:ff9b::168.63.129.16', "NAT64, Azure's wire server"),
        ('64:ff9b::', 'NAT64, this host'),
        ('64:ff9b::255.255.255.255', 'NAT64, broadcast'),
        ('64:ff9b:0:0:1::7f00:1', 'not assigned'),
        ('64:ff9b:1::7f00:1', 'local NAT64'),
        ('100::1', 'discard'),
        ('2001:0:7f00:1::', 'Teredo'),
        ('2001:10::1', 'protocol assignments'),
        ('2001:db8::1', 'documentation'),
        ('2002:7f00:1::', '6to4'),
        ('3fff::1', 'documentation'),
        ('5f00::1', 'segment routing'),
        ('fd00:ec2::254', 'private network'),
        ('fe80::1', 'link-local'),
        ('fe80::1%eth0', 'link-local'),
        ('fec0::1', 'site-local'),
        ('ff02::1', 'multicast'),
        ('1::1', 'not assigned'),
        ('4000::1', 'not assigned'),
        ('f000::1', 'not assigned'),
    ],
)
def test_special_addresses_are_refused_by_a_rule_with_a_name(address: str, rule: str) -> None:
    judged = verdict(address)
    assert not judged.allowed
    assert rule in judged.rule


@pytest.mark.parametrize('special', SPECIAL, ids=str)
def test_both_ends_of_each_range_are_refused(special: Special) -> None:
    network = special.network
    for address in (network[0], network[-1]):
        assert not NOTHING.judge('x', address, 443).allowed


@pytest.mark.parametrize(
    'address',
    [
        *('1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '172.32.0.0', '2606:4700::1111', '2a00:1450::1'),
        '64:ff9b::8.8.8.8',  # the same by NAT64
    ],
)
def test_internet_is_open_at_two_ports(address: str) -> None:
    assert verdict(address, port=80) == verdict(address, port=443) == Verdict(True, 'an address of the internet')
    for port in (0, 22, 8080):
        assert verdict(address, port=port) == Verdict(False, f'port {port}: only 80 and 443 are open to everybody')


@given(st.integers(0, 2**32 - 1).map(IPv4Address) | st.integers(0, 2**128 - 1).map(IPv6Address))
@example(IPv4Address('192.0.0.171'))
@example(IPv6Address('2001:2::1'))
def test_addresses_that_python_calls_not_global_are_refused(address: IPv4Address | IPv6Address) -> None:
    if not address.is_global or address.is_multicast or address.is_reserved:
        assert not NOTHING.judge('x', address, 443).allowed


@given(st.sampled_from(SPECIAL), st.integers(0, 2**128))
def test_nothing_inside_a_range_is_open(special: Special, offset: int) -> None:
    network = special.network
    assert not NOTHING.judge('x', network[offset % network.num_addresses], 443).allowed


@pytest.mark.parametrize(
    ('entry', 'host', 'address', 'port', 'allowed'),
    [
        ('files.intra', 'files.intra', '10.0.0.1', 8080, True),
        ('Files.Intra.', 'files.intra', '10.0.0.1', 443, True),
        ('files.intra', 'other.intra', '10.0.0.1', 443, False),
        ('files.intra', 'sub.files.intra', '10.0.0.1', 443, False),
        ('files.intra:8080', 'files.intra', '10.0.0.1', 8080, True),
        ('files.intra:8080', 'files.intra', '10.0.0.1', 443, False),
        ('files.intra:*', 'files.intra', '10.0.0.1', 22, True),
        ('files.example.com:8443', 'files.example.com', '8.8.8.8', 8443, True),
        ('files.example.com:8443', 'files.example.com', '8.8.8.8', 443, True),
        ('10.0.0.0/8', 'x', '10.9.9.9', 22, True),
        ('10.0.0.0/8:8080', 'x', '10.9.9.9', 8080, True),
        ('10.0.0.0/8:8080', 'x', '10.9.9.9', 80, False),
        ('10.1.2.3', 'x', '10.1.2.3', 1, True),
        ('10.1.2.3', 'x', '10.1.2.4', 80, False),
        ('127.0.0.0/8', 'x', '::1', 80, False),
        ('127.0.0.0/8', 'x', '::ffff:127.0.0.1', 80, False),
        ('127.0.0.0/8', 'x', '0.0.0.0', 80, False),
        ('::1', 'x', '::1', 8080, True),
        ('[::1]', 'x', '::1', 8080, True),
        ('[::1]:*', 'x', '::1', 8080, True),
        ('[::1]:8080', 'x', '::1', 80, False),
        ('fd12::/16', 'x', 'fd12::1', 80, True),
        ('[fd12::/16]:8080', 'x', 'fd12::1', 8080, True),
        ('[fd12::/16]:8080', 'x', 'fd12::1', 80, False),
        ('::ffff:10.0.0.0/104', 'x', '::ffff:10.1.2.3', 80, True),
        ('::ffff:10.0.0.0/104', 'x', '::ffff:127.0.0.1', 80, False),
        ('64:ff9b::10.0.0.0/104', 'x', '64:ff9b::10.1.2.3', 80, True),
        ('64:ff9b::10.0.0.0/104', 'x', '64:ff9b::127.0.0.1', 80, False),
        ('64:ff9b:1::10.0.0.0/104', 'x', '64:ff9b:1::10.1.2.3', 80, True),
        ('2002:a00::/24', 'x', '2002:a01:203::1', 80, True),
        ('2002:a00::/24', 'x', '2002:7f00:1::1', 80, False),
        ('10.0.0.0/8', 'x', '64:ff9b::10.1.2.3', 80, False),
        ('*', 'x', '10.0.0.1', 22, True),
        ('*', 'x', '::1', 443, True),
        ('*:*', 'x', '169.254.169.254', 8080, True),
        ('*:8080', 'x', '10.0.0.1', 8080, True),
        ('*:8080', 'x', '10.0.0.1', 80, False),
        ('localhost', 'localhost', '::1', 6543, True),
    ],
)
def test_allowances_are_precise(entry: str, host: str, address: str, port: int, allowed: bool) -> None:
    judged = verdict(address, entry, host=host, port=port)
    assert judged.allowed is allowed
    if allowed and port not in (80, 443):
        assert judged.rule == f'fsp.sources.allow has {entry}'


@pytest.mark.parametrize(
    'entry',
    [
        '',
        ':80',
        'host:',
        'host:0',
        'host:65536',
        'host:http',
        'host:+80',
        'http://host/',
        'host/path',
        'user@host',
        '*.example.com',
        '**',
        '[*]',
        '*/0',
        'exämple.com',
        '-x.com',
        '127.1',
        '256.1.1.1',
        '0x7f.1',
        '10.0.0.1/8',
        '10.0.0.0/33',
        '0.0.0.0/0',
        '::/0',
        '0.0.0.0/1',
        '128.0.0.0/1',
        '10.0.0.0/7',
        '10.0.0.0/7:8080',
        '10.0.0.0/254.0.0.0',
        'fc00::/7',
        'fd00::/15',
        '[fd00::/8]:8080',
        '::ffff:0:0/96',
        '::ffff:10.0.0.0/103',
        *('::/80', '::/64', '::/16', '[::/16]:80', '::/95', '::/96', '::/103', '::ffff:0:0/80', '::ffff:0:0/95'),
        *('::ffff:0:0:0/96', '64:ff9b::/96', '64:ff9b::/32', '64:ff9b::/16', '64:ff9b:1::/48', '64:ff9b:1::/96'),
        *('2002::/16', '2002::/23', '2002:a00::/23', '2001::/16', '2001::/23', '2001::/32', '2001::/103'),
        '[::1',
        '[::1]80',
        '[::1]:',
        '[127.0.0.1]:80',
        '[host]:80',
    ],
)
def test_bad_entry_is_named_and_good_forms_are_shown(entry: str) -> None:
    with pytest.raises(ValueError, match='is no host, address or network') as caught:
        Allowances.parse(['127.0.0.1', entry])
    message = str(caught.value)
    assert message.startswith(f'"{entry}"')
    assert '"10.1.2.3:8080"' in message


@pytest.mark.parametrize(
    ('entry', 'width'),
    [
        ('128.0.0.0/1', '/8:'),
        ('fc00::/7', '/16:'),
        ('::ffff:0:0/96', '/104 and holds addresses of ::ffff:0:0/96'),
        ('64:ff9b::/32', '/104 and holds addresses of 64:ff9b::/96'),
        ('2002::/16', '/24 and holds addresses of 2002::/16'),
    ],
)
def test_too_wide_network_is_refused_with_a_remedy(entry: str, width: str) -> None:
    with pytest.raises(ValueError, match=f'wider than {width}') as caught:
        Allowances.parse([entry])
    assert str(caught.value).startswith(f'"{entry}"')
    assert '"*"' in str(caught.value)


@given(st.integers(0, 2**128 - 1), st.integers(0, 128))
@example(0, 80)
@example(int(IPv6Address('64:ff9b::')), 32)
def test_no_network_opens_all_of_ipv4_in_one_of_its_forms(number: int, length: int) -> None:
    network = IPv6Network((number, length), strict=False)
    forms = ('::{}', '::ffff:{}', '::ffff:0:{}', '64:ff9b::{}', '64:ff9b:1::{}')
    try:
        allow = Allowances.parse([str(network)])
    except ValueError:
        return
    for form in forms:
        inside = [form.format(address) for address in ('127.0.0.1', '169.254.169.254')]
        assert not all(allow.judge('x', ip_address(address), 80).allowed for address in inside)


@pytest.mark.parametrize(
    'address',
    [
        *('169.254.169.254', '::ffff:169.254.169.254', '64:ff9b::169.254.169.254', '2002:a9fe:a9fe::'),
        *('2001:0:0:0:0:0:5601:5601', '::ffff:100.100.100.200', '168.63.129.16', 'fd00:ec2::254', 'fe80::1'),
    ],
)
def test_addresses_of_metadata_are_known_in_each_form(address: str) -> None:
    assert is_metadata(ip_address(address))


@pytest.mark.parametrize('address', ['127.0.0.1', '::ffff:127.0.0.1', '2002:7f00:1::', '::1', 'fd00::1'])
def test_other_special_addresses_are_no_metadata(address: str) -> None:
    assert not is_metadata(ip_address(address))


@pytest.mark.parametrize(
    ('entry', 'allowed'),
    [(None, False), ('files.example.com', True), ('files.example.com:443', False), ('1.1.1.1:80', True), ('*', True)],
)
def test_redirect_to_plain_http_has_to_be_allowed(entry: str | None, allowed: bool) -> None:
    allow = Allowances.parse([entry] if entry else [])
    judged = allow.judge('files.example.com', ip_address('1.1.1.1'), 80, downgraded=True)
    assert judged.allowed is allowed
    assert allowed or 'from https to http' in judged.rule


@given(st.text(max_size=30))
def test_any_entry_is_parsed_or_refused_with_a_value_error(entry: str) -> None:
    try:
        (allowance,) = Allowances.parse([entry]).entries
    except ValueError:
        return
    assert allowance.text == entry
