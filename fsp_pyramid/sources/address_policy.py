"""SSRF address policy: the internet without special-purpose addresses, plus the allowances of a site."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Self

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

PORTS = (80, 443)
FORMS = '"files.example.com", "files.example.com:8443", "10.1.2.0/24", "10.1.2.3:8080", "[fd00::1]:8080", "[::1]:*"'

# No organisation's network is wider; a wider entry is a mistake, or an attempt to switch the guard off.
_WIDEST = {4: 8, 6: 16}
EVERYWHERE = '*'

# IANA's special-purpose registries (IPv4: updated 2024, IPv6: 2024), multicast, reserved ranges, and internal addresses
# of clouds. The first matching row names the reason. Python's own is_global is not used, because it differs from one
# version to the next. 64:ff9b::/96 is missing: its addresses are judged like the IPv4 addresses that they embed.
_TABLE = """
0.0.0.0/8           this host                           RFC 791
10.0.0.0/8          private network                     RFC 1918
100.64.0.0/10       carrier-grade NAT                   RFC 6598
127.0.0.0/8         loopback                            RFC 1122
168.63.129.16/32    Azure's wire server                 Microsoft
169.254.0.0/16      link-local, clouds' metadata        RFC 3927
172.16.0.0/12       private network                     RFC 1918
192.0.0.0/24        protocol assignments                RFC 6890
192.0.2.0/24        documentation                       RFC 5737
192.31.196.0/24     AS112                               RFC 7535
192.52.193.0/24     multicast tunnelling                RFC 7450
192.88.99.0/24      6to4 relays                         RFC 7526
192.168.0.0/16      private network                     RFC 1918
192.175.48.0/24     AS112                               RFC 7534
198.18.0.0/15       benchmarking                        RFC 2544
198.51.100.0/24     documentation                       RFC 5737
203.0.113.0/24      documentation                       RFC 5737
224.0.0.0/4         multicast                           RFC 5771
255.255.255.255/32  broadcast                           RFC 919
240.0.0.0/4         reserved                            RFC 1112
::/128              this host                           RFC 4291
::1/128             loopback                            RFC 4291
::/96               IPv4-compatible                     RFC 4291
::ffff:0:0/96       IPv4-mapped                         RFC 4291
::ffff:0:0:0/96     IPv4-translated                     RFC 2765
64:ff9b:1::/48      IPv4 by local NAT64                 RFC 8215
100::/64            discard only                        RFC 6666
100:0:0:1::/64      dummy prefix                        RFC 9780
2001::/32           IPv4 by Teredo                      RFC 4380
2001::/23           protocol assignments                RFC 2928
2001:db8::/32       documentation                       RFC 3849
2002::/16           IPv4 by 6to4                        RFC 3056
2620:4f:8000::/48   AS112                               RFC 7534
3fff::/20           documentation                       RFC 9637
5f00::/16           segment routing                     RFC 9602
fc00::/7            private network                     RFC 4193
fe80::/10           link-local                          RFC 4291
fec0::/10           site-local                          RFC 3879
ff00::/8            multicast                           RFC 4291
::/3                not assigned to the internet        RFC 4291
4000::/2            not assigned to the internet        RFC 4291
8000::/1            not assigned to the internet        RFC 4291
"""
# A gateway translates these to IPv4 (RFC 6052): in a network without IPv4, every host on the internet that has no IPv6
# is reached by them.
_NAT64 = IPv6Network('64:ff9b::/96')
_TEREDO = IPv6Network('2001::/32')
# Prefixes whose addresses embed an IPv4 address, and the number of bits before it. The prefix of a local NAT64
# (64:ff9b:1::/48) may have any length: the longest is assumed, with which a network embeds the most.
_EMBEDDING = (
    (IPv6Network('::/96'), 96),
    (IPv6Network('::ffff:0:0/96'), 96),
    (IPv6Network('::ffff:0:0:0/96'), 96),
    (_NAT64, 96),
    (IPv6Network('64:ff9b:1::/48'), 96),
    (_TEREDO, 96),
    (IPv6Network('2002::/16'), 16),
)
# Addresses at which clouds hand out the credentials of a machine: link-local ones, and those of AWS (IPv6), Alibaba and
# Azure.
_METADATA = tuple(
    ip_network(text)
    for text in ('169.254.0.0/16', 'fe80::/10', 'fd00:ec2::254/128', '100.100.100.200/32', '168.63.129.16/32')
)


def is_metadata(address: Address) -> bool:
    """Return whether a cloud may hand out credentials at *address*, or at the IPv4 address that it embeds."""
    return any(form in network for form in (address, _embedded(address)) for network in _METADATA)


def _embedded(address: Address) -> Address:
    """Return the IPv4 address that *address* embeds; the same address if it embeds none."""
    for prefix, bits in _EMBEDDING:
        if address in prefix:
            number = int(address) >> (96 - bits) & 0xFFFFFFFF
            return IPv4Address(number ^ 0xFFFFFFFF if prefix == _TEREDO else number)
    return address


@dataclass(frozen=True)
class Special:
    """Range of special-purpose addresses, from which no file is fetched."""

    network: Network
    purpose: str
    source: str

    def __str__(self) -> str:
        return f'{self.purpose} ({self.network}, {self.source})'


SPECIAL = tuple(
    Special(ip_network(network), purpose, source)
    for network, purpose, source in (re.split(r'\s{2,}', line) for line in _TABLE.strip().splitlines())
)


@dataclass(frozen=True)
class Verdict:
    """Decision about a connection to an address, and the rule behind it."""

    allowed: bool
    rule: str


@dataclass(frozen=True)
class Allowance:
    """Entry of ``fsp.sources.allow``: a *scope* (host, network or ``*``), and one port or (None) every port in it."""

    text: str
    scope: str | Network
    port: int | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one entry. Raises ValueError that names it and shows the valid forms."""
        try:
            scope, port = _split(text)
            return cls(text, _scope(scope), None if port in ('', '*') else _port(port))
        except ValueError as error:
            raise ValueError(f'"{text}" is no host, address or network ({error}): write it like {FORMS}') from None

    def covers(self, host: str, address: Address, port: int) -> bool:
        """Return whether the entry allows *port* of *address*, one of the addresses of *host*."""
        if self.port not in (None, port):
            return False
        if isinstance(self.scope, str):
            return self.scope in (EVERYWHERE, host)
        return address in self.scope


@dataclass(frozen=True)
class Allowances:
    """Entries that a site allows in addition to the internet; none by default."""

    entries: tuple[Allowance, ...] = ()

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Self:
        """Read the entries of ``fsp.sources.allow``. Raises ValueError that names the first bad one."""
        return cls(tuple(Allowance.parse(text) for text in texts))

    def judge(self, host: str, address: Address, port: int, *, downgraded: bool = False) -> Verdict:
        """Return the verdict on a connection to *port* of *address*, one of the addresses of *host*.

        :param host: in lower case, without the dot of the root
        :param downgraded: whether a redirect from https to http led here, which only an entry can allow
        """
        for entry in self.entries:
            if entry.covers(host, address, port):
                return Verdict(True, f'fsp.sources.allow has {entry.text}')
        if downgraded:
            return Verdict(False, 'a redirect from https to http, to what fsp.sources.allow does not name')
        translated = address in _NAT64
        reached = _embedded(address) if translated else address
        for special in SPECIAL:
            if reached in special.network:
                return Verdict(False, f'IPv4 by NAT64, {special}' if translated else str(special))
        if port not in PORTS:
            return Verdict(False, f'port {port}: only {" and ".join(map(str, PORTS))} are open to everybody')
        return Verdict(True, 'an address of the internet')


def _split(text: str) -> tuple[str, str]:
    """Return the scope and the port of an entry; an IPv6 address can have a port only in brackets."""
    bracketed = re.fullmatch(r'\[([^\[\]]+)\](?::([^:]+))?', text)
    if bracketed:
        if ':' not in bracketed[1]:
            raise ValueError('brackets are for IPv6')
        return bracketed[1], bracketed[2] or ''
    if text.count(':') > 1:
        return text, ''
    scope, colon, port = text.partition(':')
    if colon and not port:
        raise ValueError('the port is missing')
    return scope, port


def _scope(text: str) -> str | Network:
    if '/' in text or ':' in text or re.fullmatch(r'[\d.]+', text):
        return _narrow(ip_network(text))
    if text == EVERYWHERE:
        return text
    name = text.lower().removesuffix('.')
    # A last label that begins with a digit is an address in an unusual notation (0x7f.1).
    if not re.fullmatch(r'([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?', name):
        raise ValueError('not a host name; other alphabets in their xn-- form')
    return name


def _narrow(network: Network) -> Network:
    widest, where = _widest(network)
    if network.prefixlen < widest:
        raise ValueError(
            f'it is wider than /{widest}{where}: name the networks that you need; "{EVERYWHERE}" alone would open '
            'every address there is, those of your own network among them'
        )
    return network


def _widest(network: Network) -> tuple[int, str]:
    """Return the least length of the prefix of *network*, and the reason if it is not the usual one."""
    if isinstance(network, IPv6Network):
        # Limited like the IPv4 network in it. A network around such a prefix holds all of IPv4.
        for prefix, bits in _EMBEDDING:
            if network.overlaps(prefix):
                return bits + _WIDEST[4], f' and holds addresses of {prefix}, which stand for IPv4 addresses'
    return _WIDEST[network.version], ''


def _port(text: str) -> int:
    if not re.fullmatch(r'[0-9]{1,5}', text) or not 0 < int(text) < 1 << 16:
        raise ValueError('a port is a number from 1 to 65535, or *')
    return int(text)
