"""How the database and mail are reached: over TLS, unless an address says otherwise. Pure.

Neither protocol insists by itself. PostgreSQL's clients and many mail servers fall back to plain
text when nobody names TLS, and whoever is on the way would take it away.
"""

import ipaddress
from typing import Final, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

Mail = Literal["smtps", "starttls", "plain"]
VERIFIED: Final = "verify-full"  # libpq's word: the certificate is trusted, and is the host's
PLAIN_MAIL: Final = "smtp+plain"


def database_over_tls(url: str) -> str:
    """Return a database's URL that insists on a verified certificate, unless it names `sslmode`.

    A database on this machine is left as it is.

    >>> database_over_tls("postgresql://kinward@db.example/kinward")
    'postgresql://kinward@db.example/kinward?sslmode=verify-full&sslrootcert=system'
    >>> database_over_tls("postgresql://db.example/kinward?sslmode=disable")
    'postgresql://db.example/kinward?sslmode=disable'
    >>> database_over_tls("postgresql:///kinward?host=/run/postgresql")
    'postgresql:///kinward?host=/run/postgresql'
    """
    asked = dict(parse_qsl(urlsplit(url).query))
    if not url or _all_here(url) or "sslmode" in asked:
        return url
    more = {"sslmode": VERIFIED} | ({} if "sslrootcert" in asked else {"sslrootcert": "system"})
    return f"{url}{'&' if '?' in url else '?'}{urlencode(more)}"


def is_database_verified(url: str) -> bool:
    """Return whether nobody on the way can read a database's connection, or answer in its place.

    >>> is_database_verified("postgresql://db.example/kinward")
    True
    >>> is_database_verified("postgresql://db.example/kinward?sslmode=require")
    False
    """
    asked = dict(parse_qsl(urlsplit(database_over_tls(url)).query))
    return not url or _all_here(url) or asked.get("sslmode") == VERIFIED


def _all_here(url: str) -> bool:
    """Whether all hosts of a URL are this machine, or sockets. libpq takes several, with commas."""
    parts = urlsplit(url)
    asked = dict(parse_qsl(parts.query))
    network = parts.netloc.rpartition("@")[2]
    named = [asked.get("host") or network, asked.get("hostaddr", "")]
    return all(is_here(host) for hosts in named for host in hosts.split(","))


def is_here(host: str) -> bool:
    """Return whether a host, with or without a port, is this machine. Empty, or a path, is one.

    >>> [is_here(host) for host in ("", "/run/postgresql", "[::1]:5432", "127.0.0.2", "localhost")]
    [True, True, True, True, True]
    >>> [is_here(host) for host in ("db.example:5432", "10.0.0.1", "localhost.example")]
    [False, False, False]
    """
    if not host or host.startswith(("/", "@", "%2F")):
        return True
    name = host.partition("]")[0].removeprefix("[") if host.startswith("[") else host
    name = name if name.count(":") > 1 else name.partition(":")[0]
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name in ("localhost", "")


def mail_transport(url: str) -> Mail:
    """Return how mail travels to the server of a URL. Only this machine's gets it in plain text.

    >>> mail_transport("smtp://mail.example:25"), mail_transport("smtps://mail.example")
    ('starttls', 'smtps')
    >>> mail_transport("smtp://localhost"), mail_transport("smtp+plain://relay.example")
    ('plain', 'plain')
    """
    parts = urlsplit(url)
    if parts.scheme == "smtps":
        return "smtps"
    if parts.scheme == PLAIN_MAIL or (not parts.username and is_here(parts.hostname or "")):
        return "plain"
    return "starttls"
